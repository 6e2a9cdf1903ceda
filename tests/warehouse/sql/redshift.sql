-- collect
SELECT inference_log.request_id AS request_id, datediff(microsecond, CAST('1970-01-01' AS TIMESTAMP WITHOUT TIME ZONE), inference_log.predicted_at) AS predicted_at, inference_log.prediction AS prediction, inference_log.score AS score, inference_log.model_version AS model_version, inference_log.status_code AS status_code, inference_log.region AS region, inference_log.latency_ms AS latency_ms, CAST(inference_log.cost_usd AS DOUBLE PRECISION) AS cost_usd, CAST(inference_log.amount AS DOUBLE PRECISION) AS amount, inference_log.is_new AS is_new, inference_log.born AS born, inference_log."Order" AS "Order"
FROM inference_log
WHERE inference_log.predicted_at >= '2026-09-01 00:00:00' AND inference_log.predicted_at < '2026-09-02 00:00:00' AND collate(rtrim(inference_log.model_version) || '.', 'case_sensitive') = collate('v1' || '.', 'case_sensitive');
SELECT count(*) AS count_1
FROM (SELECT inference_log.request_id AS request_id, datediff(microsecond, CAST('1970-01-01' AS TIMESTAMP WITHOUT TIME ZONE), inference_log.predicted_at) AS predicted_at, inference_log.prediction AS prediction, inference_log.score AS score, inference_log.model_version AS model_version, inference_log.status_code AS status_code, inference_log.region AS region, inference_log.latency_ms AS latency_ms, CAST(inference_log.cost_usd AS DOUBLE PRECISION) AS cost_usd, CAST(inference_log.amount AS DOUBLE PRECISION) AS amount, inference_log.is_new AS is_new, inference_log.born AS born, inference_log."Order" AS "Order"
FROM inference_log
WHERE inference_log.predicted_at >= '2026-09-01 00:00:00' AND inference_log.predicted_at < '2026-09-02 00:00:00' AND collate(rtrim(inference_log.model_version) || '.', 'case_sensitive') = collate('v1' || '.', 'case_sensitive')) AS anon_1;

-- volumes
SELECT 0 AS anon_1, (count(DISTINCT collate(inference_log.request_id || '.', 'case_sensitive')) + count(*)) - count(collate(inference_log.request_id || '.', 'case_sensitive')) AS anon_2
FROM inference_log
WHERE inference_log.predicted_at >= '2026-09-01 00:00:00' AND inference_log.predicted_at < '2026-09-02 00:00:00' AND collate(rtrim(inference_log.model_version) || '.', 'case_sensitive') = collate('v1' || '.', 'case_sensitive');

-- strangers
SELECT count(*) AS count_1, count(inference_log.secret) AS count_2
FROM inference_log
WHERE inference_log.predicted_at >= '2026-09-01 00:00:00' AND inference_log.predicted_at < '2026-09-02 00:00:00' AND collate(rtrim(inference_log.model_version) || '.', 'case_sensitive') = collate('v1' || '.', 'case_sensitive');
SELECT count(*) AS count_1, count(inference_log.secret) AS count_2
FROM inference_log
WHERE inference_log.predicted_at >= '2026-08-04 00:00:00' AND inference_log.predicted_at < '2026-09-01 00:00:00' AND collate(rtrim(inference_log.model_version) || '.', 'case_sensitive') = collate('v1' || '.', 'case_sensitive');

-- misdated
SELECT count(*) AS count_1, max(datediff(microsecond, CAST('1970-01-01' AS TIMESTAMP WITHOUT TIME ZONE), inference_log.predicted_at)) AS max_1
FROM inference_log
WHERE inference_log.predicted_at IS NOT NULL AND inference_log.predicted_at >= '2026-09-20 00:00:00' AND collate(rtrim(inference_log.model_version) || '.', 'case_sensitive') = collate('v1' || '.', 'case_sensitive');
SELECT count(*) AS count_1, max(datediff(microsecond, CAST('1970-01-01' AS TIMESTAMP WITHOUT TIME ZONE), inference_log.predicted_at)) AS max_1
FROM inference_log
WHERE (inference_log.predicted_at IS NULL OR inference_log.predicted_at IS NOT NULL AND inference_log.predicted_at < '1970-01-02 00:00:00') AND collate(rtrim(inference_log.model_version) || '.', 'case_sensitive') = collate('v1' || '.', 'case_sensitive');

