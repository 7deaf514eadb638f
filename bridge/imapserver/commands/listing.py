"""LIST and LSUB (RFC 3501 §6.3.8, §6.3.9), LIST-EXTENDED (5258), LIST-STATUS (5819), 6154, 3348."""

from __future__ import annotations

from bridge.imap import responses
from bridge.imap.commands import List
from bridge.imap.mailboxname import canonical, matches, parents
from bridge.imapserver.commands.mailboxes import status_line
from bridge.imapserver.session import Session
from bridge.model import Mailbox


class _Tree:
    """The account's names: mailboxes, subscriptions, and which have others below them."""

    def __init__(self, mailboxes: tuple[Mailbox, ...], subscribed: tuple[str, ...]) -> None:
        self.mailboxes = {mailbox.name: mailbox for mailbox in mailboxes}
        self.subscribed = frozenset(subscribed)
        self.parents = {parent for name in self.mailboxes for parent in parents(name)}
        # A level above others is shown though it was deleted: they hang on it (RFC 3501 §6.3.4).
        self.names = self.mailboxes.keys() | self.parents
        self.subscribed_parents = {parent for name in subscribed for parent in parents(name)}


async def list_(session: Session, command: List) -> str | None:
    """LIST."""
    if command.patterns == ("",) and not command.extended:
        session.send(responses.listing("LIST", ("\\Noselect",), b'""'))
        return None
    tree = await _tree(session)
    patterns = [canonical(command.reference + pattern) for pattern in command.patterns]
    above_unlisted = _above_unlisted(tree, patterns)
    candidates = set(tree.names)
    if "SUBSCRIBED" in command.selection:
        candidates = set(tree.subscribed)
        if "RECURSIVEMATCH" in command.selection:
            candidates |= tree.subscribed_parents
    lines = []
    for name in sorted(candidates, key=_inbox_first):
        if not any(matches(name, pattern) for pattern in patterns):
            continue
        line = _line(session, command, tree, name, above_unlisted)
        if line is None:
            continue
        lines.append(line)
        mailbox = tree.mailboxes.get(name)
        if command.status and mailbox is not None:
            lines.append(await status_line(session, mailbox, command.status))
    session.send(b"".join(lines))
    return None


def _inbox_first(name: str) -> tuple[bool, str]:
    return name != "INBOX", name


def _above_unlisted(tree: _Tree, patterns: list[str]) -> set[str]:
    """Return the levels above subscribed names that are not listed themselves."""
    unlisted = (
        name for name in tree.subscribed if not any(matches(name, pattern) for pattern in patterns)
    )
    return {parent for name in unlisted for parent in parents(name)}


def _line(
    session: Session, command: List, tree: _Tree, name: str, above_unlisted: set[str]
) -> bytes | None:
    mailbox = tree.mailboxes.get(name)
    use = mailbox.special_use if mailbox else None
    if "SPECIAL-USE" in command.selection and use is None:
        return None
    missing = "\\NonExistent" if command.extended else "\\Noselect"  # RFC 5258 §3, RFC 3501 §7.2.2
    attributes = [] if mailbox else [missing]
    # Of a subscribed name it is told that others are below, listed or not (RFC 5258 §3, note 2);
    # another one is named only for what is not listed itself (§3.5).
    has_child = "RECURSIVEMATCH" in command.selection and name in tree.subscribed_parents
    extended = b""
    if "SUBSCRIBED" in command.selection or "SUBSCRIBED" in command.returns:
        if name in tree.subscribed:
            attributes.append("\\Subscribed")
        elif "SUBSCRIBED" in command.selection and not (has_child and name in above_unlisted):
            return None
    if has_child:
        extended = b' ("CHILDINFO" ("SUBSCRIBED"))'
    if not command.extended or "CHILDREN" in command.returns or not command.returns:
        attributes.append("\\HasChildren" if name in tree.parents else "\\HasNoChildren")
    if use is not None:
        attributes.append(use.value)
    shown = responses.mailbox(name, utf8=session.utf8)
    return responses.listing("LIST", attributes, shown, extended)


async def lsub(session: Session, command: List) -> str | None:
    """LSUB: subscribed names; with ``%``, parents of such that do not match (RFC 3501 §6.3.9)."""
    tree = await _tree(session)
    pattern = canonical(command.reference + command.patterns[0])
    found: dict[str, tuple[str, ...]] = {}
    for name in tree.subscribed:
        if matches(name, pattern):
            found[name] = () if name in tree.mailboxes else ("\\Noselect",)
        elif pattern.endswith("%"):
            for parent in parents(name):
                if matches(parent, pattern) and parent not in tree.subscribed:
                    found[parent] = ("\\Noselect",)
    for name in sorted(found, key=_inbox_first):
        shown = responses.mailbox(name, utf8=session.utf8)
        session.send(responses.listing("LSUB", found[name], shown))
    return None


async def _tree(session: Session) -> _Tree:
    mailboxes = session.services.mailboxes
    return _Tree(
        await mailboxes.mailboxes(session.owner), await mailboxes.subscriptions(session.owner)
    )
