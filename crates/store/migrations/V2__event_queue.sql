-- Events that somebody wants to hear of and that are not handed to deliveries yet. A row is written with its event, so that none which
-- commits late is missed.
CREATE TABLE event_queue (
    event_id BYTEA PRIMARY KEY,
    environment_id BYTEA NOT NULL
);

-- Whether events of an environment are put into the queue at all.
ALTER TABLE environments ADD COLUMN has_webhooks BOOLEAN NOT NULL DEFAULT FALSE;
