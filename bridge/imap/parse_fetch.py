"""FETCH and STORE (RFC 3501 §6.4.5, §6.4.6; 3516, 7162, 8474, 8514, 8970, 9394).

Raises:
    SyntaxFault: the arguments break the grammar.
    TooMuch: there is more of something in them than a command may have.
"""

from __future__ import annotations

import re

from bridge.imap.commands import Fetch, Store
from bridge.imap.memo import memoized
from bridge.imap.parse_search import take_partial
from bridge.imap.sections import ALL, FAST, FULL, BinarySize, FetchItem, Item, Section
from bridge.imap.syntax import MODSEQ_LIMIT, Scanner
from bridge.limits import IMAP_FETCH_ITEMS, IMAP_FIELD_NAMES, IMAP_FLAGS, IMAP_NEEDLE_BYTES

_MACROS: dict[str, tuple[FetchItem, ...]] = {"ALL": ALL, "FAST": FAST, "FULL": FULL}
_PLAIN = {item.value: item for item in Item}
_RFC822 = {
    "RFC822": Section(shown="RFC822"),
    "RFC822.HEADER": Section(text="HEADER", peek=True, shown="RFC822.HEADER"),
    "RFC822.TEXT": Section(text="TEXT", shown="RFC822.TEXT"),
}
_PATH = re.compile(rb"[1-9]\d{0,9}(?:\.[1-9]\d{0,9})*")
_PARTIAL = re.compile(rb"<(\d{1,10})\.(\d{1,10})>")
PATH_LIMIT = 100

_Asked = tuple[tuple[FetchItem, ...], int | None, bool, tuple[int, int] | None]
"""Items, CHANGEDSINCE, VANISHED, PARTIAL."""


def parse_fetch(scanner: Scanner, *, uid: bool) -> Fetch:
    """Take FETCH's arguments."""
    scanner.space()
    numbers = scanner.sequence_set()
    scanner.space()
    items, changed_since, vanished, partial = _asked_by_uid(scanner) if uid else _asked(scanner)
    return Fetch(uid, numbers, items, changed_since, vanished, partial)


def _take_asked(scanner: Scanner, *, uid: bool) -> _Asked:
    items = list(take_items(scanner))
    changed_since, vanished, partial = _modifiers(scanner)
    if vanished and (not uid or changed_since is None):
        raise scanner.fault("VANISHED only with UID FETCH and CHANGEDSINCE")
    if uid and Item.UID not in items:
        items.insert(0, Item.UID)
    if changed_since is not None and Item.MODSEQ not in items:
        items.append(Item.MODSEQ)
    return tuple(items), changed_since, vanished, partial


_asked = memoized(lambda scanner: _take_asked(scanner, uid=False))
_asked_by_uid = memoized(lambda scanner: _take_asked(scanner, uid=True))


def take_items(scanner: Scanner) -> tuple[FetchItem, ...]:
    """Take an item, a macro, or items in parentheses."""
    if not scanner.take(b"("):
        name = scanner.word("an item")
        return _MACROS[name] if name in _MACROS else (_item(scanner, name),)
    items = [_item(scanner, scanner.word("an item"))]
    while scanner.take(b" "):
        items.append(_item(scanner, scanner.word("an item")))
        scanner.limit(len(items), IMAP_FETCH_ITEMS, "items")
    scanner.expect(b")")
    return tuple(dict.fromkeys(items))


def _item(scanner: Scanner, name: str) -> FetchItem:
    if name in ("BODY", "BODY.PEEK") and scanner.peek(b"["):
        return take_section(scanner, peek=name.endswith("PEEK"))
    if name in ("BINARY", "BINARY.PEEK") and scanner.peek(b"["):
        return _binary(scanner, peek=name.endswith("PEEK"))
    if name == "BINARY.SIZE" and scanner.take(b"["):
        path = _path(scanner)
        scanner.expect(b"]")
        return BinarySize(path)
    if name == "PREVIEW":
        if scanner.take(b" (LAZY)"):
            return Item.PREVIEW
        return Item.PREVIEW
    if name in _RFC822:
        return _RFC822[name]
    if name in _PLAIN:
        return _PLAIN[name]
    raise scanner.fault("an item", name)


def _path(scanner: Scanner) -> tuple[int, ...]:
    match = scanner.match(_PATH)
    if match is None:
        return ()
    path = tuple(map(int, match[0].split(b".")))
    if len(path) > PATH_LIMIT:
        raise scanner.fault("a section that is less nested")
    return path


