"""SEARCH: what was found, as SEARCH or ESEARCH says it.

RFC 3501 §6.4.4; RFC 4731 (ESEARCH), 5182 (SEARCHRES), 6855 §3, 7162 §3.1.5 (MODSEQ), 9394.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from bridge.imap import responses
from bridge.imap.commands import Search, Sort
from bridge.imap.search import Program
from bridge.imap.sequence import format_ranges, ranges_of
from bridge.imapserver.matching import Found, search
from bridge.imapserver.partial import partial_of
from bridge.imapserver.reply import Bad
from bridge.imapserver.session import Session

NUMBERS = 8192
RANGES = 4096
"""Told in one piece."""


async def search_(session: Session, command: Search) -> str | None:
    """SEARCH and UID SEARCH."""
    if command.has_charset and "UTF8=ACCEPT" in session.enabled:
        raise Bad("UTF8=ACCEPT is enabled: a SEARCH names no charset")
    if command.key.uses_modseq:
        session.enable_condstore()
    returns = command.returns
    if returns is None and "IMAP4REV2" in session.enabled:
        returns = frozenset({"ALL"})
    found = await found_or_forgotten(session, command.key, returns)
    if returns is None:
        session.send(b"* SEARCH")
        await send_numbers(session, found.uids if command.uid else found.numbers)
        session.send(modseq_mark(command.key, found) + b"\r\n")
        return None
    await answer_extended(session, command, returns, found)
    return None


async def send_numbers(session: Session, numbers: Sequence[int]) -> None:
    """Send numbers, a blank before each, so many at a time that nobody waits."""
    for start in range(0, len(numbers), NUMBERS):
        if start:
            await session.output.give_way()
        some = numbers[start : start + NUMBERS]
        session.send((b" %d" * len(some)) % tuple(some))


def modseq_mark(key: Program, found: Found) -> bytes:
    """Return the highest MODSEQ of what was found, if the search asked about MODSEQ."""
    if not key.uses_modseq or not found.modseqs:
        return b""
    return b" (MODSEQ %d)" % max(found.modseqs)


async def found_or_forgotten(
    session: Session, key: Program, returns: frozenset[str] | None, *, details: bool = False
) -> Found:
    """Search; a search that was to be saved and fails leaves an empty result (RFC 5182 §2.1).

    Args:
        session: the client's.
        key: what is looked for.
        returns: the result options, None where there were none.
        details: whether what sorting needs is filled too.
    """
    try:
        return await search(session, key, details=details)
    except BaseException:
        if returns is not None and "SAVE" in returns:
            session.save([])
        raise


async def answer_extended(
    session: Session, command: Search | Sort, returns: frozenset[str], found: Found
) -> None:
    """Send the ESEARCH line, and keep the result where SAVE says so.

    Args:
        session: the client's.
        command: the search that is answered.
        returns: the result options, in capitals.
        found: what it found.
    """
    if "SAVE" in returns:
        session.save(_to_save(returns, command.partial, found))
        if returns == {"SAVE"}:
            return
    session.send(responses.esearch(session.tag, uid=command.uid))
    for piece in _results(command, returns, found):
        session.send(piece)
        await session.output.give_way()
    if command.key.uses_modseq and found.modseqs:
        session.send(b" MODSEQ %d" % _told_modseq(returns, found))
    session.send(responses.CRLF)


def _results(command: Search | Sort, returns: frozenset[str], found: Found) -> Iterator[bytes]:
    numbers = found.uids if command.uid else found.numbers
    if numbers and "MIN" in returns:
        yield b" MIN %d" % numbers[0]
    if numbers and "MAX" in returns:
        yield b" MAX %d" % numbers[-1]
    if "COUNT" in returns:
        yield b" COUNT %d" % len(numbers)
    if numbers and "ALL" in returns:
        yield b" ALL "
        yield from _set_of(numbers)
    if command.partial is not None:
        first, last = command.partial
        part = partial_of(numbers, command.partial)
        yield b" PARTIAL (%d:%d " % (first, last)
        yield from _set_of(part) if part else (b"NIL",)
        yield b")"


def _set_of(numbers: Sequence[int]) -> Iterator[bytes]:
    """Yield numbers as a set, in pieces; those of SORT are in another order."""
    ranges = ranges_of(numbers)
    comma = b""
    while some := list(islice(ranges, RANGES)):
        yield comma + format_ranges(some).encode()
        comma = b","


def _ends(returns: frozenset[str]) -> frozenset[str]:
    """Return MIN and MAX as far as they are all that was asked for, besides SAVE."""
    wanted = returns - {"SAVE"}
    return wanted if wanted <= {"MIN", "MAX"} else frozenset()


def _to_save(returns: frozenset[str], partial: tuple[int, int] | None, found: Found) -> list[int]:
    """Return the UIDs that SAVE keeps (RFC 5182 §2.1, RFC 9394 §3.1): ascending."""
    ends = _ends(returns)
    if ends and found.uids:
        kept = {found.uids[0 if end == "MIN" else -1] for end in ends}
        return sorted(kept)
    if partial is not None and not returns & {"ALL", "COUNT"}:
        return sorted(partial_of(found.uids, partial))
    return sorted(found.uids)


def _told_modseq(returns: frozenset[str], found: Found) -> int:
    """Return the MODSEQ of what is told: of MIN and MAX alone, else of all (RFC 7162 §3.1.5)."""
    ends = _ends(returns)
    if ends:
        return max(found.modseqs[0 if end == "MIN" else -1] for end in ends)
    return max(found.modseqs)
