from __future__ import annotations

from tests.mailbox.conftest import account, mailboxes, store

__all__ = ["account", "mailboxes", "store"]
