"""The page for people, and what it stands on: HTTP, who may ask, who has logged in.

``listener`` accepts connections and keeps strangers within limits, ``guard`` looks at every request
before anything else does, ``session`` knows who has logged in, ``app`` puts routes together. What
is shown and done are the operations of the command line (``operations.table``), asked for by name.
"""
