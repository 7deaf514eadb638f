"""A submission, read in the one way there is, or refused (``field.Unreadable``).

``part`` finds the parts, ``field`` and ``text`` read their fields; ``outline`` tells texts from
files, ``attachment`` and ``tnef`` decode these; ``content`` is what the API takes. ``submission``
has the rules a message must meet before all that, ``lookalike`` sees a header that is none, and
``own_copy`` knows a submission again by its bytes.
"""
