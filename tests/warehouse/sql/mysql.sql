-- tables
SELECT information_schema.tables.table_name
FROM information_schema.tables
WHERE information_schema.tables.table_schema = 'ml';

-- collect
SELECT inference_log.request_id AS request_id, timestampdiff(MICROSECOND, '1970-01-01', inference_log.predicted_at) AS predicted_at, inference_log.prediction AS prediction, CAST(inference_log.score AS DOUBLE) AS score, inference_log.model_version AS model_version, inference_log.status_code AS status_code, inference_log.region AS region, inference_log.latency_ms AS latency_ms, CAST(inference_log.cost_usd AS DOUBLE) AS cost_usd, CAST(inference_log.amount AS DOUBLE) AS amount, inference_log.is_new AS is_new, CASE WHEN (timestampdiff(MICROSECOND, '1970-01-01', inference_log.born) IS NOT NULL) THEN inference_log.born END AS born, inference_log.`Order` AS `Order`
FROM inference_log
WHERE inference_log.predicted_at >= '2026-09-01 00:00:00' AND inference_log.predicted_at < '2026-09-02 00:00:00' AND CAST(CAST(inference_log.model_version AS CHAR CHARACTER SET utf8mb4) AS BINARY) = CAST(CAST('v1' AS CHAR CHARACTER SET utf8mb4) AS BINARY);

-- volumes
SELECT 0 AS anon_1, (count(DISTINCT CAST(CAST(inference_log.request_id AS CHAR CHARACTER SET utf8mb4) AS BINARY)) + count(*)) - count(CAST(CAST(inference_log.request_id AS CHAR CHARACTER SET utf8mb4) AS BINARY)) AS anon_2
FROM inference_log
WHERE inference_log.predicted_at >= '2026-09-01 00:00:00' AND inference_log.predicted_at < '2026-09-02 00:00:00' AND CAST(CAST(inference_log.model_version AS CHAR CHARACTER SET utf8mb4) AS BINARY) = CAST(CAST('v1' AS CHAR CHARACTER SET utf8mb4) AS BINARY);

-- strangers
SELECT count(*) AS count_1, count(inference_log.secret) AS count_2
FROM inference_log
WHERE inference_log.predicted_at >= '2026-09-01 00:00:00' AND inference_log.predicted_at < '2026-09-02 00:00:00' AND CAST(CAST(inference_log.model_version AS CHAR CHARACTER SET utf8mb4) AS BINARY) = CAST(CAST('v1' AS CHAR CHARACTER SET utf8mb4) AS BINARY);
SELECT count(*) AS count_1, count(inference_log.secret) AS count_2
FROM inference_log
WHERE inference_log.predicted_at >= '2026-08-04 00:00:00' AND inference_log.predicted_at < '2026-09-01 00:00:00' AND CAST(CAST(inference_log.model_version AS CHAR CHARACTER SET utf8mb4) AS BINARY) = CAST(CAST('v1' AS CHAR CHARACTER SET utf8mb4) AS BINARY);

-- misdated
SELECT count(*) AS count_1, max(timestampdiff(MICROSECOND, '1970-01-01', inference_log.predicted_at)) AS max_1
FROM inference_log
WHERE timestampdiff(MICROSECOND, '1970-01-01', inference_log.predicted_at) IS NOT NULL AND inference_log.predicted_at >= '2026-09-20 00:00:00' AND CAST(CAST(inference_log.model_version AS CHAR CHARACTER SET utf8mb4) AS BINARY) = CAST(CAST('v1' AS CHAR CHARACTER SET utf8mb4) AS BINARY);
SELECT count(*) AS count_1, max(timestampdiff(MICROSECOND, '1970-01-01', inference_log.predicted_at)) AS max_1
FROM inference_log
WHERE (timestampdiff(MICROSECOND, '1970-01-01', inference_log.predicted_at) IS NULL OR timestampdiff(MICROSECOND, '1970-01-01', inference_log.predicted_at) IS NOT NULL AND inference_log.predicted_at < '1970-01-02 00:00:00') AND CAST(CAST(inference_log.model_version AS CHAR CHARACTER SET utf8mb4) AS BINARY) = CAST(CAST('v1' AS CHAR CHARACTER SET utf8mb4) AS BINARY);

