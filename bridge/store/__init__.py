"""What must survive: mailboxes, messages, the outbox, the API's rows. Interfaces, then SQLite."""
