"""Logging in, alike on every protocol: what is said, who is slowed, what the log says.

``sasl`` reads a name and a password from an exchange, ``gate`` has them checked, ``guessing`` slows
who guesses.
"""

from bridge.login.gate import LoginChecker, LoginGate
from bridge.login.guessing import GuessGuard

ADMINISTRATOR_NAME = "admin"
"""By which the administrator logs in to the page; no account's, for those are addresses."""

__all__ = ["ADMINISTRATOR_NAME", "GuessGuard", "LoginChecker", "LoginGate"]
