-- Which claim took a message: one whose answer the process did not get is looked for by this.
ALTER TABLE outbox ADD COLUMN claim BYTEA;
