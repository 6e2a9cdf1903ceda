-- collect
SELECT inference_log.request_id AS request_id, datediff_big(microsecond, '1970-01-01', inference_log.predicted_at) AS predicted_at, inference_log.prediction AS prediction, inference_log.score AS score, rtrim(inference_log.model_version) AS model_version, inference_log.status_code AS status_code, inference_log.region AS region, inference_log.latency_ms AS latency_ms, CAST(inference_log.cost_usd AS DOUBLE PRECISION) AS cost_usd, CAST(inference_log.amount AS DOUBLE PRECISION) AS amount, inference_log.is_new AS is_new, inference_log.born AS born, inference_log.[Order] AS [Order]
FROM inference_log
WHERE inference_log.predicted_at >= CAST('2026-09-01T00:00:00.000000' AS DATETIME2) AND inference_log.predicted_at < CAST('2026-09-02T00:00:00.000000' AS DATETIME2) AND CAST(CAST(rtrim(inference_log.model_version) AS NVARCHAR(4000)) AS VARBINARY(8000)) = CAST(CAST('v1' AS NVARCHAR(4000)) AS VARBINARY(8000));
SELECT count(*) AS count_1
FROM (SELECT inference_log.request_id AS request_id, datediff_big(microsecond, '1970-01-01', inference_log.predicted_at) AS predicted_at, inference_log.prediction AS prediction, inference_log.score AS score, rtrim(inference_log.model_version) AS model_version, inference_log.status_code AS status_code, inference_log.region AS region, inference_log.latency_ms AS latency_ms, CAST(inference_log.cost_usd AS DOUBLE PRECISION) AS cost_usd, CAST(inference_log.amount AS DOUBLE PRECISION) AS amount, inference_log.is_new AS is_new, inference_log.born AS born, inference_log.[Order] AS [Order]
FROM inference_log
WHERE inference_log.predicted_at >= CAST('2026-09-01T00:00:00.000000' AS DATETIME2) AND inference_log.predicted_at < CAST('2026-09-02T00:00:00.000000' AS DATETIME2) AND CAST(CAST(rtrim(inference_log.model_version) AS NVARCHAR(4000)) AS VARBINARY(8000)) = CAST(CAST('v1' AS NVARCHAR(4000)) AS VARBINARY(8000))) AS anon_1;

-- volumes
SELECT 0 AS anon_1, (count(DISTINCT CAST(CAST(inference_log.request_id AS NVARCHAR(4000)) AS VARBINARY(8000))) + count(*)) - count(CAST(CAST(inference_log.request_id AS NVARCHAR(4000)) AS VARBINARY(8000))) AS anon_2
FROM inference_log
WHERE inference_log.predicted_at >= CAST('2026-09-01T00:00:00.000000' AS DATETIME2) AND inference_log.predicted_at < CAST('2026-09-02T00:00:00.000000' AS DATETIME2) AND CAST(CAST(rtrim(inference_log.model_version) AS NVARCHAR(4000)) AS VARBINARY(8000)) = CAST(CAST('v1' AS NVARCHAR(4000)) AS VARBINARY(8000));

-- strangers
SELECT count(*) AS count_1, count(inference_log.secret) AS count_2
FROM inference_log
WHERE inference_log.predicted_at >= CAST('2026-09-01T00:00:00.000000' AS DATETIME2) AND inference_log.predicted_at < CAST('2026-09-02T00:00:00.000000' AS DATETIME2) AND CAST(CAST(rtrim(inference_log.model_version) AS NVARCHAR(4000)) AS VARBINARY(8000)) = CAST(CAST('v1' AS NVARCHAR(4000)) AS VARBINARY(8000));
SELECT count(*) AS count_1, count(inference_log.secret) AS count_2
FROM inference_log
WHERE inference_log.predicted_at >= CAST('2026-08-04T00:00:00.000000' AS DATETIME2) AND inference_log.predicted_at < CAST('2026-09-01T00:00:00.000000' AS DATETIME2) AND CAST(CAST(rtrim(inference_log.model_version) AS NVARCHAR(4000)) AS VARBINARY(8000)) = CAST(CAST('v1' AS NVARCHAR(4000)) AS VARBINARY(8000));

