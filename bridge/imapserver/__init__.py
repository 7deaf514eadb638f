"""The IMAP server: sessions over mailboxes, and the connections that carry them."""
