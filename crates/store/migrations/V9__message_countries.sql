-- The countries that an account's messages may go to, separated by spaces; empty for all.
ALTER TABLE accounts ADD COLUMN message_countries TEXT NOT NULL DEFAULT '';
