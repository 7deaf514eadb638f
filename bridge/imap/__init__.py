"""The grammar of IMAP: bytes to commands and responses to bytes, with no I/O."""
