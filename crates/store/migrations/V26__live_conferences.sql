-- The PIN as it can be sent to those who are invited: sealed.
ALTER TABLE conferences ADD COLUMN sealed_pin BYTEA;

-- A call that ends takes its participant along.
CREATE INDEX participants_by_call ON participants (call_id) WHERE call_id IS NOT NULL;

-- Those who take part, or are to, whoever did before.
CREATE INDEX participants_present ON participants (conference_id, id) WHERE left_at IS NULL;
