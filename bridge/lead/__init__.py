"""Several bridges on one store: one leads, and does what must be done by one alone.

That is all that asks the API or decides by itself: sync, dispatch, reconciliation, alarms, hooks.
Mail programs and submissions are served by each. The bridge that leads says so by a beat in the
store. Whoever sees no beat for ``LAPSES_S`` of its own seconds begins a new *term*; nobody compares
two machines' clocks. One that could not be heard for ``STEPS_DOWN_S`` has ended its work by then.

It may not have: a process can be stopped anywhere, and go on later. So every write of that work
proves its term in its own transaction (``fenced``). What it has asked of the API meanwhile stands
as after a crash: ``uncertain``, for whoever leads.
"""
