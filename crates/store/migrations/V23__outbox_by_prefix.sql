-- The digits of the recipient, filled up with zeros to 15: those that begin alike lie together.
ALTER TABLE outbox ADD COLUMN digits BIGINT NOT NULL DEFAULT 0;
UPDATE outbox SET digits = CAST(SUBSTR(recipient || '000000000000000', 2, 15) AS BIGINT);
CREATE INDEX outbox_ready_by_digits ON outbox (kind, digits) WHERE state = 'ready';
