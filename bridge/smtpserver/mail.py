"""One mail transaction as far as it has come, and what MAIL and RCPT may say (RFC 5321 §3.3).

What they say of notifications is read in ``dsn``.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from bridge.language import say
from bridge.mime.grammar.addr_spec import comparable, tidied
from bridge.mime.strict.rules import SubmissionFault
from bridge.model import AccountId
from bridge.smtpserver.dsn import wish_of
from bridge.smtpserver.path import Path, PathFault, parse_path
from bridge.store.dsn import NO_WISH, DsnWish

BODY_KINDS = frozenset({"7BIT", "8BITMIME"})
MAIL_PARAMETERS = frozenset({"SIZE", "BODY", "SMTPUTF8", "AUTH", "RET", "ENVID"})
"""AUTH says who else vouches for the sender, which counts for nothing here (RFC 4954 §5)."""

RCPT_PARAMETERS = frozenset({"NOTIFY", "ORCPT"})


@dataclass(slots=True)
class MailTransaction:
    """One mail transaction as far as it has come.

    ``account`` is None as long as nobody can know it: a bounce comes from the null reverse-path,
    and only its recipient says whose it is. ``allowed`` are those it may be.
    """

    account: AccountId | None
    reverse_path: str
    size_bytes: int
    utf8: bool
    trusted: bool
    allowed: frozenset[AccountId]
    envid: str = ""
    full: bool = False
    recipients: dict[str, str] = field(default_factory=dict)
    wishes: dict[str, DsnWish] = field(default_factory=dict)

    def add(self, recipient: str, wish: DsnWish) -> None:
        """Take a recipient; of one that is named twice the first wish counts."""
        key = comparable(recipient)
        if key in self.recipients:
            return
        self.recipients[key] = recipient
        if wish != NO_WISH:
            self.wishes[recipient] = wish


def mail_parameters(path: Path) -> tuple[int, bool]:
    """Return the declared size in bytes (0 for none) and whether SMTPUTF8 is asked for.

    Raises:
        SubmissionFault: a parameter is not known here.
        PathFault: one cannot be read.
    """
    if unknown := path.parameters.keys() - MAIL_PARAMETERS:
        raise SubmissionFault(
            555, "5.5.4", say("MAIL parameter {unknown} is not known here.", unknown=min(unknown))
        )
    size, body = path.parameters.get("SIZE", "0"), path.parameters.get("BODY", "7BIT")
    if not (size.isascii() and size.isdigit() and len(size) <= 20):
        raise PathFault(say("SIZE must be a number"))
    if body.upper() not in BODY_KINDS:
        raise PathFault(say("BODY must be 7BIT or 8BITMIME"))
    return int(size), "SMTPUTF8" in path.parameters


def recipient_of(argument: str | None) -> tuple[str, DsnWish]:
    """Return the address that RCPT names, and of what its sender wants to be notified.

    Raises:
        PathFault: there is none, or it cannot be read.
        SubmissionFault: a parameter is not known here.
    """
    path = parse_path(argument, "TO")
    if not path.address:
        raise PathFault(say("A recipient needs an address"), "5.1.3")
    if unknown := path.parameters.keys() - RCPT_PARAMETERS:
        raise SubmissionFault(
            555, "5.5.4", say("RCPT parameter {unknown} is not known here.", unknown=min(unknown))
        )
    return tidied(path.address), wish_of(path)


def path_code(fault: PathFault) -> int:
    """Return the reply code for a path that cannot be read."""
    return 553 if fault.status == "5.1.3" else 501
