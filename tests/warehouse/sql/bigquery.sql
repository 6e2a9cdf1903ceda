-- collect
SELECT `inference_log`.`request_id` AS `request_id`, unix_micros(CAST(`inference_log`.`predicted_at` AS TIMESTAMP)) AS `predicted_at`, `inference_log`.`prediction` AS `prediction`, `inference_log`.`score` AS `score`, `inference_log`.`model_version` AS `model_version`, `inference_log`.`status_code` AS `status_code`, `inference_log`.`region` AS `region`, `inference_log`.`latency_ms` AS `latency_ms`, CAST(`inference_log`.`cost_usd` AS FLOAT64) AS `cost_usd`, CAST(`inference_log`.`amount` AS FLOAT64) AS `amount`, `inference_log`.`is_new` AS `is_new`, `inference_log`.`born` AS `born`, `inference_log`.`Order` AS `Order`
FROM `inference_log`
WHERE `inference_log`.`predicted_at` >= DATETIME '2026-09-01 00:00:00' AND `inference_log`.`predicted_at` < DATETIME '2026-09-02 00:00:00' AND CAST(`inference_log`.`model_version` AS BYTES) = CAST('v1' AS BYTES);

-- volumes
SELECT 0 AS `anon_1`, (count(DISTINCT CAST(`inference_log`.`request_id` AS BYTES)) + count(*)) - count(CAST(`inference_log`.`request_id` AS BYTES)) AS `anon_2`
FROM `inference_log`
WHERE `inference_log`.`predicted_at` >= DATETIME '2026-09-01 00:00:00' AND `inference_log`.`predicted_at` < DATETIME '2026-09-02 00:00:00' AND CAST(`inference_log`.`model_version` AS BYTES) = CAST('v1' AS BYTES);

-- strangers
SELECT count(*) AS `count_1`, count(`inference_log`.`secret`) AS `count_2`
FROM `inference_log`
WHERE `inference_log`.`predicted_at` >= DATETIME '2026-09-01 00:00:00' AND `inference_log`.`predicted_at` < DATETIME '2026-09-02 00:00:00' AND CAST(`inference_log`.`model_version` AS BYTES) = CAST('v1' AS BYTES);
SELECT count(*) AS `count_1`, count(`inference_log`.`secret`) AS `count_2`
FROM `inference_log`
WHERE `inference_log`.`predicted_at` >= DATETIME '2026-08-04 00:00:00' AND `inference_log`.`predicted_at` < DATETIME '2026-09-01 00:00:00' AND CAST(`inference_log`.`model_version` AS BYTES) = CAST('v1' AS BYTES);

-- misdated
SELECT count(*) AS `count_1`, max(unix_micros(CAST(`inference_log`.`predicted_at` AS TIMESTAMP))) AS `max_1`
FROM `inference_log`
WHERE `inference_log`.`predicted_at` IS NOT NULL AND `inference_log`.`predicted_at` >= DATETIME '2026-09-20 00:00:00' AND CAST(`inference_log`.`model_version` AS BYTES) = CAST('v1' AS BYTES);
SELECT count(*) AS `count_1`, max(unix_micros(CAST(`inference_log`.`predicted_at` AS TIMESTAMP))) AS `max_1`
FROM `inference_log`
WHERE (`inference_log`.`predicted_at` IS NULL OR `inference_log`.`predicted_at` IS NOT NULL AND `inference_log`.`predicted_at` < DATETIME '1970-01-02 00:00:00') AND CAST(`inference_log`.`model_version` AS BYTES) = CAST('v1' AS BYTES);

-- first_timestamp
SELECT min(unix_micros(CAST(`inference_log`.`predicted_at` AS TIMESTAMP))) AS `min_1`
FROM `inference_log`
WHERE `inference_log`.`predicted_at` IS NOT NULL AND CAST(`inference_log`.`model_version` AS BYTES) = CAST('v1' AS BYTES);

-- logged_between
SELECT min(unix_micros(CAST(`inference_log`.`predicted_at` AS TIMESTAMP))) AS `min_1`, max(unix_micros(CAST(`inference_log`.`predicted_at` AS TIMESTAMP))) AS `max_1`
FROM `inference_log`
WHERE `inference_log`.`predicted_at` >= DATETIME '1970-01-02 00:00:00' AND `inference_log`.`predicted_at` < DATETIME '2026-09-20 00:00:00' AND CAST(`inference_log`.`model_version` AS BYTES) = CAST('v1' AS BYTES);

