-- The tables of a ledger before it could be upgraded: schema version 1.

CREATE TABLE dag_requests (
    "key" TEXT NOT NULL,
    monitor TEXT NOT NULL,
    dag TEXT NOT NULL,
    conf JSON NOT NULL,
    requested_at DATETIME NOT NULL,
    state TEXT NOT NULL,
    started_at DATETIME,
    note TEXT NOT NULL,
    PRIMARY KEY ("key")
);

CREATE INDEX ix_dag_requests_monitor ON dag_requests (monitor);

CREATE TABLE incident_events (
    id INTEGER NOT NULL,
    incident TEXT NOT NULL,
    at DATETIME NOT NULL,
    from_state TEXT,
    to_state TEXT NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (id)
);

CREATE INDEX ix_incident_events_incident ON incident_events (incident);

CREATE TABLE incidents (
    id TEXT NOT NULL,
    monitor TEXT NOT NULL,
    rule TEXT NOT NULL,
    model_version TEXT NOT NULL,
    segment TEXT NOT NULL,
    feature TEXT NOT NULL,
    severity TEXT NOT NULL,
    state TEXT NOT NULL,
    started DATETIME NOT NULL,
    ended DATETIME,
    breaches JSON NOT NULL,
    value DOUBLE,
    threshold DOUBLE,
    told TEXT,
    reason TEXT NOT NULL,
    changed_at DATETIME NOT NULL,
    PRIMARY KEY (id)
);

CREATE INDEX ix_incidents_monitor ON incidents (monitor);

CREATE TABLE nights (
    monitor TEXT NOT NULL,
    as_of DATETIME NOT NULL,
    committed_at DATETIME NOT NULL,
    windows INTEGER NOT NULL,
    PRIMARY KEY (monitor, as_of)
);

CREATE TABLE outbox (
    id INTEGER NOT NULL,
    dedup_key TEXT NOT NULL,
    monitor TEXT NOT NULL,
    cause TEXT NOT NULL,
    recipient TEXT NOT NULL,
    message_id TEXT NOT NULL,
    severity TEXT NOT NULL,
    subject TEXT NOT NULL,
    text TEXT NOT NULL,
    html TEXT NOT NULL,
    png BLOB,
    state TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    ambiguous INTEGER NOT NULL,
    next_at DATETIME NOT NULL,
    lease_until DATETIME,
    last_error TEXT NOT NULL,
    created_at DATETIME NOT NULL,
    sent_at DATETIME,
    PRIMARY KEY (id),
    UNIQUE (dedup_key)
);

CREATE INDEX ix_outbox_monitor ON outbox (monitor);

CREATE INDEX outbox_due ON outbox (state, next_at);

CREATE TABLE reports (
    id TEXT NOT NULL,
    monitor TEXT NOT NULL,
    window_start DATETIME NOT NULL,
    window_end DATETIME NOT NULL,
    kind TEXT NOT NULL,
    uri TEXT NOT NULL,
    created_at DATETIME NOT NULL,
    PRIMARY KEY (id)
);

CREATE INDEX ix_reports_monitor ON reports (monitor);

CREATE TABLE retrain_requests (
    "key" TEXT NOT NULL,
    monitor TEXT NOT NULL,
    dag TEXT NOT NULL,
    incidents JSON NOT NULL,
    as_of DATETIME NOT NULL,
    requested_at DATETIME NOT NULL,
    approval BOOLEAN NOT NULL,
    run_id TEXT NOT NULL,
    state TEXT NOT NULL,
    claimed_by TEXT NOT NULL,
    started_at DATETIME,
    finished_at DATETIME,
    note TEXT NOT NULL,
    PRIMARY KEY ("key")
);

CREATE INDEX ix_retrain_requests_monitor ON retrain_requests (monitor);

CREATE TABLE schema_version (
    version INTEGER NOT NULL,
    PRIMARY KEY (version)
);

CREATE TABLE verdicts (
    monitor TEXT NOT NULL,
    rule TEXT NOT NULL,
    model_version TEXT NOT NULL,
    segment TEXT NOT NULL,
    feature TEXT NOT NULL,
    window_start DATETIME NOT NULL,
    window_end DATETIME NOT NULL,
    as_of DATETIME NOT NULL,
    due DATETIME NOT NULL,
    status TEXT NOT NULL,
    value DOUBLE,
    threshold DOUBLE,
    n BIGINT NOT NULL,
    note TEXT NOT NULL,
    judged_at DATETIME NOT NULL,
    PRIMARY KEY (monitor, rule, model_version, segment, feature, window_start)
);

CREATE INDEX verdicts_breached ON verdicts (monitor, rule, model_version, segment, feature) WHERE status = 'breach';

CREATE INDEX verdicts_by_window ON verdicts (monitor, window_start);

CREATE TABLE outbox_incidents (
    mail INTEGER NOT NULL,
    incident TEXT NOT NULL,
    state TEXT NOT NULL,
    PRIMARY KEY (mail, incident),
    FOREIGN KEY(mail) REFERENCES outbox (id)
);

CREATE INDEX ix_outbox_incidents_incident ON outbox_incidents (incident);
