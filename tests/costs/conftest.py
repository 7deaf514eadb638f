"""The same servers as in the tests of each protocol, fed with what costs."""

from __future__ import annotations

from tests.imapserver.conftest import new_rig, rig, store
from tests.smtpserver.conftest import client_tls, serve, served, tls_context

__all__ = ["client_tls", "new_rig", "rig", "serve", "served", "store", "tls_context"]
