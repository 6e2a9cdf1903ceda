-- collect
SELECT inference_log.request_id AS request_id, CAST(round(to_unixtime(inference_log.predicted_at) * 1000000) AS BIGINT) AS predicted_at, inference_log.prediction AS prediction, inference_log.score AS score, inference_log.model_version AS model_version, inference_log.status_code AS status_code, inference_log.region AS region, inference_log.latency_ms AS latency_ms, CAST(inference_log.cost_usd AS DOUBLE) AS cost_usd, CAST(inference_log.amount AS DOUBLE) AS amount, inference_log.is_new AS is_new, inference_log.born AS born, inference_log."Order" AS "Order"
FROM inference_log
WHERE inference_log.predicted_at >= CAST('2026-09-01 00:00:00.000000' AS TIMESTAMP(6)) AND inference_log.predicted_at < CAST('2026-09-02 00:00:00.000000' AS TIMESTAMP(6)) AND rtrim(CAST(inference_log.model_version AS VARCHAR)) = 'v1';

-- volumes
SELECT 0 AS anon_1, (count(DISTINCT inference_log.request_id) + count(*)) - count(inference_log.request_id) AS anon_2
FROM inference_log
WHERE inference_log.predicted_at >= CAST('2026-09-01 00:00:00.000000' AS TIMESTAMP(6)) AND inference_log.predicted_at < CAST('2026-09-02 00:00:00.000000' AS TIMESTAMP(6)) AND rtrim(CAST(inference_log.model_version AS VARCHAR)) = 'v1';

-- strangers
SELECT count(*) AS count_1, count(inference_log.secret) AS count_2
FROM inference_log
WHERE inference_log.predicted_at >= CAST('2026-09-01 00:00:00.000000' AS TIMESTAMP(6)) AND inference_log.predicted_at < CAST('2026-09-02 00:00:00.000000' AS TIMESTAMP(6)) AND rtrim(CAST(inference_log.model_version AS VARCHAR)) = 'v1';
SELECT count(*) AS count_1, count(inference_log.secret) AS count_2
FROM inference_log
WHERE inference_log.predicted_at >= CAST('2026-08-04 00:00:00.000000' AS TIMESTAMP(6)) AND inference_log.predicted_at < CAST('2026-09-01 00:00:00.000000' AS TIMESTAMP(6)) AND rtrim(CAST(inference_log.model_version AS VARCHAR)) = 'v1';

-- misdated
SELECT count(*) AS count_1, max(CAST(round(to_unixtime(inference_log.predicted_at) * 1000000) AS BIGINT)) AS max_1
FROM inference_log
WHERE inference_log.predicted_at IS NOT NULL AND inference_log.predicted_at >= CAST('2026-09-20 00:00:00.000000' AS TIMESTAMP(6)) AND rtrim(CAST(inference_log.model_version AS VARCHAR)) = 'v1';
SELECT count(*) AS count_1, max(CAST(round(to_unixtime(inference_log.predicted_at) * 1000000) AS BIGINT)) AS max_1
FROM inference_log
WHERE (inference_log.predicted_at IS NULL OR inference_log.predicted_at IS NOT NULL AND inference_log.predicted_at < CAST('1970-01-02 00:00:00.000000' AS TIMESTAMP(6))) AND rtrim(CAST(inference_log.model_version AS VARCHAR)) = 'v1';

-- first_timestamp
SELECT min(CAST(round(to_unixtime(inference_log.predicted_at) * 1000000) AS BIGINT)) AS min_1
FROM inference_log
WHERE inference_log.predicted_at IS NOT NULL AND rtrim(CAST(inference_log.model_version AS VARCHAR)) = 'v1';

-- logged_between
SELECT min(CAST(round(to_unixtime(inference_log.predicted_at) * 1000000) AS BIGINT)) AS min_1, max(CAST(round(to_unixtime(inference_log.predicted_at) * 1000000) AS BIGINT)) AS max_1
FROM inference_log
WHERE inference_log.predicted_at >= CAST('1970-01-02 00:00:00.000000' AS TIMESTAMP(6)) AND inference_log.predicted_at < CAST('2026-09-20 00:00:00.000000' AS TIMESTAMP(6)) AND rtrim(CAST(inference_log.model_version AS VARCHAR)) = 'v1';