-- misdated
SELECT count(*) AS count_1, max(datediff_big(microsecond, '1970-01-01', inference_log.predicted_at)) AS max_1
FROM inference_log
WHERE inference_log.predicted_at IS NOT NULL AND inference_log.predicted_at >= CAST('2026-09-20T00:00:00.000000' AS DATETIME2) AND CAST(CAST(rtrim(inference_log.model_version) AS NVARCHAR(4000)) AS VARBINARY(8000)) = CAST(CAST('v1' AS NVARCHAR(4000)) AS VARBINARY(8000));
SELECT count(*) AS count_1, max(datediff_big(microsecond, '1970-01-01', inference_log.predicted_at)) AS max_1
FROM inference_log
WHERE (inference_log.predicted_at IS NULL OR inference_log.predicted_at IS NOT NULL AND inference_log.predicted_at < CAST('1970-01-02T00:00:00.000000' AS DATETIME2)) AND CAST(CAST(rtrim(inference_log.model_version) AS NVARCHAR(4000)) AS VARBINARY(8000)) = CAST(CAST('v1' AS NVARCHAR(4000)) AS VARBINARY(8000));

-- first_timestamp
SELECT min(datediff_big(microsecond, '1970-01-01', inference_log.predicted_at)) AS min_1
FROM inference_log
WHERE inference_log.predicted_at IS NOT NULL AND CAST(CAST(rtrim(inference_log.model_version) AS NVARCHAR(4000)) AS VARBINARY(8000)) = CAST(CAST('v1' AS NVARCHAR(4000)) AS VARBINARY(8000));

-- logged_between
SELECT min(datediff_big(microsecond, '1970-01-01', inference_log.predicted_at)) AS min_1, max(datediff_big(microsecond, '1970-01-01', inference_log.predicted_at)) AS max_1
FROM inference_log
WHERE inference_log.predicted_at >= CAST('1970-01-02T00:00:00.000000' AS DATETIME2) AND inference_log.predicted_at < CAST('2026-09-20T00:00:00.000000' AS DATETIME2) AND CAST(CAST(rtrim(inference_log.model_version) AS NVARCHAR(4000)) AS VARBINARY(8000)) = CAST(CAST('v1' AS NVARCHAR(4000)) AS VARBINARY(8000));

-- labelled
SELECT count(DISTINCT CAST(CAST(truth.request_id AS NVARCHAR(4000)) AS VARBINARY(8000))) AS count_1
FROM ground_truth AS truth
WHERE truth.labeled_at >= todatetimeoffset(CAST('2026-09-01T00:00:00.000000' AS DATETIME2), '+00:00') AND truth.labeled_at < todatetimeoffset(CAST('2026-09-02T00:00:00.000000' AS DATETIME2), '+00:00') AND NOT (EXISTS (SELECT 1 AS anon_1
FROM inference_log
WHERE inference_log.request_id = truth.request_id AND CAST(CAST(inference_log.request_id AS NVARCHAR(4000)) AS VARBINARY(8000)) = CAST(CAST(truth.request_id AS NVARCHAR(4000)) AS VARBINARY(8000))));
SELECT inference_log.request_id AS request_id, datediff_big(microsecond, '1970-01-01', inference_log.predicted_at) AS predicted_at, inference_log.prediction AS prediction, inference_log.score AS score, rtrim(inference_log.model_version) AS model_version, inference_log.status_code AS status_code, inference_log.region AS region, truth.label AS [ label], datediff_big(microsecond, '1970-01-01', truth.labeled_at) AS [ arrived_at]
FROM inference_log LEFT OUTER JOIN ground_truth AS truth ON inference_log.request_id = truth.request_id AND CAST(CAST(inference_log.request_id AS NVARCHAR(4000)) AS VARBINARY(8000)) = CAST(CAST(truth.request_id AS NVARCHAR(4000)) AS VARBINARY(8000)) AND (truth.labeled_at IS NOT NULL AND truth.labeled_at < todatetimeoffset(CAST('2026-09-20T00:00:00.000000' AS DATETIME2), '+00:00') OR truth.labeled_at IS NULL)
WHERE inference_log.predicted_at >= CAST('2026-09-01T00:00:00.000000' AS DATETIME2) AND inference_log.predicted_at < CAST('2026-09-02T00:00:00.000000' AS DATETIME2) AND CAST(CAST(rtrim(inference_log.model_version) AS NVARCHAR(4000)) AS VARBINARY(8000)) = CAST(CAST('v1' AS NVARCHAR(4000)) AS VARBINARY(8000));
SELECT count(*) AS count_1
FROM (SELECT inference_log.request_id AS request_id, datediff_big(microsecond, '1970-01-01', inference_log.predicted_at) AS predicted_at, inference_log.prediction AS prediction, inference_log.score AS score, rtrim(inference_log.model_version) AS model_version, inference_log.status_code AS status_code, inference_log.region AS region, truth.label AS [ label], datediff_big(microsecond, '1970-01-01', truth.labeled_at) AS [ arrived_at]
FROM inference_log LEFT OUTER JOIN ground_truth AS truth ON inference_log.request_id = truth.request_id AND CAST(CAST(inference_log.request_id AS NVARCHAR(4000)) AS VARBINARY(8000)) = CAST(CAST(truth.request_id AS NVARCHAR(4000)) AS VARBINARY(8000)) AND (truth.labeled_at IS NOT NULL AND truth.labeled_at < todatetimeoffset(CAST('2026-09-20T00:00:00.000000' AS DATETIME2), '+00:00') OR truth.labeled_at IS NULL)
WHERE inference_log.predicted_at >= CAST('2026-09-01T00:00:00.000000' AS DATETIME2) AND inference_log.predicted_at < CAST('2026-09-02T00:00:00.000000' AS DATETIME2) AND CAST(CAST(rtrim(inference_log.model_version) AS NVARCHAR(4000)) AS VARBINARY(8000)) = CAST(CAST('v1' AS NVARCHAR(4000)) AS VARBINARY(8000))) AS anon_1;

