"""NOTIFY: arguments to a value (RFC 5465 §8).

Raises:
    SyntaxFault: the arguments break the grammar.
    TooMuch: there is more of something in them than a command may have.
"""

from __future__ import annotations

from bridge.imap.commands import EventGroup, Notify
from bridge.imap.parse_fetch import take_items
from bridge.imap.sections import FetchItem
from bridge.imap.syntax import Scanner
from bridge.limits import IMAP_NOTIFY_NAMES

SELECTED = frozenset({"SELECTED", "SELECTED-DELAYED"})
NAMED = frozenset({"SUBTREE", "MAILBOXES"})
FILTERS = SELECTED | NAMED | {"INBOXES", "PERSONAL", "SUBSCRIBED"}
_BOTH = frozenset({"MESSAGENEW", "MESSAGEEXPUNGE"})
_OF_MESSAGES = _BOTH | {"FLAGCHANGE", "ANNOTATIONCHANGE"}


def parse_notify(scanner: Scanner) -> Notify:
    """Take NOTIFY's arguments."""
    scanner.space()
    if scanner.take(b"NONE"):
        return Notify()
    scanner.expect(b"SET")
    status = scanner.take(b" STATUS")
    groups: list[EventGroup] = []
    named = 0
    while not groups or scanner.peek(b" "):
        scanner.space()
        groups.append(_group(scanner))
        named += 1 + len(groups[-1].names)
        scanner.limit(named, IMAP_NOTIFY_NAMES, "names")
    if sum(group.filter in SELECTED for group in groups) > 1:
        raise scanner.fault("the selected mailbox once")
    return Notify(tuple(groups), status)


def _group(scanner: Scanner) -> EventGroup:
    # event-group = "(" filter-mailboxes SP events ")"
    scanner.expect(b"(")
    which = scanner.word("a filter")
    if which not in FILTERS:
        raise scanner.fault("a filter", which)
    names: tuple[str, ...] = ()
    if which in NAMED:
        scanner.space()
        names = _names(scanner)
    scanner.space()
    events: frozenset[str] = frozenset()
    items: tuple[FetchItem, ...] = ()
    if not scanner.take(b"NONE"):
        events, items = _events(scanner)
    scanner.expect(b")")
    if events & _OF_MESSAGES and not events >= _BOTH:
        raise scanner.fault("MessageNew and MessageExpunge together")
    if (items and which not in SELECTED) or (which in SELECTED and events - _OF_MESSAGES):
        raise scanner.fault("events that fit the filter")
    return EventGroup(which, names, events, items)


def _names(scanner: Scanner) -> tuple[str, ...]:
    if not scanner.take(b"("):
        return (scanner.mailbox(),)
    names = [scanner.mailbox()]
    while scanner.take(b" "):
        names.append(scanner.mailbox())
    scanner.expect(b")")
    return tuple(names)


def _events(scanner: Scanner) -> tuple[frozenset[str], tuple[FetchItem, ...]]:
    scanner.expect(b"(")
    events: set[str] = set()
    items: tuple[FetchItem, ...] = ()
    while not events or scanner.take(b" "):
        event = scanner.word("an event")
        events.add(event)
        if event == "MESSAGENEW" and scanner.peek(b" ("):
            scanner.space()
            items = take_items(scanner)
    scanner.expect(b")")
    return frozenset(events), items
