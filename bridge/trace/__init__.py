"""What clients, servers and the API say to each other, written down while somebody asks for it.

Passwords never come in: what is written of a client's words is made of what the parsers understood,
with the commands that log in by their names alone, and nothing that was not understood
(``words``). Nothing is recorded unless a trace is on, and each ends by itself (``tracing``).
"""
