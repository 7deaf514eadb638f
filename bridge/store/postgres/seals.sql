-- A session of the page holds as long as its account's passwords are those it was begun by.

ALTER TABLE web_session ADD COLUMN seal bytea NOT NULL DEFAULT '';
