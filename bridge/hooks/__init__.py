"""Hooks: programs elsewhere that are told what happens, by HTTP or by a command.

``dealing`` reads the event log and writes down what each hook is to be told; ``runner`` tells it, a
task for each hook. What a try leads to is ``schedule``, over the table in ``states``; ``signature``
signs. These three are pure. ``post``, ``program`` and ``mail`` are the ways out; ``digest`` and
``alarmsout`` tell alarms.

Nothing here changes a message, an entry or a mailbox, and nobody waits for anything here.
"""
