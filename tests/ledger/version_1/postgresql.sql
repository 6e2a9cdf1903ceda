-- The tables of a ledger before it could be upgraded: schema version 1.

CREATE TABLE dag_requests (
    key TEXT NOT NULL,
    monitor TEXT NOT NULL,
    dag TEXT NOT NULL,
    conf JSON NOT NULL,
    requested_at TIMESTAMP WITH TIME ZONE NOT NULL,
    state TEXT NOT NULL,
    started_at TIMESTAMP WITH TIME ZONE,
    note TEXT NOT NULL,
    PRIMARY KEY (key)
);

CREATE INDEX ix_dag_requests_monitor ON dag_requests (monitor);

CREATE TABLE incident_events (
    id BIGSERIAL NOT NULL,
    incident TEXT NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    from_state TEXT,
    to_state TEXT NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (id)
);

CREATE INDEX ix_incident_events_incident ON incident_events (incident);

COMMENT ON TABLE incident_events IS 'Every change of an incident''s state, in the order it was judged.';

CREATE TABLE incidents (
    id TEXT NOT NULL,
    monitor TEXT NOT NULL,
    rule TEXT NOT NULL,
    model_version TEXT NOT NULL,
    segment TEXT NOT NULL,
    feature TEXT NOT NULL,
    severity TEXT NOT NULL,
    state TEXT NOT NULL,
    started TIMESTAMP WITH TIME ZONE NOT NULL,
    ended TIMESTAMP WITH TIME ZONE,
    breaches JSON NOT NULL,
    value DOUBLE PRECISION,
    threshold DOUBLE PRECISION,
    told TEXT,
    reason TEXT NOT NULL,
    changed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (id)
);

CREATE INDEX ix_incidents_monitor ON incidents (monitor);

CREATE TABLE nights (
    monitor TEXT NOT NULL,
    as_of TIMESTAMP WITH TIME ZONE NOT NULL,
    committed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    windows INTEGER NOT NULL,
    PRIMARY KEY (monitor, as_of)
);

CREATE TABLE outbox (
    id BIGSERIAL NOT NULL,
    dedup_key TEXT NOT NULL,
    monitor TEXT NOT NULL,
    cause TEXT NOT NULL,
    recipient TEXT NOT NULL,
    message_id TEXT NOT NULL,
    severity TEXT NOT NULL,
    subject TEXT NOT NULL,
    text TEXT NOT NULL,
    html TEXT NOT NULL,
    png BYTEA,
    state TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    ambiguous INTEGER NOT NULL,
    next_at TIMESTAMP WITH TIME ZONE NOT NULL,
    lease_until TIMESTAMP WITH TIME ZONE,
    last_error TEXT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    sent_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (id),
    UNIQUE (dedup_key)
);

CREATE INDEX ix_outbox_monitor ON outbox (monitor);

CREATE INDEX outbox_due ON outbox (state, next_at);

COMMENT ON TABLE outbox IS 'One row per mail and recipient: a promise made in the transaction that judged.';

CREATE TABLE reports (
    id TEXT NOT NULL,
    monitor TEXT NOT NULL,
    window_start TIMESTAMP WITH TIME ZONE NOT NULL,
    window_end TIMESTAMP WITH TIME ZONE NOT NULL,
    kind TEXT NOT NULL,
    uri TEXT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (id)
);

CREATE INDEX ix_reports_monitor ON reports (monitor);

CREATE TABLE retrain_requests (
    key TEXT NOT NULL,
    monitor TEXT NOT NULL,
    dag TEXT NOT NULL,
    incidents JSON NOT NULL,
    as_of TIMESTAMP WITH TIME ZONE NOT NULL,
    requested_at TIMESTAMP WITH TIME ZONE NOT NULL,
    approval BOOLEAN NOT NULL,
    run_id TEXT NOT NULL,
    state TEXT NOT NULL,
    claimed_by TEXT NOT NULL,
    started_at TIMESTAMP WITH TIME ZONE,
    finished_at TIMESTAMP WITH TIME ZONE,
    note TEXT NOT NULL,
    PRIMARY KEY (key)
);

CREATE INDEX ix_retrain_requests_monitor ON retrain_requests (monitor);

CREATE TABLE schema_version (
    version SERIAL NOT NULL,
    PRIMARY KEY (version)
);

CREATE TABLE verdicts (
    monitor TEXT NOT NULL,
    rule TEXT NOT NULL,
    model_version TEXT NOT NULL,
    segment TEXT NOT NULL,
    feature TEXT NOT NULL,
    window_start TIMESTAMP WITH TIME ZONE NOT NULL,
    window_end TIMESTAMP WITH TIME ZONE NOT NULL,
    as_of TIMESTAMP WITH TIME ZONE NOT NULL,
    due TIMESTAMP WITH TIME ZONE NOT NULL,
    status TEXT NOT NULL,
    value DOUBLE PRECISION,
    threshold DOUBLE PRECISION,
    n BIGINT NOT NULL,
    note TEXT NOT NULL,
    judged_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (monitor, rule, model_version, segment, feature, window_start)
);

CREATE INDEX verdicts_breached ON verdicts (monitor, rule, model_version, segment, feature) WHERE status = 'breach';

CREATE INDEX verdicts_by_window ON verdicts (monitor, window_start);

COMMENT ON TABLE verdicts IS 'The newest verdict of each series and window.';

CREATE TABLE outbox_incidents (
    mail BIGINT NOT NULL,
    incident TEXT NOT NULL,
    state TEXT NOT NULL,
    PRIMARY KEY (mail, incident),
    FOREIGN KEY(mail) REFERENCES outbox (id)
);

CREATE INDEX ix_outbox_incidents_incident ON outbox_incidents (incident);

COMMENT ON TABLE outbox_incidents IS 'Which state of which incident a mail tells.';
