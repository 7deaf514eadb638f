"""Messages into threads: the two algorithms of RFC 5256 §3, on values alone.

Nothing here recurses: a chain of replies may be as long as the mailbox.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

FAR = 1000
"""So many levels are looked up before a link counts as one that would make a ring."""


@dataclass(frozen=True, slots=True)
class Member:
    """One message: its number as it will be shown, and what the algorithms compare."""

    number: int
    message_id: str | None
    references: tuple[str, ...]
    sent_at: int
    base_subject: str
    is_reply: bool


@dataclass(slots=True, eq=False)
class Node:
    """A place in a thread; without a member it stands for a message that is not there."""

    member: Member | None
    parent: Node | None = None
    children: dict[Node, None] = field(default_factory=dict)

    def adopt(self, child: Node) -> None:
        """Make ``child`` the last child of this node, whoever's it was."""
        child.leave()
        child.parent = self
        self.children[child] = None

    def leave(self) -> None:
        """Have no parent."""
        if self.parent is not None:
            del self.parent.children[self]
            self.parent = None

    def is_below(self, other: Node) -> bool:
        """Say whether ``other`` is this node or above it, or may be far above it."""
        if self is other:
            return True
        node = self.parent if other.children else None
        for _ in range(FAR):
            if node is None or node is other:
                return node is other
            node = node.parent
        return True


def by_subject(members: Sequence[Member]) -> list[Node]:
    """Return threads by ORDEREDSUBJECT: one for each base subject, the first message on top."""
    ordered = sorted(members, key=lambda member: (member.sent_at, member.number))
    threads: dict[str, Node] = {}
    for member in ordered:
        top = threads.get(member.base_subject)
        if top is None:
            threads[member.base_subject] = Node(member)
        else:
            top.adopt(Node(member))
    return list(threads.values())


def by_references(members: Sequence[Member]) -> list[Node]:
    """Return threads by REFERENCES; the comments give its steps."""
    root = Node(None)
    for node in _linked(members):  # 1, 2
        if node.parent is None:
            root.adopt(node)
    _prune(root)  # 3
    _sort_below(root)  # 4
    _gather_subjects(root)  # 5
    for node in _upwards(root):  # 6
        _sort(node)
    return list(root.children)


def _linked(members: Sequence[Member]) -> list[Node]:
    """Link messages to what they refer to, with stand-ins for what is not there."""
    nodes: dict[str, Node] = {}
    unnamed: list[Node] = []
    for member in members:
        node = nodes.get(member.message_id) if member.message_id else None
        if node is not None and node.member is None:
            node.member = member
        else:
            node_is_named = member.message_id is not None and node is None
            node = Node(member)
            if node_is_named and member.message_id is not None:
                nodes[member.message_id] = node
            else:
                unnamed.append(node)
        _link(nodes, node, member.references)
    return [*nodes.values(), *unnamed]


def _link(nodes: dict[str, Node], node: Node, references: Sequence[str]) -> None:
    above: Node | None = None
    for reference in references:
        here = nodes.get(reference)
        if here is None:
            here = nodes[reference] = Node(None)
        if above is not None and here.parent is None and not above.is_below(here):
            above.adopt(here)
        above = here
    node.leave()  # what it was put under before it came itself counts for less
    if above is not None and not above.is_below(node):
        above.adopt(node)


def _upwards(root: Node) -> list[Node]:
    """Return every node, each after all that are below it."""
    found, waiting = [], [root]
    while waiting:
        node = waiting.pop()
        found.append(node)
        waiting += node.children
    return found[::-1]


def _prune(root: Node) -> None:
    """Take stand-ins away; at the top one stays where it holds several together."""
    for parent in _upwards(root):
        if not parent.children:
            continue
        kept: dict[Node, None] = {}
        for node in parent.children:
            if node.member is not None or (parent is root and len(node.children) > 1):
                kept[node] = None
            else:
                kept |= node.children
        parent.children = kept
        for child in kept:
            child.parent = parent


def _first(node: Node) -> Member:
    """Return the message of a node, or of its first child: a stand-in has children with one."""
    return node.member or next(iter(node.children)).member or _nobody(node)


def _nobody(node: Node) -> Member:
    for below in _upwards(node):
        if below.member is not None:
            return below.member
    raise AssertionError("a thread without a message")


def _sort_below(root: Node) -> None:
    """Order threads by date, and what a stand-in at their top holds together."""
    for node in root.children:
        if node.member is None:
            _sort(node)
    _sort(root)


def _sort(node: Node) -> None:
    """Order a node's children by date, those of one date by number."""
    if len(node.children) > 1:
        node.children = dict.fromkeys(sorted(node.children, key=_date))


def _date(node: Node) -> tuple[int, int]:
    member = _first(node)
    return member.sent_at, member.number


def _gather_subjects(root: Node) -> None:
    """Bring threads of one base subject together (step 5)."""
    table: dict[str, Node] = {}
    for node in root.children:
        subject = _first(node).base_subject
        if subject and _is_better(node, table.get(subject)):
            table[subject] = node
    for node in list(root.children):
        subject = _first(node).base_subject
        if subject and table[subject] is not node:
            table[subject] = _merged(root, table[subject], node)


def _is_better(node: Node, known: Node | None) -> bool:
    """Say whether a node is to stand for its subject instead of ``known``."""
    if known is None:
        return True
    if known.member is None:
        return False
    return node.member is None or (known.member.is_reply and not node.member.is_reply)


def _merged(root: Node, known: Node, node: Node) -> Node:
    """Join a thread to the one that stands for its subject; return which one does now."""
    if known.member is None:
        if node.member is None:
            for child in list(node.children):
                known.adopt(child)
            node.leave()
        else:
            known.adopt(node)
        return known
    if node.member is not None and node.member.is_reply and not known.member.is_reply:
        known.adopt(node)
        return known
    both = Node(None)
    root.adopt(both)
    both.adopt(known)
    both.adopt(node)
    return both


def shown(threads: Sequence[Node]) -> bytes:
    """Return threads as the response has them: `` (2)(3 6 (4 23)(44 7 96))``."""
    return b" " + b"".join(_pieces(threads)) if threads else b""


def _pieces(threads: Sequence[Node]) -> Iterator[bytes]:
    waiting: list[Node | None] = [None]  # None closes a parenthesis
    waiting[:] = _opened(threads)
    while waiting:
        node = waiting.pop()
        if node is None:
            yield b")"
            continue
        yield b"("
        chain = node
        while chain.member is not None:
            yield b"%d" % chain.member.number
            if len(chain.children) != 1:
                break
            yield b" "
            chain = next(iter(chain.children))
        if chain.member is not None and chain.children:
            yield b" "
        waiting += [None, *_opened(chain.children)]


def _opened(nodes: Iterable[Node]) -> list[Node | None]:
    opened: list[Node | None] = [*nodes]
    opened.reverse()
    return opened