-- labelled
SELECT count(DISTINCT CAST(`truth`.`request_id` AS BYTES)) AS `count_1`
FROM `ground_truth` AS `truth`
WHERE `truth`.`labeled_at` >= CAST(DATETIME '2026-09-01 00:00:00' AS TIMESTAMP) AND `truth`.`labeled_at` < CAST(DATETIME '2026-09-02 00:00:00' AS TIMESTAMP) AND NOT (EXISTS (SELECT 1 AS `anon_1`
FROM `inference_log`
WHERE `inference_log`.`request_id` = `truth`.`request_id` AND CAST(`inference_log`.`request_id` AS BYTES) = CAST(`truth`.`request_id` AS BYTES)));
SELECT `inference_log`.`request_id` AS `request_id`, unix_micros(CAST(`inference_log`.`predicted_at` AS TIMESTAMP)) AS `predicted_at`, `inference_log`.`prediction` AS `prediction`, `inference_log`.`score` AS `score`, `inference_log`.`model_version` AS `model_version`, `inference_log`.`status_code` AS `status_code`, `inference_log`.`region` AS `region`, `truth`.`label` AS `_ label`, unix_micros(CAST(`truth`.`labeled_at` AS TIMESTAMP)) AS `_ arrived_at`
FROM `inference_log` LEFT OUTER JOIN `ground_truth` AS `truth` ON `inference_log`.`request_id` = `truth`.`request_id` AND CAST(`inference_log`.`request_id` AS BYTES) = CAST(`truth`.`request_id` AS BYTES) AND (`truth`.`labeled_at` IS NOT NULL AND `truth`.`labeled_at` < CAST(DATETIME '2026-09-20 00:00:00' AS TIMESTAMP) OR `truth`.`labeled_at` IS NULL)
WHERE `inference_log`.`predicted_at` >= DATETIME '2026-09-01 00:00:00' AND `inference_log`.`predicted_at` < DATETIME '2026-09-02 00:00:00' AND CAST(`inference_log`.`model_version` AS BYTES) = CAST('v1' AS BYTES);

-- duplicates
SELECT sum(`anon_1`.`again`) AS `sum_1`
FROM (SELECT count(`truth`.`label`) - count(DISTINCT `truth`.`label`) AS `again`
FROM `ground_truth` AS `truth`
WHERE `truth`.`labeled_at` IS NOT NULL AND `truth`.`labeled_at` < CAST(DATETIME '2026-09-20 00:00:00' AS TIMESTAMP) AND (EXISTS (SELECT 1 AS `anon_2`
FROM `inference_log`
WHERE `inference_log`.`request_id` = `truth`.`request_id` AND CAST(`inference_log`.`request_id` AS BYTES) = CAST(`truth`.`request_id` AS BYTES) AND `inference_log`.`predicted_at` >= DATETIME '2026-09-01 00:00:00' AND `inference_log`.`predicted_at` < DATETIME '2026-09-02 00:00:00' AND CAST(`inference_log`.`model_version` AS BYTES) = CAST('v1' AS BYTES))) GROUP BY CAST(`truth`.`request_id` AS BYTES)) AS `anon_1`;

-- touched
SELECT DISTINCT unix_micros(CAST(`inference_log`.`predicted_at` AS TIMESTAMP)) - mod(mod(unix_micros(CAST(`inference_log`.`predicted_at` AS TIMESTAMP)) - 345600000000, 86400000000) + 86400000000, 86400000000) AS `anon_1`
FROM `inference_log` JOIN `ground_truth` AS `truth` ON `inference_log`.`request_id` = `truth`.`request_id` AND CAST(`inference_log`.`request_id` AS BYTES) = CAST(`truth`.`request_id` AS BYTES)
WHERE `inference_log`.`predicted_at` IS NOT NULL AND CAST(`inference_log`.`model_version` AS BYTES) = CAST('v1' AS BYTES) AND `truth`.`labeled_at` >= CAST(DATETIME '2026-09-02 00:00:00' AS TIMESTAMP) AND `truth`.`labeled_at` < CAST(DATETIME '2026-09-03 00:00:00' AS TIMESTAMP);

-- labels_now
SELECT `inference_log`.`request_id` AS `request_id`, `truth`.`label` AS `_ label`
FROM `inference_log` JOIN `ground_truth` AS `truth` ON `inference_log`.`request_id` = `truth`.`request_id` AND CAST(`inference_log`.`request_id` AS BYTES) = CAST(`truth`.`request_id` AS BYTES)
WHERE `inference_log`.`predicted_at` >= DATETIME '2026-09-01 00:00:00' AND `inference_log`.`predicted_at` < DATETIME '2026-09-02 00:00:00' AND CAST(`inference_log`.`model_version` AS BYTES) = CAST('v1' AS BYTES);

