"""The composition root: builds everything, starts it in order, stops it in reverse.

Only this package knows every part, and only it picks the database. ``resources`` holds what works
on the data of one ``data_dir`` (store, mailboxes, API clients); ``bridge`` adds listeners and
background work. A command that finds no bridge running has ``Resources`` of its own, under the
same lock (``standalone``).
"""
