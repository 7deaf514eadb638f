"""Submission by SMTP: who may send, what may be sent, and ``250`` once it is on disk.

``server`` listens, ``connection`` is the protocol on top of aiosmtpd and ``session`` the commands
of a submission; ``data`` reads a message's bytes, ``path`` the arguments of MAIL and RCPT,
``reply`` writes replies, ``delivery`` answers for a whole message. Nothing here knows the API; it
hands over to ``bridge.outbox``.
"""