-- duplicates
SELECT sum(anon_1.again) AS sum_1
FROM (SELECT count(truth.label) - count(DISTINCT truth.label) AS again
FROM ground_truth AS truth
WHERE truth.labeled_at IS NOT NULL AND truth.labeled_at < todatetimeoffset(CAST('2026-09-20T00:00:00.000000' AS DATETIME2), '+00:00') AND (EXISTS (SELECT 1 AS anon_2
FROM inference_log
WHERE inference_log.request_id = truth.request_id AND CAST(CAST(inference_log.request_id AS NVARCHAR(4000)) AS VARBINARY(8000)) = CAST(CAST(truth.request_id AS NVARCHAR(4000)) AS VARBINARY(8000)) AND inference_log.predicted_at >= CAST('2026-09-01T00:00:00.000000' AS DATETIME2) AND inference_log.predicted_at < CAST('2026-09-02T00:00:00.000000' AS DATETIME2) AND CAST(CAST(rtrim(inference_log.model_version) AS NVARCHAR(4000)) AS VARBINARY(8000)) = CAST(CAST('v1' AS NVARCHAR(4000)) AS VARBINARY(8000)))) GROUP BY CAST(CAST(truth.request_id AS NVARCHAR(4000)) AS VARBINARY(8000))) AS anon_1;

-- touched
SELECT DISTINCT datediff_big(microsecond, '1970-01-01', inference_log.predicted_at) - ((datediff_big(microsecond, '1970-01-01', inference_log.predicted_at) - 345600000000) % 86400000000 + 86400000000) % 86400000000 AS anon_1
FROM inference_log JOIN ground_truth AS truth ON inference_log.request_id = truth.request_id AND CAST(CAST(inference_log.request_id AS NVARCHAR(4000)) AS VARBINARY(8000)) = CAST(CAST(truth.request_id AS NVARCHAR(4000)) AS VARBINARY(8000))
WHERE inference_log.predicted_at IS NOT NULL AND CAST(CAST(rtrim(inference_log.model_version) AS NVARCHAR(4000)) AS VARBINARY(8000)) = CAST(CAST('v1' AS NVARCHAR(4000)) AS VARBINARY(8000)) AND truth.labeled_at >= todatetimeoffset(CAST('2026-09-02T00:00:00.000000' AS DATETIME2), '+00:00') AND truth.labeled_at < todatetimeoffset(CAST('2026-09-03T00:00:00.000000' AS DATETIME2), '+00:00');