-- first_timestamp
SELECT min(timestampdiff(MICROSECOND, '1970-01-01', inference_log.predicted_at)) AS min_1
FROM inference_log
WHERE timestampdiff(MICROSECOND, '1970-01-01', inference_log.predicted_at) IS NOT NULL AND CAST(CAST(inference_log.model_version AS CHAR CHARACTER SET utf8mb4) AS BINARY) = CAST(CAST('v1' AS CHAR CHARACTER SET utf8mb4) AS BINARY);

-- logged_between
SELECT min(timestampdiff(MICROSECOND, '1970-01-01', inference_log.predicted_at)) AS min_1, max(timestampdiff(MICROSECOND, '1970-01-01', inference_log.predicted_at)) AS max_1
FROM inference_log
WHERE inference_log.predicted_at >= '1970-01-02 00:00:00' AND inference_log.predicted_at < '2026-09-20 00:00:00' AND CAST(CAST(inference_log.model_version AS CHAR CHARACTER SET utf8mb4) AS BINARY) = CAST(CAST('v1' AS CHAR CHARACTER SET utf8mb4) AS BINARY);

-- labelled
SELECT count(DISTINCT CAST(CAST(truth.request_id AS CHAR CHARACTER SET utf8mb4) AS BINARY)) AS count_1
FROM ground_truth AS truth
WHERE truth.labeled_at >= '2026-09-01 00:00:00' AND truth.labeled_at < '2026-09-02 00:00:00' AND NOT (EXISTS (SELECT 1 AS anon_1
FROM inference_log
WHERE inference_log.request_id = truth.request_id AND CAST(CAST(inference_log.request_id AS CHAR CHARACTER SET utf8mb4) AS BINARY) = CAST(CAST(truth.request_id AS CHAR CHARACTER SET utf8mb4) AS BINARY)));
SELECT inference_log.request_id AS request_id, timestampdiff(MICROSECOND, '1970-01-01', inference_log.predicted_at) AS predicted_at, inference_log.prediction AS prediction, CAST(inference_log.score AS DOUBLE) AS score, inference_log.model_version AS model_version, inference_log.status_code AS status_code, inference_log.region AS region, truth.label AS ` label`, timestampdiff(MICROSECOND, '1970-01-01', truth.labeled_at) AS ` arrived_at`
FROM inference_log LEFT OUTER JOIN ground_truth AS truth ON inference_log.request_id = truth.request_id AND CAST(CAST(inference_log.request_id AS CHAR CHARACTER SET utf8mb4) AS BINARY) = CAST(CAST(truth.request_id AS CHAR CHARACTER SET utf8mb4) AS BINARY) AND (timestampdiff(MICROSECOND, '1970-01-01', truth.labeled_at) IS NOT NULL AND truth.labeled_at < '2026-09-20 00:00:00' OR timestampdiff(MICROSECOND, '1970-01-01', truth.labeled_at) IS NULL)
WHERE inference_log.predicted_at >= '2026-09-01 00:00:00' AND inference_log.predicted_at < '2026-09-02 00:00:00' AND CAST(CAST(inference_log.model_version AS CHAR CHARACTER SET utf8mb4) AS BINARY) = CAST(CAST('v1' AS CHAR CHARACTER SET utf8mb4) AS BINARY);

