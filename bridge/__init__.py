"""pec-bridge: SMTP and IMAP in front of the PEC Massiva API."""