-- labelled
SELECT count(DISTINCT truth.request_id) AS count_1
FROM ground_truth AS truth
WHERE truth.labeled_at >= with_timezone(CAST('2026-09-01 00:00:00.000000' AS TIMESTAMP(6)), 'UTC') AND truth.labeled_at < with_timezone(CAST('2026-09-02 00:00:00.000000' AS TIMESTAMP(6)), 'UTC') AND NOT (EXISTS (SELECT 1 AS anon_1
FROM inference_log
WHERE inference_log.request_id = truth.request_id));
SELECT inference_log.request_id AS request_id, CAST(round(to_unixtime(inference_log.predicted_at) * 1000000) AS BIGINT) AS predicted_at, inference_log.prediction AS prediction, inference_log.score AS score, inference_log.model_version AS model_version, inference_log.status_code AS status_code, inference_log.region AS region, truth.label AS " label", CAST(round(to_unixtime(truth.labeled_at) * 1000000) AS BIGINT) AS " arrived_at"
FROM inference_log LEFT OUTER JOIN ground_truth AS truth ON inference_log.request_id = truth.request_id AND (truth.labeled_at IS NOT NULL AND truth.labeled_at < with_timezone(CAST('2026-09-20 00:00:00.000000' AS TIMESTAMP(6)), 'UTC') OR truth.labeled_at IS NULL)
WHERE inference_log.predicted_at >= CAST('2026-09-01 00:00:00.000000' AS TIMESTAMP(6)) AND inference_log.predicted_at < CAST('2026-09-02 00:00:00.000000' AS TIMESTAMP(6)) AND rtrim(CAST(inference_log.model_version AS VARCHAR)) = 'v1';

-- duplicates
SELECT sum(anon_1.again) AS sum_1
FROM (SELECT count(truth.label) - count(DISTINCT truth.label) AS again
FROM ground_truth AS truth
WHERE truth.labeled_at IS NOT NULL AND truth.labeled_at < with_timezone(CAST('2026-09-20 00:00:00.000000' AS TIMESTAMP(6)), 'UTC') AND (EXISTS (SELECT 1 AS anon_2
FROM inference_log
WHERE inference_log.request_id = truth.request_id AND inference_log.predicted_at >= CAST('2026-09-01 00:00:00.000000' AS TIMESTAMP(6)) AND inference_log.predicted_at < CAST('2026-09-02 00:00:00.000000' AS TIMESTAMP(6)) AND rtrim(CAST(inference_log.model_version AS VARCHAR)) = 'v1')) GROUP BY truth.request_id) AS anon_1;

-- touched
SELECT DISTINCT CAST(round(to_unixtime(inference_log.predicted_at) * 1000000) AS BIGINT) - ((CAST(round(to_unixtime(inference_log.predicted_at) * 1000000) AS BIGINT) - 345600000000) % 86400000000 + 86400000000) % 86400000000 AS anon_1
FROM inference_log JOIN ground_truth AS truth ON inference_log.request_id = truth.request_id
WHERE inference_log.predicted_at IS NOT NULL AND rtrim(CAST(inference_log.model_version AS VARCHAR)) = 'v1' AND truth.labeled_at >= with_timezone(CAST('2026-09-02 00:00:00.000000' AS TIMESTAMP(6)), 'UTC') AND truth.labeled_at < with_timezone(CAST('2026-09-03 00:00:00.000000' AS TIMESTAMP(6)), 'UTC');

-- labels_now
SELECT inference_log.request_id AS request_id, truth.label AS " label"
FROM inference_log JOIN ground_truth AS truth ON inference_log.request_id = truth.request_id
WHERE inference_log.predicted_at >= CAST('2026-09-01 00:00:00.000000' AS TIMESTAMP(6)) AND inference_log.predicted_at < CAST('2026-09-02 00:00:00.000000' AS TIMESTAMP(6)) AND rtrim(CAST(inference_log.model_version AS VARCHAR)) = 'v1';

