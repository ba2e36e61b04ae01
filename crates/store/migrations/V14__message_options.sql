-- Whose messages are, by property; when one that was asked for later is sent; which message a reply answers; and in `options`, as JSON,
-- what else its sender wanted of it.
ALTER TABLE messages ADD COLUMN property_id BYTEA;
ALTER TABLE messages ADD COLUMN scheduled_at BIGINT;
ALTER TABLE messages ADD COLUMN reply_to BYTEA;
ALTER TABLE messages ADD COLUMN options TEXT;
UPDATE messages SET property_id = environment_id;
CREATE INDEX messages_by_property ON messages (property_id, state, created_at, id);
CREATE INDEX messages_scheduled ON messages (environment_id, scheduled_at) WHERE state = 'scheduled';

-- Senders that are lent: while a row is there, what the recipient writes to the number answers the message. Both numbers are digits
-- without `+`. The row goes when the environment's clock passes `expires_at`.
CREATE TABLE leases (
    kind TEXT NOT NULL,
    recipient BIGINT NOT NULL,
    number BIGINT NOT NULL,
    environment_id BYTEA NOT NULL REFERENCES environments (id),
    message_id BYTEA NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (kind, recipient, number)
);
CREATE INDEX leases_by_end ON leases (environment_id, expires_at);

-- The places that messages themselves name: one row for each host and method; the deliveries say where on that host they go.
CREATE UNIQUE INDEX webhooks_of_messages ON webhooks (environment_id, url, method) WHERE target = 'message';
