"""The composition root: builds everything, starts it in order, stops it in reverse.

Only this package knows every part, and only it picks the database. ``core`` is what works on the
data of one ``data_dir`` (store, mailboxes, API clients, operations); ``bridge`` adds listeners and
background work to it. A command that finds no bridge running uses a ``Core`` of its own, under
the same lock (``alone``).
"""