-- newest_unmatched
SELECT anon_1.shown, CASE WHEN (EXISTS (SELECT 1 AS anon_3
FROM inference_log
WHERE inference_log.request_id = anon_1.id)) THEN 1 ELSE 0 END AS anon_2
FROM (SELECT truth.request_id AS id, truth.request_id AS shown
FROM ground_truth AS truth
WHERE truth.labeled_at >= with_timezone(CAST('2026-09-11 00:00:00.000000' AS TIMESTAMP(6)), 'UTC') AND truth.labeled_at < with_timezone(CAST('2026-09-20 00:00:00.000000' AS TIMESTAMP(6)), 'UTC') AND truth.request_id IS NOT NULL ORDER BY truth.labeled_at DESC, truth.request_id
LIMIT 200) AS anon_1;
SELECT inference_log.request_id
FROM inference_log
WHERE inference_log.predicted_at >= CAST('2026-09-11 00:00:00.000000' AS TIMESTAMP(6)) AND inference_log.predicted_at < CAST('2026-09-20 00:00:00.000000' AS TIMESTAMP(6)) AND rtrim(CAST(inference_log.model_version AS VARCHAR)) = 'v1' AND inference_log.request_id IS NOT NULL AND NOT (EXISTS (SELECT 1 AS anon_1
FROM ground_truth AS truth
WHERE inference_log.request_id = truth.request_id AND truth.labeled_at IS NOT NULL AND truth.labeled_at < with_timezone(CAST('2026-09-20 00:00:00.000000' AS TIMESTAMP(6)), 'UTC'))) ORDER BY inference_log.request_id
LIMIT 200;
SELECT inference_log.request_id
FROM inference_log
WHERE inference_log.request_id IN ('0A1B2C3D-0000-4000-8000-000000000000', '0A1B2C3D-0000-4000-8000-000000000001', '0A1B2C3D-0000-4000-8000-000000000002', '0A1B2C3D-0000-4000-8000-000000000003', '0A1B2C3D-0000-4000-8000-000000000004', '0A1B2C3D-0000-4000-8000-000000000005') AND NOT (EXISTS (SELECT 1 AS anon_1
FROM ground_truth AS truth
WHERE inference_log.request_id = truth.request_id AND truth.labeled_at IS NOT NULL AND truth.labeled_at < with_timezone(CAST('2026-09-20 00:00:00.000000' AS TIMESTAMP(6)), 'UTC'))) GROUP BY inference_log.request_id, inference_log.request_id;
SELECT truth.request_id
FROM ground_truth AS truth
WHERE truth.request_id IN ('0A1B2C3D-0000-4000-8000-000000000000', '0A1B2C3D-0000-4000-8000-000000000001', '0A1B2C3D-0000-4000-8000-000000000002', '0A1B2C3D-0000-4000-8000-000000000003', '0A1B2C3D-0000-4000-8000-000000000004', '0A1B2C3D-0000-4000-8000-000000000005') AND truth.labeled_at IS NOT NULL AND truth.labeled_at < with_timezone(CAST('2026-09-20 00:00:00.000000' AS TIMESTAMP(6)), 'UTC') AND NOT (EXISTS (SELECT 1 AS anon_1
FROM inference_log
WHERE inference_log.request_id = truth.request_id)) GROUP BY truth.request_id, truth.request_id;

