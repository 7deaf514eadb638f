"""Which acceptance belongs to which send of unknown outcome. Pure.

The API keeps no key of ours, so an ``ACCETTAZIONE`` is matched by what it shows: its subject, its
time, the recipients that its text names, and a code that a failed answer named. What it says, and
whether it may be believed at all, is ``receipts``' to tell. When fewer acceptances than sends fit,
or more, or they could be shared out in two ways that differ, none is matched: which of the sends
was made, or which acceptance is ours, is for a person to say. While a send that fits as well is
still under way, nothing is said at all.

Times are compared by two clocks, and ours may run ahead of the service's. An acceptance that is a
few minutes older than the request proves nothing then, for it may be a message's of before; but it
may be the send's too, so it is not passed over: a person has to say.

Every request whose outcome nobody knows is in the running, also one whose entry was sent again or
given up since: its acceptance may come still, and is not another's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bridge.model import QueueId
from bridge.receipts.address import names_only, plain_address
from bridge.receipts.issuer import issuer_of
from bridge.receipts.proof import CLOCK_AHEAD, CLOCK_SLACK, Issuers, begun_at
from bridge.receipts.subject import is_cut, is_legible
from bridge.receipts.subject import same_subject as is_same
from bridge.store.receipts import Acceptance

BEFORE = CLOCK_AHEAD
AFTER = timedelta(minutes=30)
"""How long after the request began its acceptance may be dated."""


@dataclass(frozen=True, slots=True)
class PossibleSend:
    """A request that may have left: what was posted, and when it began.

    ``under_way`` if its answer is still awaited; ``wanted`` if what became of its entry is open.
    It began by ``ended_by`` at the latest, None for ``started_at``.
    """

    id: QueueId
    subject: str
    recipients: tuple[str, ...]
    started_at: datetime
    named_code: str | None = None
    under_way: bool = False
    ended_by: datetime | None = None
    wanted: bool = True


@dataclass(frozen=True, slots=True)
class MatchedAcceptances:
    """``matched`` acceptances by send; ``doubtful`` codes by send, where it can't be told."""

    matched: dict[QueueId, Acceptance]
    doubtful: dict[QueueId, tuple[str, ...]]


def window(sending: PossibleSend) -> tuple[datetime, datetime]:
    """Return the time in which the acceptance of a request may be dated, by either clock."""
    return sending.started_at - BEFORE, (sending.ended_by or sending.started_at) + AFTER


def proves(acceptance: Acceptance, issuers: Issuers) -> bool:
    """Tell whether an acceptance may speak for a send whose code nobody knows.

    A provider's service wrote it; its body was read, for that may name somebody else; and either
    that service accepted for the account before, or the text names whom it is about.
    """
    issuer = issuer_of(acceptance.sender)
    known = issuer in issuers or bool(acceptance.recipients)
    return issuer != "" and acceptance.readable and known


def weigh(
    sendings: Sequence[PossibleSend], acceptances: Sequence[Acceptance]
) -> MatchedAcceptances:
    """Match acceptances, all of one account and tied to no send, to its open sends."""
    acceptances = _one_for_each_code(acceptances)
    matched: dict[QueueId, Acceptance] = {}
    doubtful: dict[QueueId, tuple[str, ...]] = {}
    taken: set[int] = set()
    for sending in sendings:
        named = [one for one in acceptances if one.code and _is_named(sending, one)]
        if named and not sending.under_way and int(named[0].remote) not in taken:
            matched[sending.id] = named[0]
            taken.add(int(named[0].remote))
    open_sends = [one for one in sendings if one.id not in matched]
    free = [one for one in acceptances if int(one.remote) not in taken]
    for group, fitting in _groups(open_sends, free, _fits_by_our_clock):
        if any(one.under_way for one in group):
            continue
        shared = _share(group, fitting)
        codes = codes_of(fitting)
        if shared is None:
            doubtful.update((one.id, codes) for one in group)
        else:
            matched.update(shared)
    for group, fitting in _groups(open_sends, free, fits):
        if all(any(_fits_by_our_clock(one, each) for one in open_sends) for each in fitting):
            continue
        for one in group:  # what is too old for all of them says that our clock may be wrong
            matched.pop(one.id, None)
            doubtful[one.id] = codes_of(fitting)
    return MatchedAcceptances(matched, doubtful)


def fits(sending: PossibleSend, acceptance: Acceptance) -> bool:
    """Tell whether the acceptance may be the send's.

    With a code its subject is whole, and must be the send's. Without one it must be cut: a whole
    one that ends in no code is that of a message sent elsewhere, by a webmail say.
    """
    since, until = window(sending)
    return since <= acceptance.at <= until and _says_the_same(sending, acceptance)


def _fits_by_our_clock(sending: PossibleSend, acceptance: Acceptance) -> bool:
    """Tell whether it fits though our clock is right."""
    return acceptance.at >= sending.started_at - CLOCK_SLACK and fits(sending, acceptance)


def may_fit(sending: PossibleSend, acceptance: Acceptance) -> bool:
    """Tell whether the acceptance may be the send's by its own data, or by a code it has heard."""
    return fits(sending, acceptance) or (
        acceptance.code is not None and _is_named(sending, acceptance)
    )


def _is_named(sending: PossibleSend, acceptance: Acceptance) -> bool:
    """Tell whether it has the code that a failed answer named, and nothing speaks against it."""
    return (
        acceptance.code == sending.named_code
        and acceptance.at >= begun_at(sending.started_at, acceptance.code) - CLOCK_SLACK
        and names_only(acceptance.recipients, sending.recipients)
        and is_same(sending.subject, acceptance.subject)
    )


