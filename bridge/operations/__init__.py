"""What the command line can ask for: each operation by its name, on whatever bridge there is.

The same code answers a command through the control socket of a running bridge and, when none
runs, in the command's own process. Results are what JSON can say, in the shapes that the command
line promises; times are RFC 3339 in UTC. Nothing here waits for the API unless its name says so.

Failure: ``OperationFailed`` with a sentence, also for errors of the API and of the store.

Nothing is imported here: ``control``, which every command needs, is not to bring the API's client.
"""
