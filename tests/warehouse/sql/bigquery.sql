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

-- sample
SELECT `inference_log`.`request_id` AS `request_id`, unix_micros(CAST(`inference_log`.`predicted_at` AS TIMESTAMP)) AS `predicted_at`, `inference_log`.`prediction` AS `prediction`, `inference_log`.`score` AS `score`, `inference_log`.`model_version` AS `model_version`, `inference_log`.`status_code` AS `status_code`, `inference_log`.`region` AS `region`, `inference_log`.`latency_ms` AS `latency_ms`, CAST(`inference_log`.`cost_usd` AS FLOAT64) AS `cost_usd`, CAST(`inference_log`.`amount` AS FLOAT64) AS `amount`, `inference_log`.`is_new` AS `is_new`, `inference_log`.`born` AS `born`, `inference_log`.`Order` AS `Order`
FROM `inference_log`
WHERE `inference_log`.`predicted_at` >= DATETIME '2026-09-01 00:00:00' AND `inference_log`.`predicted_at` < DATETIME '2026-09-02 00:00:00' AND CAST(`inference_log`.`model_version` AS BYTES) = CAST('v1' AS BYTES) AND CAST(`inference_log`.`request_id` AS BYTES) IN (SELECT `placed`.`id`
FROM (SELECT `ids`.`id` AS `id`, row_number() OVER (ORDER BY `ids`.`newest`, `ids`.`id`) - 1 AS `row number`
FROM (SELECT CAST(`inference_log`.`request_id` AS BYTES) AS `id`, max(unix_micros(CAST(`inference_log`.`predicted_at` AS TIMESTAMP))) AS `newest`
FROM `inference_log`
WHERE `inference_log`.`predicted_at` >= DATETIME '2026-09-01 00:00:00' AND `inference_log`.`predicted_at` < DATETIME '2026-09-02 00:00:00' AND CAST(`inference_log`.`model_version` AS BYTES) = CAST('v1' AS BYTES) AND CAST(`inference_log`.`request_id` AS BYTES) IS NOT NULL GROUP BY CAST(`request_id` AS BYTES)) AS `ids`) AS `placed`
WHERE mod(`placed`.`row number`, 5) = 0);