-- duplicates
SELECT sum(anon_1.again) AS sum_1
FROM (SELECT count(truth.label) - count(DISTINCT truth.label) AS again
FROM ground_truth AS truth
WHERE timestampdiff(MICROSECOND, '1970-01-01', truth.labeled_at) IS NOT NULL AND truth.labeled_at < '2026-09-20 00:00:00' AND (EXISTS (SELECT 1 AS anon_2
FROM inference_log
WHERE inference_log.request_id = truth.request_id AND CAST(CAST(inference_log.request_id AS CHAR CHARACTER SET utf8mb4) AS BINARY) = CAST(CAST(truth.request_id AS CHAR CHARACTER SET utf8mb4) AS BINARY) AND inference_log.predicted_at >= '2026-09-01 00:00:00' AND inference_log.predicted_at < '2026-09-02 00:00:00' AND CAST(CAST(inference_log.model_version AS CHAR CHARACTER SET utf8mb4) AS BINARY) = CAST(CAST('v1' AS CHAR CHARACTER SET utf8mb4) AS BINARY))) GROUP BY CAST(CAST(truth.request_id AS CHAR CHARACTER SET utf8mb4) AS BINARY)) AS anon_1;

-- touched
SELECT DISTINCT timestampdiff(MICROSECOND, '1970-01-01', inference_log.predicted_at) - ((timestampdiff(MICROSECOND, '1970-01-01', inference_log.predicted_at) - 345600000000) % 86400000000 + 86400000000) % 86400000000 AS anon_1
FROM inference_log INNER JOIN ground_truth AS truth ON inference_log.request_id = truth.request_id AND CAST(CAST(inference_log.request_id AS CHAR CHARACTER SET utf8mb4) AS BINARY) = CAST(CAST(truth.request_id AS CHAR CHARACTER SET utf8mb4) AS BINARY)
WHERE timestampdiff(MICROSECOND, '1970-01-01', inference_log.predicted_at) IS NOT NULL AND CAST(CAST(inference_log.model_version AS CHAR CHARACTER SET utf8mb4) AS BINARY) = CAST(CAST('v1' AS CHAR CHARACTER SET utf8mb4) AS BINARY) AND truth.labeled_at >= '2026-09-02 00:00:00' AND truth.labeled_at < '2026-09-03 00:00:00';

-- labels_now
SELECT inference_log.request_id AS request_id, truth.label AS ` label`
FROM inference_log INNER JOIN ground_truth AS truth ON inference_log.request_id = truth.request_id AND CAST(CAST(inference_log.request_id AS CHAR CHARACTER SET utf8mb4) AS BINARY) = CAST(CAST(truth.request_id AS CHAR CHARACTER SET utf8mb4) AS BINARY)
WHERE inference_log.predicted_at >= '2026-09-01 00:00:00' AND inference_log.predicted_at < '2026-09-02 00:00:00' AND CAST(CAST(inference_log.model_version AS CHAR CHARACTER SET utf8mb4) AS BINARY) = CAST(CAST('v1' AS CHAR CHARACTER SET utf8mb4) AS BINARY);