-- labels_now
SELECT inference_log.request_id AS request_id, truth.label AS [ label]
FROM inference_log JOIN ground_truth AS truth ON inference_log.request_id = truth.request_id AND CAST(CAST(inference_log.request_id AS NVARCHAR(4000)) AS VARBINARY(8000)) = CAST(CAST(truth.request_id AS NVARCHAR(4000)) AS VARBINARY(8000))
WHERE inference_log.predicted_at >= CAST('2026-09-01T00:00:00.000000' AS DATETIME2) AND inference_log.predicted_at < CAST('2026-09-02T00:00:00.000000' AS DATETIME2) AND CAST(CAST(rtrim(inference_log.model_version) AS NVARCHAR(4000)) AS VARBINARY(8000)) = CAST(CAST('v1' AS NVARCHAR(4000)) AS VARBINARY(8000));
SELECT count(*) AS count_1
FROM (SELECT inference_log.request_id AS request_id, truth.label AS [ label]
FROM inference_log JOIN ground_truth AS truth ON inference_log.request_id = truth.request_id AND CAST(CAST(inference_log.request_id AS NVARCHAR(4000)) AS VARBINARY(8000)) = CAST(CAST(truth.request_id AS NVARCHAR(4000)) AS VARBINARY(8000))
WHERE inference_log.predicted_at >= CAST('2026-09-01T00:00:00.000000' AS DATETIME2) AND inference_log.predicted_at < CAST('2026-09-02T00:00:00.000000' AS DATETIME2) AND CAST(CAST(rtrim(inference_log.model_version) AS NVARCHAR(4000)) AS VARBINARY(8000)) = CAST(CAST('v1' AS NVARCHAR(4000)) AS VARBINARY(8000))) AS anon_1;

-- newest_unmatched
SELECT anon_1.shown, CASE WHEN (EXISTS (SELECT 1 AS anon_3
FROM inference_log
WHERE inference_log.request_id = anon_1.id AND CAST(CAST(inference_log.request_id AS NVARCHAR(4000)) AS VARBINARY(8000)) = CAST(CAST(anon_1.id AS NVARCHAR(4000)) AS VARBINARY(8000)))) THEN 1 ELSE 0 END AS anon_2
FROM (SELECT TOP 200 truth.request_id AS id, truth.request_id AS shown
FROM ground_truth AS truth
WHERE truth.labeled_at >= todatetimeoffset(CAST('2026-09-11T00:00:00.000000' AS DATETIME2), '+00:00') AND truth.labeled_at < todatetimeoffset(CAST('2026-09-20T00:00:00.000000' AS DATETIME2), '+00:00') AND truth.request_id IS NOT NULL ORDER BY truth.labeled_at DESC, truth.request_id) AS anon_1;
SELECT TOP 200 inference_log.request_id
FROM inference_log
WHERE inference_log.predicted_at >= CAST('2026-09-11T00:00:00.000000' AS DATETIME2) AND inference_log.predicted_at < CAST('2026-09-20T00:00:00.000000' AS DATETIME2) AND CAST(CAST(rtrim(inference_log.model_version) AS NVARCHAR(4000)) AS VARBINARY(8000)) = CAST(CAST('v1' AS NVARCHAR(4000)) AS VARBINARY(8000)) AND inference_log.request_id IS NOT NULL AND NOT (EXISTS (SELECT 1 AS anon_1
FROM ground_truth AS truth
WHERE inference_log.request_id = truth.request_id AND CAST(CAST(inference_log.request_id AS NVARCHAR(4000)) AS VARBINARY(8000)) = CAST(CAST(truth.request_id AS NVARCHAR(4000)) AS VARBINARY(8000)) AND truth.labeled_at IS NOT NULL AND truth.labeled_at < todatetimeoffset(CAST('2026-09-20T00:00:00.000000' AS DATETIME2), '+00:00'))) ORDER BY inference_log.request_id;
SELECT inference_log.request_id
FROM inference_log
WHERE inference_log.request_id IN ('0A1B2C3D-0000-4000-8000-000000000000', '0A1B2C3D-0000-4000-8000-000000000001', '0A1B2C3D-0000-4000-8000-000000000002', '0A1B2C3D-0000-4000-8000-000000000003', '0A1B2C3D-0000-4000-8000-000000000004', '0A1B2C3D-0000-4000-8000-000000000005') AND NOT (EXISTS (SELECT 1 AS anon_1
FROM ground_truth AS truth
WHERE inference_log.request_id = truth.request_id AND CAST(CAST(inference_log.request_id AS NVARCHAR(4000)) AS VARBINARY(8000)) = CAST(CAST(truth.request_id AS NVARCHAR(4000)) AS VARBINARY(8000)) AND truth.labeled_at IS NOT NULL AND truth.labeled_at < todatetimeoffset(CAST('2026-09-20T00:00:00.000000' AS DATETIME2), '+00:00'))) GROUP BY CAST(CAST(inference_log.request_id AS NVARCHAR(4000)) AS VARBINARY(8000)), inference_log.request_id;
SELECT truth.request_id
FROM ground_truth AS truth
WHERE truth.request_id IN ('0A1B2C3D-0000-4000-8000-000000000000', '0A1B2C3D-0000-4000-8000-000000000001', '0A1B2C3D-0000-4000-8000-000000000002', '0A1B2C3D-0000-4000-8000-000000000003', '0A1B2C3D-0000-4000-8000-000000000004', '0A1B2C3D-0000-4000-8000-000000000005') AND truth.labeled_at IS NOT NULL AND truth.labeled_at < todatetimeoffset(CAST('2026-09-20T00:00:00.000000' AS DATETIME2), '+00:00') AND NOT (EXISTS (SELECT 1 AS anon_1
FROM inference_log
WHERE inference_log.request_id = truth.request_id AND CAST(CAST(inference_log.request_id AS NVARCHAR(4000)) AS VARBINARY(8000)) = CAST(CAST(truth.request_id AS NVARCHAR(4000)) AS VARBINARY(8000)))) GROUP BY CAST(CAST(truth.request_id AS NVARCHAR(4000)) AS VARBINARY(8000)), truth.request_id;

