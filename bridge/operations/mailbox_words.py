"""What a mailbox's state means, what comes next, and its lines in the configuration. Pure."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from bridge.api.mailbox_schema import HostedMailbox, MailboxState
from bridge.clock import rfc3339
from bridge.language import say
from bridge.registration import values


@dataclass(frozen=True, slots=True)
class Meaning:
    """A state in words; ``next`` is what to do, with ``{id}`` for the mailbox's."""

    words: str
    next: str
    is_end: bool = False


MEANINGS: dict[MailboxState, Meaning] = {
    MailboxState.REGISTERED: Meaning(
        say("registered; waits for the signed form"),
        say(
            "`pec-bridge mailbox form {id} -o form.pdf`, sign it, then `pec-bridge "
            "mailbox activate {id} --join form.pdf identity.pdf`"
        ),
    ),
    MailboxState.IN_PROGRESS: Meaning(
        say("the documents are being looked at, about a working day"),
        say("`pec-bridge mailbox watch {id}`"),
    ),
    MailboxState.ACTIVE: Meaning(say("active"), "", is_end=True),
    MailboxState.WRONG_DOCUMENTS: Meaning(
        say("the documents were turned away"),
        say(
            "check that form and identity document are readable, signed and in one "
            "PDF, then `pec-bridge mailbox activate {id} F.pdf` again"
        ),
        is_end=True,
    ),
    MailboxState.REVOKED: Meaning(
        say("revoked or expired: it neither sends nor receives"),
        say("`pec-bridge mailbox renew {id}` takes it up again"),
        is_end=True,
    ),
    MailboxState.CLOSED: Meaning(say("closed for good"), "", is_end=True),
    MailboxState.CANCELLED: Meaning(
        say("the registration was cancelled"), say("register it again"), is_end=True
    ),
    MailboxState.UNKNOWN: Meaning(say("in a state that this version does not know"), ""),
}


def facts(mailbox: HostedMailbox) -> dict[str, Any]:
    """Return what a list says of a mailbox."""
    meaning = MEANINGS[mailbox.state]
    return {
        "id": mailbox.id,
        "address": mailbox.address,
        "kind": mailbox.kind,
        "state": mailbox.state_text,
        "state_words": meaning.words,
        "is_active": mailbox.state is MailboxState.ACTIVE,
        "is_end": meaning.is_end,
        "owner": mailbox.owner,
        "registered_at": rfc3339(mailbox.registered_at),
        "expires_on": mailbox.expires_on and mailbox.expires_on.isoformat(),
        "next": say(meaning.next, id=mailbox.id) if meaning.next else None,
    }


def whole_facts(mailbox: HostedMailbox) -> dict[str, Any]:
    """Return all that is known of a mailbox."""
    return {
        **facts(mailbox),
        "domain": mailbox.domain,
        "applicant": mailbox.applicant,
        "holder": mailbox.holder or None,
        "user_id": mailbox.user_id or None,
        "fulfilled_at": rfc3339(mailbox.fulfilled_at),
        "revoked_at": rfc3339(mailbox.revoked_at),
        "renews_itself": mailbox.renews_itself,
        "callback_url": mailbox.callback_url or None,
        "disk_space": mailbox.disk_space,
        "history_space": mailbox.history_space,
        "archive_space": mailbox.archive_space,
        "documents": list(mailbox.documents),
        "users": [
            {
                "id": user.id,
                "name": f"{user.name} {user.surname}".strip(),
                "description": user.description,
                "email": user.email,
                "login": user.login,
            }
            for user in mailbox.users
        ],
    }


def account_lines(address: str, folder: PurePath) -> str | None:
    """Return what to write into the configuration for a mailbox, and how its secret gets there.

    None for what is no plain address: the lines are copied into a file and a shell.
    """
    try:
        box = values.box(address)
    except ValueError:
        return None
    place = folder / f"{box.partition('@')[0]}.password"
    quoted = shlex.quote(str(place))
    return f"""\
# Add to the configuration:
[[account]]
address = {json.dumps(box)}
password = {{ file = {json.dumps(str(place))} }}

# The password is the one that was set for the mailbox (the service wrote to the applicant's
# e-mail). Put it there so that nobody else reads it, then start the bridge again:
#   install -m 0600 /dev/null {quoted}
#   read -rs P && printf '%s\\n' "$P" > {quoted}; unset P
"""
