"""LIST and LSUB (RFC 3501 §6.3.8, §6.3.9), LIST-EXTENDED (5258), LIST-STATUS (5819), 6154, 3348."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bridge.imap import responses
from bridge.imap.commands import List
from bridge.imap.mailboxname import canonical, fault_of, matches, parents
from bridge.imapserver.commands.status import status_line
from bridge.imapserver.pace import CommandShare
from bridge.imapserver.session import Session
from bridge.model import Mailbox

NAME_WORK = 100
"""Units of work (``pace``) that showing a name is, with the levels above it."""

PATTERN_WORK = 50
"""The same for trying a pattern, besides its length."""


class _Tree:
    """The account's names: mailboxes, subscriptions, and which have others below them.

    What can be no mailbox's name, as was once subscribed to, has no levels.
    """

    def __init__(self, mailboxes: tuple[Mailbox, ...], subscribed: tuple[str, ...]) -> None:
        self.mailboxes = {mailbox.name: mailbox for mailbox in mailboxes}
        self.subscribed = frozenset(subscribed)
        self.parents: set[str] = set()
        self.subscribed_parents: set[str] = set()

    async def grow(self, pace: CommandShare) -> None:
        """Find the levels above."""
        for names, above in (
            (self.mailboxes, self.parents),
            (self.subscribed, self.subscribed_parents),
        ):
            for name in names:
                above.update(levels_above(name))
                await pace.spend(NAME_WORK)

    @property
    def names(self) -> set[str]:
        """Mailboxes and the levels above.

        One above others is shown though it was deleted: they hang on it (RFC 3501 §6.3.4).
        """
        return self.mailboxes.keys() | self.parents


def levels_above(name: str) -> list[str]:
    """Return the levels above a name, none above what can be no mailbox's."""
    return [] if fault_of(name) else parents(name)


async def list_(session: Session, command: List) -> str | None:
    """LIST."""
    if command.patterns == ("",) and not command.extended:
        session.send(responses.listing("LIST", ("\\Noselect",), b'""'))
        return None
    pace = CommandShare(session.output)
    tree = await _tree(session, pace)
    if command.status:
        listed_ids = {mailbox.id for mailbox in tree.mailboxes.values()}
        await session.services.mailboxes.look(listed_ids)
    patterns = [canonical(command.reference + pattern) for pattern in command.patterns]
    candidates = tree.names
    above_unlisted: set[str] = set()
    if "SUBSCRIBED" in command.selection:
        candidates = set(tree.subscribed)
        if "RECURSIVEMATCH" in command.selection:
            candidates |= tree.subscribed_parents
            listed = await _matching(tree.subscribed, patterns, pace)
            unlisted = tree.subscribed.difference(listed)
            above_unlisted = {above for name in unlisted for above in levels_above(name)}
    for name in sorted(await _matching(candidates, patterns, pace), key=_inbox_first):
        line = _line(session, command, tree, name, above_unlisted)
        await pace.spend(NAME_WORK)
        if line is None:
            continue
        session.send(line)
        mailbox = tree.mailboxes.get(name)
        if command.status and mailbox is not None:
            session.send(await status_line(session, mailbox, command.status))
    return None


async def _matching(names: Iterable[str], patterns: Sequence[str], pace: CommandShare) -> list[str]:
    """Return the names that match one pattern or more."""
    found = []
    for name in names:
        for pattern in patterns:
            await pace.spend(len(pattern) + PATTERN_WORK)
            if matches(name, pattern):
                found.append(name)
                break
    return found


def _inbox_first(name: str) -> tuple[bool, str]:
    return name != "INBOX", name


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
    pace = CommandShare(session.output)
    tree = await _tree(session, pace)
    pattern = canonical(command.reference + command.patterns[0])
    found: dict[str, tuple[str, ...]] = {}
    for name in await _matching(tree.subscribed, [pattern], pace):
        found[name] = () if name in tree.mailboxes else ("\\Noselect",)
    if pattern.endswith("%"):
        above = {
            parent
            for name in tree.subscribed - found.keys()
            for parent in levels_above(name)
            if parent not in tree.subscribed
        }
        for parent in await _matching(above, [pattern], pace):
            found[parent] = ("\\Noselect",)
    for name in sorted(found, key=_inbox_first):
        shown = responses.mailbox(name, utf8=session.utf8)
        session.send(responses.listing("LSUB", found[name], shown))
        await pace.spend(NAME_WORK)
    return None


async def _tree(session: Session, pace: CommandShare) -> _Tree:
    mailboxes = session.services.mailboxes
    await session.look_at_names()
    tree = _Tree(
        await mailboxes.mailboxes(session.owner), await mailboxes.subscriptions(session.owner)
    )
    await tree.grow(pace)
    return tree