-- newest_unmatched
SELECT `anon_1`.`shown`, CASE WHEN (EXISTS (SELECT 1 AS `anon_3`
FROM `inference_log`
WHERE `inference_log`.`request_id` = `anon_1`.`id` AND CAST(`inference_log`.`request_id` AS BYTES) = CAST(`anon_1`.`id` AS BYTES))) THEN 1 ELSE 0 END AS `anon_2`
FROM (SELECT `truth`.`request_id` AS `id`, `truth`.`request_id` AS `shown`
FROM `ground_truth` AS `truth`
WHERE `truth`.`labeled_at` >= CAST(DATETIME '2026-09-11 00:00:00' AS TIMESTAMP) AND `truth`.`labeled_at` < CAST(DATETIME '2026-09-20 00:00:00' AS TIMESTAMP) AND `truth`.`request_id` IS NOT NULL ORDER BY `truth`.`labeled_at` DESC, `truth`.`request_id`
LIMIT 200) AS `anon_1`;
SELECT `inference_log`.`request_id`
FROM `inference_log`
WHERE `inference_log`.`predicted_at` >= DATETIME '2026-09-11 00:00:00' AND `inference_log`.`predicted_at` < DATETIME '2026-09-20 00:00:00' AND CAST(`inference_log`.`model_version` AS BYTES) = CAST('v1' AS BYTES) AND `inference_log`.`request_id` IS NOT NULL AND NOT (EXISTS (SELECT 1 AS `anon_1`
FROM `ground_truth` AS `truth`
WHERE `inference_log`.`request_id` = `truth`.`request_id` AND CAST(`inference_log`.`request_id` AS BYTES) = CAST(`truth`.`request_id` AS BYTES) AND `truth`.`labeled_at` IS NOT NULL AND `truth`.`labeled_at` < CAST(DATETIME '2026-09-20 00:00:00' AS TIMESTAMP))) ORDER BY `inference_log`.`request_id`
LIMIT 200;
SELECT `inference_log`.`request_id`
FROM `inference_log`
WHERE `inference_log`.`request_id` IN ('0A1B2C3D-0000-4000-8000-000000000000', '0A1B2C3D-0000-4000-8000-000000000001', '0A1B2C3D-0000-4000-8000-000000000002', '0A1B2C3D-0000-4000-8000-000000000003', '0A1B2C3D-0000-4000-8000-000000000004', '0A1B2C3D-0000-4000-8000-000000000005') AND NOT (EXISTS (SELECT 1 AS `anon_1`
FROM `ground_truth` AS `truth`
WHERE `inference_log`.`request_id` = `truth`.`request_id` AND CAST(`inference_log`.`request_id` AS BYTES) = CAST(`truth`.`request_id` AS BYTES) AND `truth`.`labeled_at` IS NOT NULL AND `truth`.`labeled_at` < CAST(DATETIME '2026-09-20 00:00:00' AS TIMESTAMP))) GROUP BY CAST(`inference_log`.`request_id` AS BYTES), `inference_log`.`request_id`;
SELECT `truth`.`request_id`
FROM `ground_truth` AS `truth`
WHERE `truth`.`request_id` IN ('0A1B2C3D-0000-4000-8000-000000000000', '0A1B2C3D-0000-4000-8000-000000000001', '0A1B2C3D-0000-4000-8000-000000000002', '0A1B2C3D-0000-4000-8000-000000000003', '0A1B2C3D-0000-4000-8000-000000000004', '0A1B2C3D-0000-4000-8000-000000000005') AND `truth`.`labeled_at` IS NOT NULL AND `truth`.`labeled_at` < CAST(DATETIME '2026-09-20 00:00:00' AS TIMESTAMP) AND NOT (EXISTS (SELECT 1 AS `anon_1`
FROM `inference_log`
WHERE `inference_log`.`request_id` = `truth`.`request_id` AND CAST(`inference_log`.`request_id` AS BYTES) = CAST(`truth`.`request_id` AS BYTES))) GROUP BY CAST(`truth`.`request_id` AS BYTES), `truth`.`request_id`;

