"""Mail texts: read for SMTP and IMAP, written for IMAP.

Pure: bytes in, values out; no I/O, no clock. Imports nothing of the bridge but ``model``.
"""