-- newest_unmatched
SELECT anon_1.shown, CASE WHEN (EXISTS (SELECT 1 AS anon_3
FROM inference_log
WHERE inference_log.request_id = anon_1.id AND CAST(CAST(inference_log.request_id AS CHAR CHARACTER SET utf8mb4) AS BINARY) = CAST(CAST(anon_1.id AS CHAR CHARACTER SET utf8mb4) AS BINARY))) THEN 1 ELSE 0 END AS anon_2
FROM (SELECT truth.request_id AS id, truth.request_id AS shown
FROM ground_truth AS truth
WHERE truth.labeled_at >= '2026-09-11 00:00:00' AND truth.labeled_at < '2026-09-20 00:00:00' AND truth.request_id IS NOT NULL ORDER BY truth.labeled_at DESC, truth.request_id
LIMIT 200) AS anon_1;
SELECT inference_log.request_id
FROM inference_log
WHERE inference_log.predicted_at >= '2026-09-11 00:00:00' AND inference_log.predicted_at < '2026-09-20 00:00:00' AND CAST(CAST(inference_log.model_version AS CHAR CHARACTER SET utf8mb4) AS BINARY) = CAST(CAST('v1' AS CHAR CHARACTER SET utf8mb4) AS BINARY) AND inference_log.request_id IS NOT NULL AND NOT (EXISTS (SELECT 1 AS anon_1
FROM ground_truth AS truth
WHERE inference_log.request_id = truth.request_id AND CAST(CAST(inference_log.request_id AS CHAR CHARACTER SET utf8mb4) AS BINARY) = CAST(CAST(truth.request_id AS CHAR CHARACTER SET utf8mb4) AS BINARY) AND timestampdiff(MICROSECOND, '1970-01-01', truth.labeled_at) IS NOT NULL AND truth.labeled_at < '2026-09-20 00:00:00')) ORDER BY inference_log.request_id
LIMIT 200;
SELECT inference_log.request_id
FROM inference_log
WHERE inference_log.request_id IN ('0A1B2C3D-0000-4000-8000-000000000000', '0A1B2C3D-0000-4000-8000-000000000001', '0A1B2C3D-0000-4000-8000-000000000002', '0A1B2C3D-0000-4000-8000-000000000003', '0A1B2C3D-0000-4000-8000-000000000004', '0A1B2C3D-0000-4000-8000-000000000005') AND NOT (EXISTS (SELECT 1 AS anon_1
FROM ground_truth AS truth
WHERE inference_log.request_id = truth.request_id AND CAST(CAST(inference_log.request_id AS CHAR CHARACTER SET utf8mb4) AS BINARY) = CAST(CAST(truth.request_id AS CHAR CHARACTER SET utf8mb4) AS BINARY) AND timestampdiff(MICROSECOND, '1970-01-01', truth.labeled_at) IS NOT NULL AND truth.labeled_at < '2026-09-20 00:00:00')) GROUP BY CAST(CAST(inference_log.request_id AS CHAR CHARACTER SET utf8mb4) AS BINARY), inference_log.request_id;
SELECT truth.request_id
FROM ground_truth AS truth
WHERE truth.request_id IN ('0A1B2C3D-0000-4000-8000-000000000000', '0A1B2C3D-0000-4000-8000-000000000001', '0A1B2C3D-0000-4000-8000-000000000002', '0A1B2C3D-0000-4000-8000-000000000003', '0A1B2C3D-0000-4000-8000-000000000004', '0A1B2C3D-0000-4000-8000-000000000005') AND timestampdiff(MICROSECOND, '1970-01-01', truth.labeled_at) IS NOT NULL AND truth.labeled_at < '2026-09-20 00:00:00' AND NOT (EXISTS (SELECT 1 AS anon_1
FROM inference_log
WHERE inference_log.request_id = truth.request_id AND CAST(CAST(inference_log.request_id AS CHAR CHARACTER SET utf8mb4) AS BINARY) = CAST(CAST(truth.request_id AS CHAR CHARACTER SET utf8mb4) AS BINARY))) GROUP BY CAST(CAST(truth.request_id AS CHAR CHARACTER SET utf8mb4) AS BINARY), truth.request_id;

-- respelt_labels
SELECT inference_log.request_id
FROM inference_log
WHERE inference_log.predicted_at >= '2026-09-01 00:00:00' AND inference_log.predicted_at < '2026-09-02 00:00:00' AND CAST(CAST(inference_log.model_version AS CHAR CHARACTER SET utf8mb4) AS BINARY) = CAST(CAST('v1' AS CHAR CHARACTER SET utf8mb4) AS BINARY) AND inference_log.request_id IS NOT NULL AND NOT (EXISTS (SELECT 1 AS anon_1
FROM ground_truth AS truth
WHERE inference_log.request_id = truth.request_id AND CAST(CAST(inference_log.request_id AS CHAR CHARACTER SET utf8mb4) AS BINARY) = CAST(CAST(truth.request_id AS CHAR CHARACTER SET utf8mb4) AS BINARY) AND timestampdiff(MICROSECOND, '1970-01-01', truth.labeled_at) IS NOT NULL AND truth.labeled_at < '2026-09-03 00:00:00')) ORDER BY inference_log.request_id
LIMIT 200;
SELECT truth.request_id
FROM ground_truth AS truth
WHERE truth.request_id IN ('0A1B2C3D-0000-4000-8000-000000000000', '0A1B2C3D-0000-4000-8000-000000000001', '0A1B2C3D-0000-4000-8000-000000000002', '0A1B2C3D-0000-4000-8000-000000000003', '0A1B2C3D-0000-4000-8000-000000000004', '0A1B2C3D-0000-4000-8000-000000000005') AND truth.labeled_at >= '2026-09-02 00:00:00' AND truth.labeled_at < '2026-09-03 00:00:00' AND NOT (EXISTS (SELECT 1 AS anon_1
FROM inference_log
WHERE inference_log.request_id = truth.request_id AND CAST(CAST(inference_log.request_id AS CHAR CHARACTER SET utf8mb4) AS BINARY) = CAST(CAST(truth.request_id AS CHAR CHARACTER SET utf8mb4) AS BINARY))) GROUP BY CAST(CAST(truth.request_id AS CHAR CHARACTER SET utf8mb4) AS BINARY), truth.request_id;

