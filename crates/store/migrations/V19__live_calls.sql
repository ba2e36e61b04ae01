-- What an operator set for an environment's calls, where that differs from what is usual.
CREATE TABLE calling_policies (
    environment_id BYTEA PRIMARY KEY REFERENCES environments (id),
    policy TEXT NOT NULL
);

-- Calls that go on. `begun_at` and `answered_at` are by the machine's clock, `started_at` by the environment's.
CREATE TABLE live_calls (
    id BYTEA PRIMARY KEY,
    environment_id BYTEA NOT NULL REFERENCES environments (id),
    property_id BYTEA NOT NULL,
    node BYTEA NOT NULL,
    phase TEXT NOT NULL,
    direction TEXT NOT NULL,
    caller TEXT NOT NULL,
    callee BIGINT NOT NULL,
    endpoint BIGINT,
    trunk_in BYTEA,
    trunk_out BYTEA,
    device_id BYTEA,
    started_at BIGINT NOT NULL,
    begun_at BIGINT NOT NULL,
    answered_at BIGINT,
    longest BIGINT NOT NULL,
    granted BIGINT NOT NULL,
    held BIGINT NOT NULL,
    holds BIGINT NOT NULL,
    tariff TEXT NOT NULL,
    detail TEXT NOT NULL
);
CREATE INDEX live_calls_by_environment ON live_calls (environment_id, started_at, id);
CREATE INDEX live_calls_by_begin ON live_calls (environment_id, begun_at);
CREATE INDEX live_calls_by_node ON live_calls (node, id);

-- Processes that carry calls, and until when each is known to be there.
CREATE TABLE voice_nodes (
    node BYTEA PRIMARY KEY,
    seen_at BIGINT NOT NULL,
    alive_until BIGINT NOT NULL
);

-- What is known of calls that are over beside their records in `calls`. `day` is the day of the environment's clock on which a call was
-- closed: that of its terminal event and of its captures.
CREATE TABLE call_outcomes (
    id BYTEA PRIMARY KEY,
    environment_id BYTEA NOT NULL REFERENCES environments (id),
    name TEXT NOT NULL,
    day BIGINT NOT NULL,
    begun_at BIGINT NOT NULL,
    reason TEXT NOT NULL,
    sip BIGINT NOT NULL,
    q850 BIGINT NOT NULL,
    cost BIGINT NOT NULL,
    device_id BYTEA,
    trunk_in BYTEA,
    trunk_out BYTEA,
    quality TEXT,
    detail TEXT NOT NULL
);
CREATE INDEX call_outcomes_by_day ON call_outcomes (environment_id, day, id);
CREATE INDEX call_outcomes_by_begin ON call_outcomes (environment_id, begun_at);

-- How many calls an environment began and closed on a day of its clock, and what they cost. `begun` is of the day of the beginning.
CREATE TABLE call_days (
    environment_id BYTEA NOT NULL,
    day BIGINT NOT NULL,
    begun BIGINT NOT NULL,
    closed BIGINT NOT NULL,
    cost BIGINT NOT NULL,
    PRIMARY KEY (environment_id, day)
);

-- The holds that were placed for a call.
CREATE TABLE call_holds (
    call_id BYTEA NOT NULL,
    hold_id BYTEA NOT NULL,
    PRIMARY KEY (call_id, hold_id)
);
