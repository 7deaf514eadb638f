"""One bridge at a time on a database that several could reach.

Two that follow the same inboxes and send the same queue would do all of it twice. On a file a lock
keeps the second one out; a database may be reached from anywhere, and a lock there ends with its
connection while the process goes on. So the one that works beats in the store. Another hears the
beat and does not begin; where none is heard for ``LAPSES_S`` of its own seconds, it begins a new
*term*. Nobody compares two machines' clocks.

The old one may be alive all the same: a process can be stopped anywhere, and go on later. So each
write proves its term in its own transaction (``fenced``), and nothing is asked of the API that was
not written down before. What it had asked by then stands as after a crash: ``uncertain``.
"""