-- first_timestamp
SELECT min(datediff(microsecond, CAST('1970-01-01' AS TIMESTAMP WITHOUT TIME ZONE), inference_log.predicted_at)) AS min_1
FROM inference_log
WHERE inference_log.predicted_at IS NOT NULL AND collate(rtrim(inference_log.model_version) || '.', 'case_sensitive') = collate('v1' || '.', 'case_sensitive');

-- logged_between
SELECT min(datediff(microsecond, CAST('1970-01-01' AS TIMESTAMP WITHOUT TIME ZONE), inference_log.predicted_at)) AS min_1, max(datediff(microsecond, CAST('1970-01-01' AS TIMESTAMP WITHOUT TIME ZONE), inference_log.predicted_at)) AS max_1
FROM inference_log
WHERE inference_log.predicted_at >= '1970-01-02 00:00:00' AND inference_log.predicted_at < '2026-09-20 00:00:00' AND collate(rtrim(inference_log.model_version) || '.', 'case_sensitive') = collate('v1' || '.', 'case_sensitive');

-- labelled
SELECT count(DISTINCT collate(truth.request_id || '.', 'case_sensitive')) AS count_1
FROM ground_truth AS truth
WHERE truth.labeled_at >= '2026-09-01 00:00:00+00:00' AND truth.labeled_at < '2026-09-02 00:00:00+00:00' AND NOT (EXISTS (SELECT 1 AS anon_1
FROM inference_log
WHERE inference_log.request_id = truth.request_id AND collate(inference_log.request_id || '.', 'case_sensitive') = collate(truth.request_id || '.', 'case_sensitive')));
SELECT inference_log.request_id AS request_id, datediff(microsecond, CAST('1970-01-01' AS TIMESTAMP WITHOUT TIME ZONE), inference_log.predicted_at) AS predicted_at, inference_log.prediction AS prediction, inference_log.score AS score, inference_log.model_version AS model_version, inference_log.status_code AS status_code, inference_log.region AS region, truth.label AS " label", datediff(microsecond, CAST('1970-01-01' AS TIMESTAMP WITHOUT TIME ZONE), truth.labeled_at) AS " arrived_at"
FROM inference_log LEFT OUTER JOIN ground_truth AS truth ON inference_log.request_id = truth.request_id AND collate(inference_log.request_id || '.', 'case_sensitive') = collate(truth.request_id || '.', 'case_sensitive') AND (truth.labeled_at IS NOT NULL AND truth.labeled_at < '2026-09-20 00:00:00+00:00' OR truth.labeled_at IS NULL)
WHERE inference_log.predicted_at >= '2026-09-01 00:00:00' AND inference_log.predicted_at < '2026-09-02 00:00:00' AND collate(rtrim(inference_log.model_version) || '.', 'case_sensitive') = collate('v1' || '.', 'case_sensitive');
SELECT count(*) AS count_1
FROM (SELECT inference_log.request_id AS request_id, datediff(microsecond, CAST('1970-01-01' AS TIMESTAMP WITHOUT TIME ZONE), inference_log.predicted_at) AS predicted_at, inference_log.prediction AS prediction, inference_log.score AS score, inference_log.model_version AS model_version, inference_log.status_code AS status_code, inference_log.region AS region, truth.label AS " label", datediff(microsecond, CAST('1970-01-01' AS TIMESTAMP WITHOUT TIME ZONE), truth.labeled_at) AS " arrived_at"
FROM inference_log LEFT OUTER JOIN ground_truth AS truth ON inference_log.request_id = truth.request_id AND collate(inference_log.request_id || '.', 'case_sensitive') = collate(truth.request_id || '.', 'case_sensitive') AND (truth.labeled_at IS NOT NULL AND truth.labeled_at < '2026-09-20 00:00:00+00:00' OR truth.labeled_at IS NULL)
WHERE inference_log.predicted_at >= '2026-09-01 00:00:00' AND inference_log.predicted_at < '2026-09-02 00:00:00' AND collate(rtrim(inference_log.model_version) || '.', 'case_sensitive') = collate('v1' || '.', 'case_sensitive')) AS anon_1;

