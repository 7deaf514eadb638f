"""Work on something large in a process of its own: ``process`` runs it, ``program`` is its inside.

Nothing is imported here: a program is begun anew for each message, and loads little.
"""
