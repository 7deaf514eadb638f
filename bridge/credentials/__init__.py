"""Secrets: found where the settings say, never shown, compared in constant time.

``Secret`` masks itself in every text form; ``source`` finds secrets; ``local`` makes passwords for
mail programs and keeps no more of them than tells them again; ``Authenticator`` tells who logs in.
It needs nothing but the settings, so logins work with the API down.
"""

from bridge.credentials.authenticator import Authenticator, Login
from bridge.credentials.secret import Secret, SecretFault
from bridge.credentials.signing import signing_key
from bridge.credentials.source import (
    AccountSecrets,
    ReceiverSecrets,
    Secrets,
    missing,
    resolve,
    resolve_all,
)

__all__ = [
    "AccountSecrets",
    "Authenticator",
    "Login",
    "ReceiverSecrets",
    "Secret",
    "SecretFault",
    "Secrets",
    "missing",
    "resolve",
    "resolve_all",
    "signing_key",
]