-- duplicates
SELECT sum(anon_1.again) AS sum_1
FROM (SELECT count(truth.label) - count(DISTINCT truth.label) AS again
FROM ground_truth AS truth
WHERE truth.labeled_at IS NOT NULL AND truth.labeled_at < '2026-09-20 00:00:00+00:00' AND (EXISTS (SELECT 1 AS anon_2
FROM inference_log
WHERE inference_log.request_id = truth.request_id AND collate(inference_log.request_id || '.', 'case_sensitive') = collate(truth.request_id || '.', 'case_sensitive') AND inference_log.predicted_at >= '2026-09-01 00:00:00' AND inference_log.predicted_at < '2026-09-02 00:00:00' AND collate(rtrim(inference_log.model_version) || '.', 'case_sensitive') = collate('v1' || '.', 'case_sensitive'))) GROUP BY collate(truth.request_id || '.', 'case_sensitive')) AS anon_1;

-- touched
SELECT DISTINCT datediff(microsecond, CAST('1970-01-01' AS TIMESTAMP WITHOUT TIME ZONE), inference_log.predicted_at) - ((datediff(microsecond, CAST('1970-01-01' AS TIMESTAMP WITHOUT TIME ZONE), inference_log.predicted_at) - 345600000000) % 86400000000 + 86400000000) % 86400000000 AS anon_1
FROM inference_log JOIN ground_truth AS truth ON inference_log.request_id = truth.request_id AND collate(inference_log.request_id || '.', 'case_sensitive') = collate(truth.request_id || '.', 'case_sensitive')
WHERE inference_log.predicted_at IS NOT NULL AND collate(rtrim(inference_log.model_version) || '.', 'case_sensitive') = collate('v1' || '.', 'case_sensitive') AND truth.labeled_at >= '2026-09-02 00:00:00+00:00' AND truth.labeled_at < '2026-09-03 00:00:00+00:00';

-- labels_now
SELECT inference_log.request_id AS request_id, truth.label AS " label"
FROM inference_log JOIN ground_truth AS truth ON inference_log.request_id = truth.request_id AND collate(inference_log.request_id || '.', 'case_sensitive') = collate(truth.request_id || '.', 'case_sensitive')
WHERE inference_log.predicted_at >= '2026-09-01 00:00:00' AND inference_log.predicted_at < '2026-09-02 00:00:00' AND collate(rtrim(inference_log.model_version) || '.', 'case_sensitive') = collate('v1' || '.', 'case_sensitive');
SELECT count(*) AS count_1
FROM (SELECT inference_log.request_id AS request_id, truth.label AS " label"
FROM inference_log JOIN ground_truth AS truth ON inference_log.request_id = truth.request_id AND collate(inference_log.request_id || '.', 'case_sensitive') = collate(truth.request_id || '.', 'case_sensitive')
WHERE inference_log.predicted_at >= '2026-09-01 00:00:00' AND inference_log.predicted_at < '2026-09-02 00:00:00' AND collate(rtrim(inference_log.model_version) || '.', 'case_sensitive') = collate('v1' || '.', 'case_sensitive')) AS anon_1;