def take_section(scanner: Scanner, *, peek: bool) -> Section:
    """Take ``[…]`` and what follows of a partial."""
    # section-spec = section-msgtext / (section-part ["." section-text])
    scanner.expect(b"[")
    path = _path(scanner)
    text = ""
    names: tuple[str, ...] = ()
    shown = ".".join(map(str, path))
    if not scanner.peek(b"]"):
        if path:
            scanner.expect(b".")
        text = scanner.word("HEADER, TEXT or MIME")
        if text not in ("HEADER", "HEADER.FIELDS", "HEADER.FIELDS.NOT", "TEXT", "MIME") or (
            text == "MIME" and not path
        ):
            raise scanner.fault("HEADER, TEXT or a part's MIME")
        shown = f"{shown}.{text}" if path else text
        if text.startswith("HEADER.FIELDS"):
            written = _field_names(scanner)
            names = tuple(sorted({name.upper() for name in written}))
            shown += f" ({' '.join(map(_shown_name, written))})"
    scanner.expect(b"]")
    partial = _partial(scanner)
    shown = f"BODY[{shown}]" + (f"<{partial[0]}>" if partial else "")
    return Section(path, text, names, partial, peek, binary=False, shown=shown)


def _field_names(scanner: Scanner) -> list[str]:
    # header-list = "(" header-fld-name *(SP header-fld-name) ")"
    scanner.space()
    scanner.expect(b"(")
    written = [scanner.astring()]
    while scanner.take(b" "):
        written.append(scanner.astring())
        scanner.limit(len(written), IMAP_FIELD_NAMES, "names of fields")
    scanner.limit(sum(map(len, written)), IMAP_NEEDLE_BYTES, "bytes of names of fields")
    scanner.expect(b")")
    return written


def _shown_name(name: str) -> str:
    plain = name.isascii() and name and not re.search(r'[\x00-\x20\x7f(){%*"\\\]]', name)
    if plain:
        return name.upper()
    escaped = name.upper().replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _binary(scanner: Scanner, *, peek: bool) -> Section:
    # "BINARY" [".PEEK"] section-binary [partial] (RFC 3516 §4)
    scanner.expect(b"[")
    path = _path(scanner)
    scanner.expect(b"]")
    partial = _partial(scanner)
    shown = f"BINARY[{'.'.join(map(str, path))}]" + (f"<{partial[0]}>" if partial else "")
    return Section(path, "", (), partial, peek, binary=True, shown=shown)


def _partial(scanner: Scanner) -> tuple[int, int] | None:
    if not scanner.peek(b"<"):
        return None
    match = scanner.match(_PARTIAL)
    if match is None or int(match[2]) == 0:
        raise scanner.fault("a partial such as <0.1024>")
    return int(match[1]), int(match[2])


def _modifiers(scanner: Scanner) -> tuple[int | None, bool, tuple[int, int] | None]:
    # fetch-modifiers = SP "(" fetch-modifier *(SP fetch-modifier) ")" (RFC 4466 §2.4)
    changed_since = None
    vanished = False
    partial = None
    if not scanner.take(b" ("):
        return changed_since, vanished, partial
    while True:
        name = scanner.word("a modifier")
        if name == "CHANGEDSINCE":
            scanner.space()
            changed_since = scanner.number(MODSEQ_LIMIT)
        elif name == "VANISHED":
            vanished = True
        elif name == "PARTIAL":
            scanner.space()
            partial = take_partial(scanner)
        else:
            raise scanner.fault("CHANGEDSINCE, VANISHED or PARTIAL")
        if not scanner.take(b" "):
            break
    scanner.expect(b")")
    return changed_since, vanished, partial


def parse_store(scanner: Scanner, *, uid: bool) -> Store:
    """Take STORE's arguments."""
    scanner.space()
    numbers = scanner.sequence_set()
    scanner.space()
    unchanged_since = None
    if scanner.take(b"(UNCHANGEDSINCE "):
        unchanged_since = scanner.number(MODSEQ_LIMIT)
        scanner.expect(b") ")
    sign = "+" if scanner.take(b"+") else "-" if scanner.take(b"-") else ""
    scanner.expect(b"FLAGS")
    silent = scanner.take(b".SILENT")
    scanner.space()
    if scanner.peek(b"("):
        flags = scanner.flag_list()
    else:
        listed = [scanner.flag()]
        while scanner.take(b" "):
            listed.append(scanner.flag())
            scanner.limit(len(listed), IMAP_FLAGS, "flags")
        flags = tuple(listed)
    return Store(uid, numbers, sign, silent, flags, unchanged_since)