-- respelt_labels
SELECT `inference_log`.`request_id`
FROM `inference_log`
WHERE `inference_log`.`predicted_at` >= DATETIME '2026-09-01 00:00:00' AND `inference_log`.`predicted_at` < DATETIME '2026-09-02 00:00:00' AND CAST(`inference_log`.`model_version` AS BYTES) = CAST('v1' AS BYTES) AND `inference_log`.`request_id` IS NOT NULL AND NOT (EXISTS (SELECT 1 AS `anon_1`
FROM `ground_truth` AS `truth`
WHERE `inference_log`.`request_id` = `truth`.`request_id` AND CAST(`inference_log`.`request_id` AS BYTES) = CAST(`truth`.`request_id` AS BYTES) AND `truth`.`labeled_at` IS NOT NULL AND `truth`.`labeled_at` < CAST(DATETIME '2026-09-03 00:00:00' AS TIMESTAMP))) ORDER BY `inference_log`.`request_id`
LIMIT 200;
SELECT `truth`.`request_id`
FROM `ground_truth` AS `truth`
WHERE `truth`.`request_id` IN ('0A1B2C3D-0000-4000-8000-000000000000', '0A1B2C3D-0000-4000-8000-000000000001', '0A1B2C3D-0000-4000-8000-000000000002', '0A1B2C3D-0000-4000-8000-000000000003', '0A1B2C3D-0000-4000-8000-000000000004', '0A1B2C3D-0000-4000-8000-000000000005') AND `truth`.`labeled_at` >= CAST(DATETIME '2026-09-02 00:00:00' AS TIMESTAMP) AND `truth`.`labeled_at` < CAST(DATETIME '2026-09-03 00:00:00' AS TIMESTAMP) AND NOT (EXISTS (SELECT 1 AS `anon_1`
FROM `inference_log`
WHERE `inference_log`.`request_id` = `truth`.`request_id` AND CAST(`inference_log`.`request_id` AS BYTES) = CAST(`truth`.`request_id` AS BYTES))) GROUP BY CAST(`truth`.`request_id` AS BYTES), `truth`.`request_id`;

-- kpi_rows
SELECT `inference_log`.`request_id` AS `request_id`, unix_micros(CAST(`inference_log`.`predicted_at` AS TIMESTAMP)) AS `predicted_at`, `inference_log`.`prediction` AS `prediction`, `inference_log`.`score` AS `score`, `inference_log`.`model_version` AS `model_version`, `inference_log`.`status_code` AS `status_code`, `inference_log`.`region` AS `region`, CAST(`inference_log`.`amount` AS FLOAT64) AS `amount`, `truth`.`label` AS `_ label`, unix_micros(CAST(`truth`.`labeled_at` AS TIMESTAMP)) AS `_ arrived_at`
FROM `inference_log` LEFT OUTER JOIN `ground_truth` AS `truth` ON `inference_log`.`request_id` = `truth`.`request_id` AND CAST(`inference_log`.`request_id` AS BYTES) = CAST(`truth`.`request_id` AS BYTES) AND `truth`.`labeled_at` IS NOT NULL AND `truth`.`labeled_at` < CAST(DATETIME '2026-09-20 00:00:00' AS TIMESTAMP)
WHERE `inference_log`.`predicted_at` >= DATETIME '2026-09-01 00:00:00' AND `inference_log`.`predicted_at` < DATETIME '2026-09-02 00:00:00' AND CAST(`inference_log`.`model_version` AS BYTES) = CAST('v1' AS BYTES);

-- clock
SELECT unix_micros(CAST(CURRENT_TIMESTAMP AS TIMESTAMP)) AS `unix_micros_1`;

-- survey
SELECT count(*) AS `count_1`, min(unix_micros(CAST(`inference_log`.`predicted_at` AS TIMESTAMP))) AS `min_1`, max(unix_micros(CAST(`inference_log`.`predicted_at` AS TIMESTAMP))) AS `max_1`
FROM `inference_log`;
SELECT `inference_log`.`request_id` AS `request_id`, unix_micros(CAST(`inference_log`.`predicted_at` AS TIMESTAMP)) AS `predicted_at`, `inference_log`.`model_version` AS `model_version`, `inference_log`.`prediction` AS `prediction`, `inference_log`.`score` AS `score`, `inference_log`.`latency_ms` AS `latency_ms`, `inference_log`.`status_code` AS `status_code`, CAST(`inference_log`.`cost_usd` AS FLOAT64) AS `cost_usd`, CAST(`inference_log`.`amount` AS FLOAT64) AS `amount`, `inference_log`.`region` AS `region`, `inference_log`.`is_new` AS `is_new`, `inference_log`.`born` AS `born`, `inference_log`.`Order` AS `Order`, `inference_log`.`secret` AS `secret`
FROM `inference_log`
WHERE `inference_log`.`predicted_at` >= DATETIME '2026-09-01 00:00:00' AND `inference_log`.`predicted_at` < DATETIME '2026-09-01 01:12:00'
LIMIT 1000;

-- first_labels
SELECT `ground_truth`.`request_id`, unix_micros(CAST(`ground_truth`.`labeled_at` AS TIMESTAMP)) AS `unix_micros_1`
FROM `ground_truth`
WHERE `ground_truth`.`label` IS NOT NULL AND `ground_truth`.`request_id` IN ('a', 'b');