-- newest_unmatched
SELECT anon_1.shown, CASE WHEN (EXISTS (SELECT 1 AS anon_3
FROM inference_log
WHERE inference_log.request_id = anon_1.id AND collate(inference_log.request_id || '.', 'case_sensitive') = collate(anon_1.id || '.', 'case_sensitive'))) THEN 1 ELSE 0 END AS anon_2
FROM (SELECT truth.request_id AS id, truth.request_id AS shown
FROM ground_truth AS truth
WHERE truth.labeled_at >= '2026-09-11 00:00:00+00:00' AND truth.labeled_at < '2026-09-20 00:00:00+00:00' AND truth.request_id IS NOT NULL ORDER BY truth.labeled_at DESC, truth.request_id
LIMIT 200) AS anon_1;
SELECT inference_log.request_id
FROM inference_log
WHERE inference_log.predicted_at >= '2026-09-11 00:00:00' AND inference_log.predicted_at < '2026-09-20 00:00:00' AND collate(rtrim(inference_log.model_version) || '.', 'case_sensitive') = collate('v1' || '.', 'case_sensitive') AND inference_log.request_id IS NOT NULL AND NOT (EXISTS (SELECT 1 AS anon_1
FROM ground_truth AS truth
WHERE inference_log.request_id = truth.request_id AND collate(inference_log.request_id || '.', 'case_sensitive') = collate(truth.request_id || '.', 'case_sensitive') AND truth.labeled_at IS NOT NULL AND truth.labeled_at < '2026-09-20 00:00:00+00:00')) ORDER BY inference_log.request_id
LIMIT 200;
SELECT inference_log.request_id
FROM inference_log
WHERE inference_log.request_id IN ('0A1B2C3D-0000-4000-8000-000000000000', '0A1B2C3D-0000-4000-8000-000000000001', '0A1B2C3D-0000-4000-8000-000000000002', '0A1B2C3D-0000-4000-8000-000000000003', '0A1B2C3D-0000-4000-8000-000000000004', '0A1B2C3D-0000-4000-8000-000000000005') AND NOT (EXISTS (SELECT 1 AS anon_1
FROM ground_truth AS truth
WHERE inference_log.request_id = truth.request_id AND collate(inference_log.request_id || '.', 'case_sensitive') = collate(truth.request_id || '.', 'case_sensitive') AND truth.labeled_at IS NOT NULL AND truth.labeled_at < '2026-09-20 00:00:00+00:00')) GROUP BY collate(inference_log.request_id || '.', 'case_sensitive'), inference_log.request_id;
SELECT truth.request_id
FROM ground_truth AS truth
WHERE truth.request_id IN ('0A1B2C3D-0000-4000-8000-000000000000', '0A1B2C3D-0000-4000-8000-000000000001', '0A1B2C3D-0000-4000-8000-000000000002', '0A1B2C3D-0000-4000-8000-000000000003', '0A1B2C3D-0000-4000-8000-000000000004', '0A1B2C3D-0000-4000-8000-000000000005') AND truth.labeled_at IS NOT NULL AND truth.labeled_at < '2026-09-20 00:00:00+00:00' AND NOT (EXISTS (SELECT 1 AS anon_1
FROM inference_log
WHERE inference_log.request_id = truth.request_id AND collate(inference_log.request_id || '.', 'case_sensitive') = collate(truth.request_id || '.', 'case_sensitive'))) GROUP BY collate(truth.request_id || '.', 'case_sensitive'), truth.request_id;

-- respelt_labels
SELECT inference_log.request_id
FROM inference_log
WHERE inference_log.predicted_at >= '2026-09-01 00:00:00' AND inference_log.predicted_at < '2026-09-02 00:00:00' AND collate(rtrim(inference_log.model_version) || '.', 'case_sensitive') = collate('v1' || '.', 'case_sensitive') AND inference_log.request_id IS NOT NULL AND NOT (EXISTS (SELECT 1 AS anon_1
FROM ground_truth AS truth
WHERE inference_log.request_id = truth.request_id AND collate(inference_log.request_id || '.', 'case_sensitive') = collate(truth.request_id || '.', 'case_sensitive') AND truth.labeled_at IS NOT NULL AND truth.labeled_at < '2026-09-03 00:00:00+00:00')) ORDER BY inference_log.request_id
LIMIT 200;
SELECT truth.request_id
FROM ground_truth AS truth
WHERE truth.request_id IN ('0A1B2C3D-0000-4000-8000-000000000000', '0A1B2C3D-0000-4000-8000-000000000001', '0A1B2C3D-0000-4000-8000-000000000002', '0A1B2C3D-0000-4000-8000-000000000003', '0A1B2C3D-0000-4000-8000-000000000004', '0A1B2C3D-0000-4000-8000-000000000005') AND truth.labeled_at >= '2026-09-02 00:00:00+00:00' AND truth.labeled_at < '2026-09-03 00:00:00+00:00' AND NOT (EXISTS (SELECT 1 AS anon_1
FROM inference_log
WHERE inference_log.request_id = truth.request_id AND collate(inference_log.request_id || '.', 'case_sensitive') = collate(truth.request_id || '.', 'case_sensitive'))) GROUP BY collate(truth.request_id || '.', 'case_sensitive'), truth.request_id;

