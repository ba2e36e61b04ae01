-- The SMSC that a message which is taken goes through: what may have been submitted there goes nowhere else. None for what an older
-- version took.
ALTER TABLE outbox ADD COLUMN smsc_id BYTEA;