-- respelt_labels
SELECT inference_log.request_id
FROM inference_log
WHERE inference_log.predicted_at >= CAST('2026-09-01 00:00:00.000000' AS TIMESTAMP(6)) AND inference_log.predicted_at < CAST('2026-09-02 00:00:00.000000' AS TIMESTAMP(6)) AND rtrim(CAST(inference_log.model_version AS VARCHAR)) = 'v1' AND inference_log.request_id IS NOT NULL AND NOT (EXISTS (SELECT 1 AS anon_1
FROM ground_truth AS truth
WHERE inference_log.request_id = truth.request_id AND truth.labeled_at IS NOT NULL AND truth.labeled_at < with_timezone(CAST('2026-09-03 00:00:00.000000' AS TIMESTAMP(6)), 'UTC'))) ORDER BY inference_log.request_id
LIMIT 200;
SELECT truth.request_id
FROM ground_truth AS truth
WHERE truth.request_id IN ('0A1B2C3D-0000-4000-8000-000000000000', '0A1B2C3D-0000-4000-8000-000000000001', '0A1B2C3D-0000-4000-8000-000000000002', '0A1B2C3D-0000-4000-8000-000000000003', '0A1B2C3D-0000-4000-8000-000000000004', '0A1B2C3D-0000-4000-8000-000000000005') AND truth.labeled_at >= with_timezone(CAST('2026-09-02 00:00:00.000000' AS TIMESTAMP(6)), 'UTC') AND truth.labeled_at < with_timezone(CAST('2026-09-03 00:00:00.000000' AS TIMESTAMP(6)), 'UTC') AND NOT (EXISTS (SELECT 1 AS anon_1
FROM inference_log
WHERE inference_log.request_id = truth.request_id)) GROUP BY truth.request_id, truth.request_id;

-- kpi_rows
SELECT inference_log.request_id AS request_id, CAST(round(to_unixtime(inference_log.predicted_at) * 1000000) AS BIGINT) AS predicted_at, inference_log.prediction AS prediction, inference_log.score AS score, inference_log.model_version AS model_version, inference_log.status_code AS status_code, inference_log.region AS region, CAST(inference_log.amount AS DOUBLE) AS amount, truth.label AS " label", CAST(round(to_unixtime(truth.labeled_at) * 1000000) AS BIGINT) AS " arrived_at"
FROM inference_log LEFT OUTER JOIN ground_truth AS truth ON inference_log.request_id = truth.request_id AND truth.labeled_at IS NOT NULL AND truth.labeled_at < with_timezone(CAST('2026-09-20 00:00:00.000000' AS TIMESTAMP(6)), 'UTC')
WHERE inference_log.predicted_at >= CAST('2026-09-01 00:00:00.000000' AS TIMESTAMP(6)) AND inference_log.predicted_at < CAST('2026-09-02 00:00:00.000000' AS TIMESTAMP(6)) AND rtrim(CAST(inference_log.model_version AS VARCHAR)) = 'v1';

-- clock
SELECT CAST(round(to_unixtime(CURRENT_TIMESTAMP) * 1000000) AS BIGINT) AS round_1;

-- survey
SELECT count(*) AS count_1, min(CAST(round(to_unixtime(inference_log.predicted_at) * 1000000) AS BIGINT)) AS min_1, max(CAST(round(to_unixtime(inference_log.predicted_at) * 1000000) AS BIGINT)) AS max_1
FROM inference_log;
SELECT inference_log.request_id AS request_id, CAST(round(to_unixtime(inference_log.predicted_at) * 1000000) AS BIGINT) AS predicted_at, inference_log.model_version AS model_version, inference_log.prediction AS prediction, inference_log.score AS score, inference_log.latency_ms AS latency_ms, inference_log.status_code AS status_code, CAST(inference_log.cost_usd AS DOUBLE) AS cost_usd, CAST(inference_log.amount AS DOUBLE) AS amount, inference_log.region AS region, inference_log.is_new AS is_new, inference_log.born AS born, inference_log."Order" AS "Order", inference_log.secret AS secret
FROM inference_log
WHERE inference_log.predicted_at >= CAST('2026-09-01 00:00:00.000000' AS TIMESTAMP(6)) AND inference_log.predicted_at < CAST('2026-09-01 01:12:00.000000' AS TIMESTAMP(6))
LIMIT 1000;

-- first_labels
SELECT ground_truth.request_id, CAST(round(to_unixtime(ground_truth.labeled_at) * 1000000) AS BIGINT) AS round_1
FROM ground_truth
WHERE ground_truth.label IS NOT NULL AND ground_truth.request_id IN ('a', 'b');