-- kpi_rows
SELECT inference_log.request_id AS request_id, datediff(microsecond, CAST('1970-01-01' AS TIMESTAMP WITHOUT TIME ZONE), inference_log.predicted_at) AS predicted_at, inference_log.prediction AS prediction, inference_log.score AS score, inference_log.model_version AS model_version, inference_log.status_code AS status_code, inference_log.region AS region, CAST(inference_log.amount AS DOUBLE PRECISION) AS amount, truth.label AS " label", datediff(microsecond, CAST('1970-01-01' AS TIMESTAMP WITHOUT TIME ZONE), truth.labeled_at) AS " arrived_at"
FROM inference_log LEFT OUTER JOIN ground_truth AS truth ON inference_log.request_id = truth.request_id AND collate(inference_log.request_id || '.', 'case_sensitive') = collate(truth.request_id || '.', 'case_sensitive') AND truth.labeled_at IS NOT NULL AND truth.labeled_at < '2026-09-20 00:00:00+00:00'
WHERE inference_log.predicted_at >= '2026-09-01 00:00:00' AND inference_log.predicted_at < '2026-09-02 00:00:00' AND collate(rtrim(inference_log.model_version) || '.', 'case_sensitive') = collate('v1' || '.', 'case_sensitive');
SELECT count(*) AS count_1
FROM (SELECT inference_log.request_id AS request_id, datediff(microsecond, CAST('1970-01-01' AS TIMESTAMP WITHOUT TIME ZONE), inference_log.predicted_at) AS predicted_at, inference_log.prediction AS prediction, inference_log.score AS score, inference_log.model_version AS model_version, inference_log.status_code AS status_code, inference_log.region AS region, CAST(inference_log.amount AS DOUBLE PRECISION) AS amount, truth.label AS " label", datediff(microsecond, CAST('1970-01-01' AS TIMESTAMP WITHOUT TIME ZONE), truth.labeled_at) AS " arrived_at"
FROM inference_log LEFT OUTER JOIN ground_truth AS truth ON inference_log.request_id = truth.request_id AND collate(inference_log.request_id || '.', 'case_sensitive') = collate(truth.request_id || '.', 'case_sensitive') AND truth.labeled_at IS NOT NULL AND truth.labeled_at < '2026-09-20 00:00:00+00:00'
WHERE inference_log.predicted_at >= '2026-09-01 00:00:00' AND inference_log.predicted_at < '2026-09-02 00:00:00' AND collate(rtrim(inference_log.model_version) || '.', 'case_sensitive') = collate('v1' || '.', 'case_sensitive')) AS anon_1;

-- clock
SELECT datediff(microsecond, CAST('1970-01-01' AS TIMESTAMP WITHOUT TIME ZONE), CURRENT_TIMESTAMP) AS datediff_1;

-- survey
SELECT count(*) AS count_1, min(datediff(microsecond, CAST('1970-01-01' AS TIMESTAMP WITHOUT TIME ZONE), inference_log.predicted_at)) AS min_1, max(datediff(microsecond, CAST('1970-01-01' AS TIMESTAMP WITHOUT TIME ZONE), inference_log.predicted_at)) AS max_1
FROM inference_log;
SELECT inference_log.request_id AS request_id, datediff(microsecond, CAST('1970-01-01' AS TIMESTAMP WITHOUT TIME ZONE), inference_log.predicted_at) AS predicted_at, inference_log.model_version AS model_version, inference_log.prediction AS prediction, inference_log.score AS score, inference_log.latency_ms AS latency_ms, inference_log.status_code AS status_code, CAST(inference_log.cost_usd AS DOUBLE PRECISION) AS cost_usd, CAST(inference_log.amount AS DOUBLE PRECISION) AS amount, inference_log.region AS region, inference_log.is_new AS is_new, inference_log.born AS born, inference_log."Order" AS "Order", inference_log.secret AS secret
FROM inference_log
WHERE inference_log.predicted_at >= '2026-09-01 00:00:00' AND inference_log.predicted_at < '2026-09-01 01:12:00'
LIMIT 1000;

-- first_labels
SELECT ground_truth.request_id, datediff(microsecond, CAST('1970-01-01' AS TIMESTAMP WITHOUT TIME ZONE), ground_truth.labeled_at) AS datediff_1
FROM ground_truth
WHERE ground_truth.label IS NOT NULL AND ground_truth.request_id IN ('a', 'b');