-- respelt_labels
SELECT TOP 200 inference_log.request_id
FROM inference_log
WHERE inference_log.predicted_at >= CAST('2026-09-01T00:00:00.000000' AS DATETIME2) AND inference_log.predicted_at < CAST('2026-09-02T00:00:00.000000' AS DATETIME2) AND CAST(CAST(rtrim(inference_log.model_version) AS NVARCHAR(4000)) AS VARBINARY(8000)) = CAST(CAST('v1' AS NVARCHAR(4000)) AS VARBINARY(8000)) AND inference_log.request_id IS NOT NULL AND NOT (EXISTS (SELECT 1 AS anon_1
FROM ground_truth AS truth
WHERE inference_log.request_id = truth.request_id AND CAST(CAST(inference_log.request_id AS NVARCHAR(4000)) AS VARBINARY(8000)) = CAST(CAST(truth.request_id AS NVARCHAR(4000)) AS VARBINARY(8000)) AND truth.labeled_at IS NOT NULL AND truth.labeled_at < todatetimeoffset(CAST('2026-09-03T00:00:00.000000' AS DATETIME2), '+00:00'))) ORDER BY inference_log.request_id;
SELECT truth.request_id
FROM ground_truth AS truth
WHERE truth.request_id IN ('0A1B2C3D-0000-4000-8000-000000000000', '0A1B2C3D-0000-4000-8000-000000000001', '0A1B2C3D-0000-4000-8000-000000000002', '0A1B2C3D-0000-4000-8000-000000000003', '0A1B2C3D-0000-4000-8000-000000000004', '0A1B2C3D-0000-4000-8000-000000000005') AND truth.labeled_at >= todatetimeoffset(CAST('2026-09-02T00:00:00.000000' AS DATETIME2), '+00:00') AND truth.labeled_at < todatetimeoffset(CAST('2026-09-03T00:00:00.000000' AS DATETIME2), '+00:00') AND NOT (EXISTS (SELECT 1 AS anon_1
FROM inference_log
WHERE inference_log.request_id = truth.request_id AND CAST(CAST(inference_log.request_id AS NVARCHAR(4000)) AS VARBINARY(8000)) = CAST(CAST(truth.request_id AS NVARCHAR(4000)) AS VARBINARY(8000)))) GROUP BY CAST(CAST(truth.request_id AS NVARCHAR(4000)) AS VARBINARY(8000)), truth.request_id;

