-- Places that want to hear of events: endpoints, each in its dialect, and the webhooks of numbers. `due_at` is when the first of its
-- deliveries is to be tried, by the environment's clock, and `wake_at` the same by the machine's, as with jobs. One process at a time
-- delivers to a place: `owner`, until `lease_until` by the machine's clock.
CREATE TABLE webhooks (
    id BYTEA PRIMARY KEY,
    environment_id BYTEA NOT NULL REFERENCES environments (id),
    target TEXT NOT NULL,
    url TEXT NOT NULL,
    description TEXT NOT NULL,
    method TEXT NOT NULL,
    events TEXT NOT NULL,
    state TEXT NOT NULL,
    reason TEXT,
    secrets BYTEA NOT NULL,
    failing_since BIGINT,
    places BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    version BIGINT NOT NULL,
    due_at BIGINT,
    wake_at BIGINT,
    owner BYTEA,
    lease_until BIGINT
);
CREATE INDEX webhooks_by_environment ON webhooks (environment_id, id);
CREATE INDEX webhooks_by_wake ON webhooks (wake_at) WHERE state = 'active';
CREATE UNIQUE INDEX webhooks_of_numbers ON webhooks (environment_id, url) WHERE target = 'number';

-- An event on its way to one place. Of those about one object only the first that has not ended is `pending`, the others are `waiting`.
-- `payload` is only set where no row of the event log says what happened.
CREATE TABLE deliveries (
    id BYTEA PRIMARY KEY,
    webhook_id BYTEA NOT NULL REFERENCES webhooks (id),
    environment_id BYTEA NOT NULL,
    event_id BYTEA NOT NULL,
    kind TEXT NOT NULL,
    object TEXT NOT NULL,
    place BIGINT NOT NULL,
    payload TEXT,
    at BIGINT NOT NULL,
    state TEXT NOT NULL,
    due_at BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    finished_at BIGINT
);
CREATE INDEX deliveries_open ON deliveries (webhook_id, object, place) WHERE state IN ('waiting', 'pending');
CREATE INDEX deliveries_due ON deliveries (webhook_id, due_at, place) WHERE state = 'pending';
CREATE INDEX deliveries_by_webhook ON deliveries (webhook_id, id);

CREATE TABLE attempts (
    id BYTEA PRIMARY KEY,
    delivery_id BYTEA NOT NULL REFERENCES deliveries (id),
    number BIGINT NOT NULL,
    url TEXT NOT NULL,
    headers TEXT NOT NULL,
    status BIGINT,
    answer TEXT NOT NULL,
    fault TEXT,
    duration BIGINT NOT NULL,
    at BIGINT NOT NULL
);
CREATE INDEX attempts_by_delivery ON attempts (delivery_id, number, id);

CREATE INDEX event_queue_by_environment ON event_queue (environment_id, event_id);