-- kpi_rows
SELECT inference_log.request_id AS request_id, timestampdiff(MICROSECOND, '1970-01-01', inference_log.predicted_at) AS predicted_at, inference_log.prediction AS prediction, CAST(inference_log.score AS DOUBLE) AS score, inference_log.model_version AS model_version, inference_log.status_code AS status_code, inference_log.region AS region, CAST(inference_log.amount AS DOUBLE) AS amount, truth.label AS ` label`, timestampdiff(MICROSECOND, '1970-01-01', truth.labeled_at) AS ` arrived_at`
FROM inference_log LEFT OUTER JOIN ground_truth AS truth ON inference_log.request_id = truth.request_id AND CAST(CAST(inference_log.request_id AS CHAR CHARACTER SET utf8mb4) AS BINARY) = CAST(CAST(truth.request_id AS CHAR CHARACTER SET utf8mb4) AS BINARY) AND timestampdiff(MICROSECOND, '1970-01-01', truth.labeled_at) IS NOT NULL AND truth.labeled_at < '2026-09-20 00:00:00'
WHERE inference_log.predicted_at >= '2026-09-01 00:00:00' AND inference_log.predicted_at < '2026-09-02 00:00:00' AND CAST(CAST(inference_log.model_version AS CHAR CHARACTER SET utf8mb4) AS BINARY) = CAST(CAST('v1' AS CHAR CHARACTER SET utf8mb4) AS BINARY);

-- clock
SELECT timestampdiff(MICROSECOND, '1970-01-01', CURRENT_TIMESTAMP) AS timestampdiff_1;

-- survey
SELECT count(*) AS count_1, min(timestampdiff(MICROSECOND, '1970-01-01', inference_log.predicted_at)) AS min_1, max(timestampdiff(MICROSECOND, '1970-01-01', inference_log.predicted_at)) AS max_1
FROM inference_log;
SELECT inference_log.request_id AS request_id, timestampdiff(MICROSECOND, '1970-01-01', inference_log.predicted_at) AS predicted_at, inference_log.model_version AS model_version, inference_log.prediction AS prediction, CAST(inference_log.score AS DOUBLE) AS score, inference_log.latency_ms AS latency_ms, inference_log.status_code AS status_code, CAST(inference_log.cost_usd AS DOUBLE) AS cost_usd, CAST(inference_log.amount AS DOUBLE) AS amount, inference_log.region AS region, inference_log.is_new AS is_new, CASE WHEN (timestampdiff(MICROSECOND, '1970-01-01', inference_log.born) IS NOT NULL) THEN inference_log.born END AS born, inference_log.`Order` AS `Order`, inference_log.secret AS secret
FROM inference_log
WHERE inference_log.predicted_at >= '2026-09-01 00:00:00' AND inference_log.predicted_at < '2026-09-01 01:12:00'
LIMIT 1000;

-- first_labels
SELECT ground_truth.request_id, timestampdiff(MICROSECOND, '1970-01-01', ground_truth.labeled_at) AS timestampdiff_1
FROM ground_truth
WHERE ground_truth.label IS NOT NULL AND ground_truth.request_id IN ('a', 'b');
