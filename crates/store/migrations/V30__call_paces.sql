-- Calls that began, by the second of the machine's clock: the pace of an environment's calls is counted here instead of over the calls.
-- Seconds that no longer count go as others come.
CREATE TABLE call_paces (
    environment_id BYTEA NOT NULL,
    second BIGINT NOT NULL,
    begun BIGINT NOT NULL,
    PRIMARY KEY (environment_id, second)
);

DROP INDEX live_calls_by_begin;
DROP INDEX call_outcomes_by_begin;
CREATE INDEX live_calls_by_held ON live_calls (environment_id, held);