def _says_the_same(sending: PossibleSend, acceptance: Acceptance) -> bool:
    if not names_only(acceptance.recipients, sending.recipients):
        return False
    if acceptance.code is not None:
        return is_whole(sending.subject, acceptance.subject)
    cut = same_subject(sending.subject, acceptance.subject)
    return cut and not is_same(sending.subject, acceptance.subject)


def is_whole(sent: str, shown: str) -> bool:
    """Tell whether a receipt shows all of the subject ``sent``, and enough of it to know it."""
    return is_same(sent, shown) and (is_legible(shown) or not is_legible(sent))


def same_subject(sent: str, shown: str) -> bool:
    """Tell whether a receipt's subject can be that of a message sent with ``sent``.

    Letters outside ASCII may have lost their accents or become U+FFFD or ``?``, one or several
    each; the end may be missing.
    """
    return is_whole(sent, shown) or is_cut(shown, sent)


def _one_for_each_code(acceptances: Sequence[Acceptance]) -> list[Acceptance]:
    """Join acceptances of one code: a send to several may get one for each recipient (Q20)."""
    joined: dict[str | int, Acceptance] = {}
    for one in sorted(acceptances, key=lambda each: each.at):
        key = one.code or int(one.remote)
        first = joined.setdefault(key, one)
        if first is not one:
            named = tuple(dict.fromkeys((*first.recipients, *one.recipients)))
            joined[key] = replace(first, recipients=named)
    return list(joined.values())


def _groups(
    sendings: Sequence[PossibleSend],
    acceptances: Sequence[Acceptance],
    fits: Callable[[PossibleSend, Acceptance], bool],
) -> Iterator[tuple[list[PossibleSend], list[Acceptance]]]:
    """Give each set of sends that compete for the same acceptances, with those.

    Sends that no acceptance fits, and acceptances that fit no send, are in none.
    """
    waiting = list(sendings)
    while waiting:
        group = [waiting.pop(0)]
        fitting: list[Acceptance] = []
        for sending in group:  # grows while it is gone through
            new = [one for one in acceptances if one not in fitting and fits(sending, one)]
            fitting += new
            joined = [one for one in waiting if any(fits(one, each) for each in new)]
            group += joined
            waiting = [one for one in waiting if one not in joined]
        if fitting:
            yield group, sorted(fitting, key=lambda one: one.at)


def _share(
    group: list[PossibleSend], fitting: list[Acceptance]
) -> dict[QueueId, Acceptance] | None:
    """Give each send its acceptance; None where it can't be told whose they are."""
    if len({one.id for one in group}) == 1:  # however often one entry was sent, it was sent
        return {group[0].id: fitting[0]} if len(fitting) <= len(group) else None
    pairs = _pair(group, fitting)
    if not len(pairs) == len(group) == len(fitting) or _is_ambiguous(group, pairs):
        return None
    return {group[place].id: one for place, one in sorted(pairs.items(), reverse=True)}


def _pair(group: list[PossibleSend], fitting: list[Acceptance]) -> dict[int, Acceptance]:
    """Give each send an acceptance that fits it, as many as can be (augmenting paths).

    Those that fit alike go in order of time. Sends are named by their place in ``group``.
    """
    owner: dict[int, int] = {}

    def give(place: int, tried: set[int]) -> bool:
        for acceptance in sorted(fitting, key=lambda one: one.remote in owner):
            if acceptance.remote in tried or not _fits_by_our_clock(group[place], acceptance):
                continue
            tried.add(acceptance.remote)
            holder = owner.get(acceptance.remote)
            if holder is None or give(holder, tried):
                owner[acceptance.remote] = place
                return True
        return False

    for place in sorted(range(len(group)), key=lambda one: group[one].started_at):
        give(place, set())
    by_remote = {int(one.remote): one for one in fitting}
    return {place: by_remote[remote] for remote, place in owner.items()}


def _is_ambiguous(group: list[PossibleSend], pairs: dict[int, Acceptance]) -> bool:
    """Tell whether sends that differ could change their acceptances among each other.

    They could if going from each send to those that its acceptance fits as well leads back to it
    (a second perfect matching). Sends that are alike in all that a receipt shows may.
    """
    fitting = {
        place: [
            other for other in pairs if other != place and _fits_by_our_clock(group[other], one)
        ]
        for place, one in pairs.items()
    }
    return any(
        not _alike(group[place], group[other]) and place in _led_to(other, fitting)
        for place, others in fitting.items()
        for other in others
    )


def _led_to(place: int, fitting: dict[int, list[int]]) -> set[int]:
    found: set[int] = set()
    waiting = [place]
    while waiting:
        for other in fitting[waiting.pop()]:
            if other not in found:
                found.add(other)
                waiting.append(other)
    return found


def _alike(one: PossibleSend, other: PossibleSend) -> bool:
    if one.id == other.id:
        return True
    recipients = [set(map(plain_address, each.recipients)) for each in (one, other)]
    return recipients[0] == recipients[1] and is_same(one.subject, other.subject)


def codes_of(acceptances: Iterable[Acceptance]) -> tuple[str, ...]:
    """Return the codes that acceptances carry, each once."""
    return tuple(dict.fromkeys(one.code for one in acceptances if one.code))