-- kpi_rows
SELECT inference_log.request_id AS request_id, datediff_big(microsecond, '1970-01-01', inference_log.predicted_at) AS predicted_at, inference_log.prediction AS prediction, inference_log.score AS score, rtrim(inference_log.model_version) AS model_version, inference_log.status_code AS status_code, inference_log.region AS region, CAST(inference_log.amount AS DOUBLE PRECISION) AS amount, truth.label AS [ label], datediff_big(microsecond, '1970-01-01', truth.labeled_at) AS [ arrived_at]
FROM inference_log LEFT OUTER JOIN ground_truth AS truth ON inference_log.request_id = truth.request_id AND CAST(CAST(inference_log.request_id AS NVARCHAR(4000)) AS VARBINARY(8000)) = CAST(CAST(truth.request_id AS NVARCHAR(4000)) AS VARBINARY(8000)) AND truth.labeled_at IS NOT NULL AND truth.labeled_at < todatetimeoffset(CAST('2026-09-20T00:00:00.000000' AS DATETIME2), '+00:00')
WHERE inference_log.predicted_at >= CAST('2026-09-01T00:00:00.000000' AS DATETIME2) AND inference_log.predicted_at < CAST('2026-09-02T00:00:00.000000' AS DATETIME2) AND CAST(CAST(rtrim(inference_log.model_version) AS NVARCHAR(4000)) AS VARBINARY(8000)) = CAST(CAST('v1' AS NVARCHAR(4000)) AS VARBINARY(8000));
SELECT count(*) AS count_1
FROM (SELECT inference_log.request_id AS request_id, datediff_big(microsecond, '1970-01-01', inference_log.predicted_at) AS predicted_at, inference_log.prediction AS prediction, inference_log.score AS score, rtrim(inference_log.model_version) AS model_version, inference_log.status_code AS status_code, inference_log.region AS region, CAST(inference_log.amount AS DOUBLE PRECISION) AS amount, truth.label AS [ label], datediff_big(microsecond, '1970-01-01', truth.labeled_at) AS [ arrived_at]
FROM inference_log LEFT OUTER JOIN ground_truth AS truth ON inference_log.request_id = truth.request_id AND CAST(CAST(inference_log.request_id AS NVARCHAR(4000)) AS VARBINARY(8000)) = CAST(CAST(truth.request_id AS NVARCHAR(4000)) AS VARBINARY(8000)) AND truth.labeled_at IS NOT NULL AND truth.labeled_at < todatetimeoffset(CAST('2026-09-20T00:00:00.000000' AS DATETIME2), '+00:00')
WHERE inference_log.predicted_at >= CAST('2026-09-01T00:00:00.000000' AS DATETIME2) AND inference_log.predicted_at < CAST('2026-09-02T00:00:00.000000' AS DATETIME2) AND CAST(CAST(rtrim(inference_log.model_version) AS NVARCHAR(4000)) AS VARBINARY(8000)) = CAST(CAST('v1' AS NVARCHAR(4000)) AS VARBINARY(8000))) AS anon_1;

-- clock
SELECT datediff_big(microsecond, '1970-01-01', sysutcdatetime()) AS datediff_big_1;

-- survey
SELECT count(*) AS count_1, min(datediff_big(microsecond, '1970-01-01', inference_log.predicted_at)) AS min_1, max(datediff_big(microsecond, '1970-01-01', inference_log.predicted_at)) AS max_1
FROM inference_log;
SELECT TOP 1000 inference_log.request_id AS request_id, datediff_big(microsecond, '1970-01-01', inference_log.predicted_at) AS predicted_at, rtrim(inference_log.model_version) AS model_version, inference_log.prediction AS prediction, inference_log.score AS score, inference_log.latency_ms AS latency_ms, inference_log.status_code AS status_code, CAST(inference_log.cost_usd AS DOUBLE PRECISION) AS cost_usd, CAST(inference_log.amount AS DOUBLE PRECISION) AS amount, inference_log.region AS region, inference_log.is_new AS is_new, inference_log.born AS born, inference_log.[Order] AS [Order], inference_log.secret AS secret
FROM inference_log
WHERE inference_log.predicted_at >= CAST('2026-09-01T00:00:00.000000' AS DATETIME2) AND inference_log.predicted_at < CAST('2026-09-01T01:12:00.000000' AS DATETIME2);

-- first_labels
SELECT ground_truth.request_id, datediff_big(microsecond, '1970-01-01', ground_truth.labeled_at) AS datediff_big_1
FROM ground_truth
WHERE ground_truth.label IS NOT NULL AND ground_truth.request_id IN ('a', 'b');
