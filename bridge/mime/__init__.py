"""Mail texts: read for SMTP and IMAP, written for IMAP.

There are two parsers, because a message is read for two ends that exclude each other. What
arrived is shown: IMAP's client must see the parts, headers and sizes that it would see anywhere
else, however broken the message, so ``lenient`` refuses nothing and gives the reading of the most
widespread server, Dovecot, fault by fault. What a client submits is taken apart and sent on as a
legal act in another form: there a likely reading is not enough, for the recipient's program may
have another one, so ``strict`` refuses what can be read in two ways, and finds parts by their
exact bytes. One parser with a switch would have to be both at every step; of the two, neither
imports the other, and they share only what both read alike (``grammar``).

- ``grammar``: header blocks, words, addresses, transfer encodings: what both parsers read alike.
- ``html``: plain text as HTML and back, and HTML made fit to travel alone.
- ``row``: what the API writes of a message (sender, recipients, body), as names, addresses, text.
- ``lenient``: any message, read as Dovecot does, and its structure as IMAP shows it.
- ``strict``: a submission, read in the one way there is or refused; the rules it must meet.
- ``ingest``: all that IMAP can ask of a message (texts, sort keys, preview), worked out once.
- ``write``: messages made here: rows of the API's inbox as mail, and bounces.

Pure: bytes in, values out; no I/O, no clock. Imports nothing of the bridge but ``charset`` and
``limits``.
"""
