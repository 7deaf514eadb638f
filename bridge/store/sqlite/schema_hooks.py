"""Tables of hooks.

``head`` is 1 for the first delivery that waits in its lane, so that what is due is found by an
index, however much waits behind it. A delivery also goes with its event, and then the next in its
lane is the head.
"""

HOOKS = """
ALTER TABLE event ADD COLUMN alarm_key TEXT NOT NULL DEFAULT '';
CREATE INDEX event_alarm ON event (number) WHERE kind IN ('alarm', 'alarm_ended');

CREATE TABLE hook (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    account INTEGER REFERENCES account (id),
    name TEXT NOT NULL,
    cursor INTEGER NOT NULL,
    failures INTEGER NOT NULL,
    failed_at INTEGER,
    until INTEGER,
    waited_s INTEGER NOT NULL,
    error TEXT NOT NULL,
    delivered INTEGER NOT NULL,
    failed INTEGER NOT NULL,
    died INTEGER NOT NULL,
    succeeded_at INTEGER,
    left_at INTEGER
) STRICT;
CREATE UNIQUE INDEX hook_identity ON hook (coalesce(account, 0), name);

CREATE TABLE delivery (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    hook INTEGER NOT NULL REFERENCES hook (id) ON DELETE CASCADE,
    event INTEGER NOT NULL REFERENCES event (number) ON DELETE CASCADE,
    lane TEXT NOT NULL,
    name TEXT NOT NULL,
    gives_up_s INTEGER NOT NULL,
    since INTEGER NOT NULL,
    state TEXT NOT NULL,
    tries INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    error TEXT NOT NULL,
    died_at INTEGER,
    head INTEGER NOT NULL
) STRICT;
CREATE INDEX delivery_event ON delivery (event);
CREATE INDEX delivery_state ON delivery (hook, state, since);
CREATE INDEX delivery_lane ON delivery (hook, lane, event) WHERE state = 'waiting';
CREATE INDEX delivery_due ON delivery (hook, due_at, event) WHERE head = 1;
CREATE INDEX delivery_fresh ON delivery (hook, event) WHERE head = 1 AND tries = 0;
CREATE INDEX delivery_given_up ON delivery (hook, gives_up_s) WHERE state = 'waiting';

CREATE TRIGGER delivery_gone AFTER DELETE ON delivery WHEN old.head = 1
BEGIN
    UPDATE delivery SET head = 1 WHERE id = (
        SELECT id FROM delivery WHERE hook = old.hook AND lane = old.lane AND state = 'waiting'
        ORDER BY event LIMIT 1
    );
END;

CREATE TABLE alarms_out (
    way TEXT PRIMARY KEY,
    cursor INTEGER NOT NULL,
    day TEXT NOT NULL,
    sent INTEGER NOT NULL,
    next_at INTEGER,
    failures INTEGER NOT NULL,
    error TEXT NOT NULL,
    sent_at INTEGER,
    left_at INTEGER
) STRICT, WITHOUT ROWID;
"""
