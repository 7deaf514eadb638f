"""Evidence of what was sent, as archives that say themselves whether they are whole.

``layout`` has the names, ``manifest`` the list of files with their sums, ``archive`` writes,
``verify`` checks, ``summary`` is what people read. Nothing here reads a store, a clock or the
network; archives are written to and read from streams that the caller opened.
"""
