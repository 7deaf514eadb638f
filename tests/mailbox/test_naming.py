"""Names of mailboxes: each is one mailbox's alone."""

from __future__ import annotations

import pytest

from bridge.mailbox import Mailboxes, MailboxExists
from bridge.model import (
    AccountId,
    Mailbox,
)


async def test_a_taken_name_is_refused(
    mailboxes: Mailboxes, account: AccountId, trash: Mailbox
) -> None:
    with pytest.raises(MailboxExists):
        await mailboxes.write(lambda transaction: transaction.create(account, "INBOX"))
    with pytest.raises(MailboxExists):
        await mailboxes.write(lambda transaction: transaction.rename(trash.id, "INBOX"))
