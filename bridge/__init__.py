"""pec-bridge: SMTP and IMAP in front of the PEC Massiva API."""

__version__ = "0.1.0"