-- counted
SELECT CAST(coalesce(sum(`ids`.`k`), 0) AS INT64) AS `coalesce_1`, CAST(coalesce(sum(CASE WHEN (`ids`.`known` > 0) THEN 1 ELSE `ids`.`k` END), 0) AS INT64) AS `coalesce_2`
FROM (SELECT count(*) AS `k`, count(CAST(`inference_log`.`request_id` AS BYTES)) AS `known`
FROM `inference_log`
WHERE `inference_log`.`predicted_at` >= DATETIME '2026-09-01 00:00:00' AND `inference_log`.`predicted_at` < DATETIME '2026-09-02 00:00:00' AND CAST(`inference_log`.`model_version` AS BYTES) = CAST('v1' AS BYTES) GROUP BY CAST(`request_id` AS BYTES)) AS `ids`;
SELECT min(`asked`.`value`) AS `value`, count(*) AS `n`
FROM (SELECT -1 AS `arm`, 1 AS `served`, `logged`.`region` AS `value`, CAST(`logged`.`region` AS BYTES) AS `grouped`
FROM (SELECT `anon_1`.`region` AS `region`
FROM (SELECT `inference_log`.`region` AS `region`, row_number() OVER (PARTITION BY CAST(`inference_log`.`request_id` AS BYTES) ORDER BY unix_micros(CAST(`inference_log`.`predicted_at` AS TIMESTAMP)) DESC, CASE WHEN (`inference_log`.`prediction` IS NULL) THEN 1 ELSE 0 END, `inference_log`.`prediction`, CASE WHEN (`inference_log`.`score` IS NULL) THEN 1 ELSE 0 END, `inference_log`.`score`, CASE WHEN (`inference_log`.`model_version` IS NULL) THEN 1 ELSE 0 END, CAST(`inference_log`.`model_version` AS BYTES), CASE WHEN (`inference_log`.`status_code` IS NULL) THEN 1 ELSE 0 END, `inference_log`.`status_code`, CASE WHEN (`inference_log`.`region` IS NULL) THEN 1 ELSE 0 END, CAST(`inference_log`.`region` AS BYTES), CASE WHEN (`inference_log`.`latency_ms` IS NULL) THEN 1 ELSE 0 END, `inference_log`.`latency_ms`, CASE WHEN (CAST(`inference_log`.`cost_usd` AS FLOAT64) IS NULL) THEN 1 ELSE 0 END, CAST(`inference_log`.`cost_usd` AS FLOAT64), CASE WHEN (CAST(`inference_log`.`amount` AS FLOAT64) IS NULL) THEN 1 ELSE 0 END, CAST(`inference_log`.`amount` AS FLOAT64), CASE WHEN (`inference_log`.`is_new` IS NULL) THEN 1 ELSE 0 END, `inference_log`.`is_new`, CASE WHEN (`inference_log`.`born` IS NULL) THEN 1 ELSE 0 END, `inference_log`.`born`, CASE WHEN (`inference_log`.`Order` IS NULL) THEN 1 ELSE 0 END, CAST(`inference_log`.`Order` AS BYTES)) AS `row number`, `inference_log`.`request_id` AS `row number id`
FROM `inference_log`
WHERE `inference_log`.`predicted_at` >= DATETIME '2026-09-01 00:00:00' AND `inference_log`.`predicted_at` < DATETIME '2026-09-02 00:00:00' AND CAST(`inference_log`.`model_version` AS BYTES) = CAST('v1' AS BYTES)) AS `anon_1`
WHERE `anon_1`.`row number` = 1 OR `anon_1`.`row number id` IS NULL) AS `logged`) AS `asked` GROUP BY `asked`.`grouped`;
SELECT `asked`.`grouped` AS `value`, count(*) AS `n`
FROM (SELECT -1 AS `arm`, 1 AS `served`, `logged`.`is_new` AS `value`, `logged`.`is_new` AS `grouped`
FROM (SELECT `inference_log`.`is_new` AS `is_new`
FROM `inference_log`
WHERE `inference_log`.`predicted_at` >= DATETIME '2026-09-01 00:00:00' AND `inference_log`.`predicted_at` < DATETIME '2026-09-02 00:00:00' AND CAST(`inference_log`.`model_version` AS BYTES) = CAST('v1' AS BYTES)) AS `logged`) AS `asked` GROUP BY `asked`.`grouped`;
SELECT 0 AS `branch`, `flagged`.`arm`, `flagged`.`grouped` AS `status`, `flagged`.`predicted`, count(*) AS `n`
FROM (SELECT `asked`.`arm` AS `arm`, `asked`.`served` AS `served`, `asked`.`value` AS `value`, `asked`.`grouped` AS `grouped`, `asked`.`said` AS `said`, CASE WHEN (`asked`.`said` IS NOT NULL) THEN 1 ELSE 0 END AS `predicted`
FROM (SELECT CASE WHEN (CAST(`logged`.`model_version` AS BYTES) IN (CAST('v1' AS BYTES))) THEN 0 ELSE -1 END AS `arm`, 1 AS `served`, `logged`.`status_code` AS `value`, `logged`.`status_code` AS `grouped`, `logged`.`prediction` AS `said`
FROM (SELECT `inference_log`.`model_version` AS `model_version`, `inference_log`.`status_code` AS `status_code`, `inference_log`.`prediction` AS `prediction`
FROM `inference_log`
WHERE `inference_log`.`predicted_at` >= DATETIME '2026-09-01 00:00:00' AND `inference_log`.`predicted_at` < DATETIME '2026-09-02 00:00:00' AND CAST(`inference_log`.`model_version` AS BYTES) = CAST('v1' AS BYTES)) AS `logged`) AS `asked`) AS `flagged` GROUP BY `flagged`.`arm`, `flagged`.`grouped`, `flagged`.`predicted`;
SELECT 0 AS `branch`, `parted`.`arm`, 1 AS `served`, `parted`.`place`, count(*) AS `n`, coalesce(sum(`parted`.`plain`), 0.0) AS `total`, var_pop(`parted`.`plain`) AS `variance`, min(`parted`.`v`) AS `low`, max(`parted`.`v`) AS `high`, count(CASE WHEN (`parted`.`plain` = floor(`parted`.`plain`)) THEN 1 END) AS `whole`
FROM (SELECT `stacked`.`arm` AS `arm`, `stacked`.`served` AS `served`, `stacked`.`v` AS `v`, `stacked`.`place` AS `place`, CASE WHEN (`stacked`.`v` BETWEEN -1e+150 AND 1e+150) THEN `stacked`.`v` END AS `plain`
FROM (SELECT `asked`.`arm` AS `arm`, `asked`.`served` AS `served`, `asked`.`v0` AS `v`, 0 + CASE WHEN (NOT (`asked`.`v0` IS NOT NULL AND `asked`.`v0` = `asked`.`v0`)) THEN -1 ELSE CASE WHEN (`asked`.`v0` < 1.5) THEN CASE WHEN (`asked`.`v0` < 0.0) THEN CASE WHEN (`asked`.`v0` < -1.5) THEN 0 ELSE 1 END ELSE 2 END ELSE CASE WHEN (`asked`.`v0` <= 1.7976931348623157e+308) THEN 3 ELSE 4 END END END AS `place`
FROM (SELECT CASE WHEN (CAST(`logged`.`model_version` AS BYTES) IN (CAST('v1' AS BYTES))) THEN 0 ELSE -1 END AS `arm`, 1 AS `served`, CAST(`logged`.`amount` AS FLOAT64) AS `v0`
FROM (SELECT `inference_log`.`model_version` AS `model_version`, CAST(`inference_log`.`amount` AS FLOAT64) AS `amount`
FROM `inference_log`
WHERE `inference_log`.`predicted_at` >= DATETIME '2026-09-01 00:00:00' AND `inference_log`.`predicted_at` < DATETIME '2026-09-02 00:00:00' AND CAST(`inference_log`.`model_version` AS BYTES) = CAST('v1' AS BYTES)) AS `logged`) AS `asked`) AS `stacked`) AS `parted` GROUP BY `parted`.`arm`, `parted`.`place`;
SELECT 1 AS `branch`, `parted`.`arm`, `parted`.`served`, `parted`.`place`, count(*) AS `n`, coalesce(sum(`parted`.`plain`), 0.0) AS `total`, var_pop(`parted`.`plain`) AS `variance`, min(`parted`.`v`) AS `low`, max(`parted`.`v`) AS `high`, count(CASE WHEN (`parted`.`plain` = floor(`parted`.`plain`)) THEN 1 END) AS `whole`
FROM (SELECT `stacked`.`arm` AS `arm`, `stacked`.`served` AS `served`, `stacked`.`v` AS `v`, `stacked`.`place` AS `place`, CASE WHEN (`stacked`.`v` BETWEEN -1e+150 AND 1e+150) THEN `stacked`.`v` END AS `plain`
FROM (SELECT `asked`.`arm` AS `arm`, `asked`.`served` AS `served`, `asked`.`v0` AS `v`, 0 + CASE WHEN (NOT (`asked`.`v0` IS NOT NULL AND `asked`.`v0` = `asked`.`v0`)) THEN -1 ELSE CASE WHEN (`asked`.`arm` = 0) THEN CASE WHEN (`asked`.`v0` < 1.5) THEN CASE WHEN (`asked`.`v0` < 0.0) THEN CASE WHEN (`asked`.`v0` < -1.5) THEN 0 ELSE 1 END ELSE 2 END ELSE CASE WHEN (`asked`.`v0` <= 1.7976931348623157e+308) THEN 3 ELSE 4 END END ELSE 0 END END AS `place`
FROM (SELECT CASE WHEN (CAST(`logged`.`region` AS BYTES) IN (CAST('EU' AS BYTES))) THEN 0 ELSE -1 END AS `arm`, CASE WHEN (`logged`.`status_code` = 200) THEN 1 ELSE 0 END AS `served`, CAST(`logged`.`score` AS FLOAT64) AS `v0`, CAST(`logged`.`amount` AS FLOAT64) AS `v1`
FROM (SELECT `inference_log`.`region` AS `region`, `inference_log`.`status_code` AS `status_code`, `inference_log`.`score` AS `score`, CAST(`inference_log`.`amount` AS FLOAT64) AS `amount`
FROM `inference_log`
WHERE `inference_log`.`predicted_at` >= DATETIME '2026-09-01 00:00:00' AND `inference_log`.`predicted_at` < DATETIME '2026-09-02 00:00:00' AND CAST(`inference_log`.`model_version` AS BYTES) = CAST('v1' AS BYTES)) AS `logged`) AS `asked` UNION ALL SELECT `asked`.`arm` AS `arm`, `asked`.`served` AS `served`, `asked`.`v1` AS `v`, 1000000 + CASE WHEN (NOT (`asked`.`v1` IS NOT NULL AND `asked`.`v1` = `asked`.`v1`)) THEN -1 ELSE CASE WHEN (`asked`.`arm` = 0) THEN CASE WHEN (`asked`.`v1` < 1.5) THEN CASE WHEN (`asked`.`v1` < 0.0) THEN CASE WHEN (`asked`.`v1` < -1.5) THEN 0 ELSE 1 END ELSE 2 END ELSE CASE WHEN (`asked`.`v1` <= 1.7976931348623157e+308) THEN 3 ELSE 4 END END ELSE 0 END END AS `place`
FROM (SELECT CASE WHEN (CAST(`logged`.`region` AS BYTES) IN (CAST('EU' AS BYTES))) THEN 0 ELSE -1 END AS `arm`, CASE WHEN (`logged`.`status_code` = 200) THEN 1 ELSE 0 END AS `served`, CAST(`logged`.`score` AS FLOAT64) AS `v0`, CAST(`logged`.`amount` AS FLOAT64) AS `v1`
FROM (SELECT `inference_log`.`region` AS `region`, `inference_log`.`status_code` AS `status_code`, `inference_log`.`score` AS `score`, CAST(`inference_log`.`amount` AS FLOAT64) AS `amount`
FROM `inference_log`
WHERE `inference_log`.`predicted_at` >= DATETIME '2026-09-01 00:00:00' AND `inference_log`.`predicted_at` < DATETIME '2026-09-02 00:00:00' AND CAST(`inference_log`.`model_version` AS BYTES) = CAST('v1' AS BYTES)) AS `logged`) AS `asked`) AS `stacked`) AS `parted`
WHERE `parted`.`arm` >= 0 GROUP BY `parted`.`arm`, `parted`.`served`, `parted`.`place`;
SELECT 0 AS `branch`, `asked`.`arm`, `asked`.`served`, min(`asked`.`value`) AS `value`, count(*) AS `n`
FROM (SELECT CASE WHEN (CAST(`logged`.`model_version` AS BYTES) IN (CAST('v1' AS BYTES))) THEN 0 ELSE -1 END AS `arm`, 1 AS `served`, `logged`.`Order` AS `value`, CAST(`logged`.`Order` AS BYTES) AS `grouped`
FROM (SELECT `inference_log`.`model_version` AS `model_version`, `inference_log`.`Order` AS `Order`
FROM `inference_log`
WHERE `inference_log`.`predicted_at` >= DATETIME '2026-09-01 00:00:00' AND `inference_log`.`predicted_at` < DATETIME '2026-09-02 00:00:00' AND CAST(`inference_log`.`model_version` AS BYTES) = CAST('v1' AS BYTES)) AS `logged`) AS `asked` GROUP BY `asked`.`arm`, `asked`.`served`, `asked`.`grouped`
LIMIT 10;
SELECT 1 AS `branch`, `asked`.`arm`, `asked`.`served`, min(`asked`.`value`) AS `value`, count(*) AS `n`
FROM (SELECT CASE WHEN (CAST(`logged`.`region` AS BYTES) IN (CAST('EU' AS BYTES))) THEN 0 ELSE -1 END AS `arm`, CASE WHEN (`logged`.`status_code` = 200) THEN 1 ELSE 0 END AS `served`, CASE WHEN (`logged`.`region` IS NULL) THEN NULL WHEN (trim(`logged`.`region`) = '') THEN '' WHEN (CAST(`logged`.`region` AS BYTES) IN (CAST('EU' AS BYTES))) THEN `logged`.`region` ELSE '<other>' END AS `value`, CAST(CASE WHEN (`logged`.`region` IS NULL) THEN NULL WHEN (trim(`logged`.`region`) = '') THEN '' WHEN (CAST(`logged`.`region` AS BYTES) IN (CAST('EU' AS BYTES))) THEN `logged`.`region` ELSE '<other>' END AS BYTES) AS `grouped`
FROM (SELECT `inference_log`.`region` AS `region`, `inference_log`.`status_code` AS `status_code`
FROM `inference_log`
WHERE `inference_log`.`predicted_at` >= DATETIME '2026-09-01 00:00:00' AND `inference_log`.`predicted_at` < DATETIME '2026-09-02 00:00:00' AND CAST(`inference_log`.`model_version` AS BYTES) = CAST('v1' AS BYTES)) AS `logged`) AS `asked`
WHERE `asked`.`arm` >= 0 GROUP BY `asked`.`arm`, `asked`.`served`, `asked`.`grouped`;
SELECT 0 AS `branch`, `ranked`.`arm`, `ranked`.`nth`, `ranked`.`v` AS `value`, `ranked`.`many`
FROM (SELECT `asked`.`arm` AS `arm`, `asked`.`v` AS `v`, row_number() OVER (PARTITION BY `asked`.`arm` ORDER BY `asked`.`v`) - 1 AS `nth`, CAST(count(*) OVER (PARTITION BY `asked`.`arm`) AS INT64) AS `many`
FROM (SELECT CASE WHEN (CAST(`logged`.`region` AS BYTES) IN (CAST('EU' AS BYTES))) THEN 0 ELSE -1 END AS `arm`, 1 AS `served`, CAST(`logged`.`latency_ms` AS FLOAT64) AS `v`
FROM (SELECT `inference_log`.`region` AS `region`, `inference_log`.`latency_ms` AS `latency_ms`
FROM `inference_log`
WHERE `inference_log`.`predicted_at` >= DATETIME '2026-09-01 00:00:00' AND `inference_log`.`predicted_at` < DATETIME '2026-09-02 00:00:00' AND CAST(`inference_log`.`model_version` AS BYTES) = CAST('v1' AS BYTES)) AS `logged`) AS `asked`
WHERE `asked`.`v` IS NOT NULL AND `asked`.`v` = `asked`.`v` AND `asked`.`v` BETWEEN -1.7976931348623157e+308 AND 1.7976931348623157e+308 AND `asked`.`arm` >= 0) AS `ranked`
WHERE abs(`ranked`.`nth` * 100 - (`ranked`.`many` - 1) * 50) < 100 OR abs(`ranked`.`nth` * 100 - (`ranked`.`many` - 1) * 99) < 100;
SELECT `asked`.`v` AS `value`, count(*) AS `n`
FROM (SELECT -1 AS `arm`, 1 AS `served`, CAST(`logged`.`amount` AS FLOAT64) AS `v`
FROM (SELECT CAST(`inference_log`.`amount` AS FLOAT64) AS `amount`
FROM `inference_log`
WHERE `inference_log`.`predicted_at` >= DATETIME '2026-09-01 00:00:00' AND `inference_log`.`predicted_at` < DATETIME '2026-09-02 00:00:00' AND CAST(`inference_log`.`model_version` AS BYTES) = CAST('v1' AS BYTES)) AS `logged`) AS `asked`
WHERE `asked`.`v` IS NOT NULL AND `asked`.`v` = `asked`.`v` AND (`asked`.`v` < -1.0 OR `asked`.`v` > 1.0) GROUP BY `asked`.`v`
HAVING count(*) >= 5;
SELECT min(`moments`.`m`) AS `min_1`, max(`moments`.`m`) AS `max_1`, max(`moments`.`gap`) AS `max_2`
FROM (SELECT `logged`.`row moment` AS `m`, `logged`.`row moment` - max(`logged`.`row moment`) OVER (ORDER BY `logged`.`row moment` ROWS BETWEEN 1 PRECEDING AND 1 PRECEDING) AS `gap`
FROM (SELECT unix_micros(CAST(`inference_log`.`predicted_at` AS TIMESTAMP)) AS `row moment`
FROM `inference_log`
WHERE `inference_log`.`predicted_at` >= DATETIME '2026-09-01 00:00:00' AND `inference_log`.`predicted_at` < DATETIME '2026-09-02 00:00:00' AND CAST(`inference_log`.`model_version` AS BYTES) = CAST('v1' AS BYTES)) AS `logged`) AS `moments`;
SELECT count(*) AS `count_1`
FROM (SELECT CAST(`inference_log`.`cost_usd` AS FLOAT64) AS `cost_usd`, `inference_log`.`model_version` AS `model_version`, `inference_log`.`prediction` AS `prediction`, `inference_log`.`status_code` AS `status_code`
FROM `inference_log`
WHERE `inference_log`.`predicted_at` >= DATETIME '2026-09-01 00:00:00' AND `inference_log`.`predicted_at` < DATETIME '2026-09-02 00:00:00' AND CAST(`inference_log`.`model_version` AS BYTES) = CAST('v1' AS BYTES)) AS `logged`
WHERE CAST(`logged`.`cost_usd` AS FLOAT64) IS NOT NULL AND CAST(`logged`.`cost_usd` AS FLOAT64) = CAST(`logged`.`cost_usd` AS FLOAT64) AND CAST(`logged`.`cost_usd` AS FLOAT64) BETWEEN -1.7976931348623157e+308 AND 1.7976931348623157e+308 AND `logged`.`model_version` IS NOT NULL AND (CASE WHEN (`logged`.`status_code` = 200) THEN 1 ELSE 0 END = 0 OR `logged`.`prediction` IS NOT NULL);

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
