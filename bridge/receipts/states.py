"""Where each recipient of a sent message stands: the states, their ranks and what leads to them.

Theory of operation. A receipt lifts the recipients it is about to a state; a state is never left
for one of lower rank. So the outcome is a maximum: receipts may come in any order, any number of
times, and always give the same answer. A delivery after a final "not delivered" counts as
delivered, for that is what the later provider certified, and is marked as a conflict.

A receipt that names anybody else is of another message and counts for nothing. One that names
nobody readable is about the only recipient if there is just one. Otherwise it is counted: as many
deliveries as there are recipients still open settle all of them, fewer settle nobody, and the
count is shown.

Of a receipt whose text is not here yet only the row is known, and a row names nobody. It is about
the only recipient if there is just one. Where there are several, an acceptance says that the
message was accepted and not for whom, and only as many different deliveries as there are
recipients settle them, less those whom the text of a final failure names or that of an acceptance
calls ordinary mail; what rests on rows is marked so.

Pure: values in, values out.

RFCs: 6109 §3.1 (acceptance), §3.1.6 (time limits), §3.3 (delivery).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum
from types import MappingProxyType

from bridge.receipts.address import names_only, plain_address
from bridge.receipts.kind import FAILURES, Kind
from bridge.store.receipts import ReceiptBasis


class RecipientState(Enum):
    """Where one recipient stands; the later in this list, the higher its rank."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    ACCEPTED_UNCERTIFIABLE = "accepted_uncertifiable"
    LATE_12H = "late_12h"
    FAILED_24H = "failed_24h"
    FAILED = "failed"
    DELIVERED = "delivered"


class Scope(Enum):
    """Whom a receipt is about."""

    ALL = "all recipients"
    ONE = "one recipient"


@dataclass(frozen=True, slots=True)
class Effect:
    """What a receipt of one kind does."""

    scope: Scope
    state: RecipientState
    meaning: str


EFFECTS: Mapping[Kind, Effect] = MappingProxyType(
    {
        Kind.ACCEPTANCE: Effect(
            Scope.ALL, RecipientState.ACCEPTED, "sent, in law; delivery is still to come"
        ),
        Kind.NON_ACCEPTANCE: Effect(
            Scope.ALL, RecipientState.FAILED, "the sender's provider refused it; nothing was sent"
        ),
        Kind.NON_ACCEPTANCE_VIRUS: Effect(
            Scope.ALL, RecipientState.FAILED, "refused for a virus; nothing was sent"
        ),
        Kind.DELIVERY: Effect(
            Scope.ONE, RecipientState.DELIVERED, "in the recipient's mailbox, read or not"
        ),
        Kind.FAILURE: Effect(Scope.ONE, RecipientState.FAILED, "could not be delivered"),
        Kind.FAILURE_VIRUS: Effect(Scope.ONE, RecipientState.FAILED, "stopped for a virus"),
        Kind.LATE_12H: Effect(
            Scope.ONE, RecipientState.LATE_12H, "not delivered within 12 hours; it still may be"
        ),
        Kind.FAILED_24H: Effect(
            Scope.ONE, RecipientState.FAILED_24H, "not delivered within 24 hours; given up"
        ),
    }
)
"""The table; kinds that are not in it are kept and move nothing."""

RANK: Mapping[RecipientState, int] = MappingProxyType(
    {state: rank for rank, state in enumerate(RecipientState)}
)

FAILED_STATES = frozenset({RecipientState.FAILED, RecipientState.FAILED_24H})
FINAL_STATES = FAILED_STATES | {
    RecipientState.DELIVERED,
    RecipientState.ACCEPTED_UNCERTIFIABLE,  # an ordinary mailbox gives no delivery receipt
}

FINAL_FROM = timedelta(hours=22)
"""A time notice without readable words: a warning before the one, final after the other
(RFC 6109 §3.1.6 lets the final notice come from 22 hours on)."""


def timeout_kind(hours: int | None, age: timedelta | None) -> Kind:
    """Return which of the two time notices one is: the 12-hour warning or the final one.

    Both have the same subject. In doubt it is the warning: the final one would say more.

    Args:
        hours: the limit its text speaks of; None if it can't be read.
        age: how long after the sending it came; None if that is not known.
    """
    if hours is not None:
        return Kind.FAILED_24H if hours >= 24 else Kind.LATE_12H
    return Kind.FAILED_24H if age is not None and age >= FINAL_FROM else Kind.LATE_12H


@dataclass(frozen=True, slots=True)
class ReceiptEvidence:
    """One receipt about a sent message.

    ``addresses`` are the recipients its text names, () if they can't be read; ``uncertifiable``
    those of them that an acceptance calls ordinary mail. ``number`` orders receipts of one time.
    """

    number: int
    kind: Kind
    at: datetime
    addresses: tuple[str, ...] = ()
    uncertifiable: tuple[str, ...] = ()
    detail: str = ""
    basis: ReceiptBasis = ReceiptBasis.TEXT


@dataclass(frozen=True, slots=True)
class RecipientStanding:
    """Where one recipient stands, since when (None while pending), and what there is to say.

    ``conflict`` tells that a delivery and a final "not delivered" are both there; ``by_row`` that
    the state rests on rows whose texts are not here yet.
    """

    address: str
    state: RecipientState
    at: datetime | None = None
    detail: str = ""
    conflict: bool = False
    by_row: bool = False


@dataclass(frozen=True, slots=True)
class DeliveryStatus:
    """Where a sent message stands.

    ``accepted_at`` is its acceptance's time, None without one; ``accepted_by_row`` tells that no
    acceptance's text is here yet. ``unnamed`` counts the final receipts that name no recipient and
    settle none.
    """

    accepted_at: datetime | None
    recipients: tuple[RecipientStanding, ...]
    unnamed: Mapping[RecipientState, int]
    accepted_by_row: bool = False

    @property
    def is_answered(self) -> bool:
        """Tell whether the network said anything about it."""
        states = {one.state for one in self.recipients}
        is_moved = states != {RecipientState.PENDING} or self.accepted_at is not None
        return is_moved or bool(self.unnamed)

    @property
    def is_by_row(self) -> bool:
        """Tell whether any of it rests on rows whose texts are not here yet."""
        return self.accepted_by_row or any(one.by_row for one in self.recipients)

    @property
    def is_delivered(self) -> bool:
        """Tell whether all certified recipients have it; False if none is certified."""
        ordinary = RecipientState.ACCEPTED_UNCERTIFIABLE
        states = {one.state for one in self.recipients} - {ordinary}
        return states == {RecipientState.DELIVERED}

    @property
    def is_failed(self) -> bool:
        """Tell whether any recipient will not get it."""
        failed = any(one.state in FAILED_STATES for one in self.recipients)
        return failed or bool(FAILED_STATES & self.unnamed.keys())

    @property
    def is_final(self) -> bool:
        """Tell whether nothing more is to come."""
        still_open = [one for one in self.recipients if one.state not in FINAL_STATES]
        return len(still_open) <= sum(self.unnamed.values())


def standing(recipients: Sequence[str], evidence: Iterable[ReceiptEvidence]) -> DeliveryStatus:
    """Return where a message to ``recipients`` stands by its receipts, in any order.

    Evidence of the same ``number`` counts once.
    """
    distinct = {one.number: one for one in evidence}.values()
    ours = [one for one in distinct if names_only(one.addresses, recipients)]
    receipts = sorted(ours, key=lambda one: (one.at, one.number))
    by_address = {plain_address(address): _Recipient(address) for address in recipients}
    nameless: list[ReceiptEvidence] = []
    for receipt in receipts:
        effect = EFFECTS.get(receipt.kind)
        if effect is None or (receipt.basis is ReceiptBasis.ROW and len(by_address) > 1):
            continue
        concerned = _concerned(receipt, effect, by_address)
        if not concerned:
            nameless.append(receipt)
        for recipient in concerned:
            recipient.lift(_state(receipt, effect, recipient.address), receipt)
    unnamed = _count(nameless, list(by_address.values()))
    if delivered := _delivered_by_rows(receipts, by_address):
        unnamed = {}
        last = [one for one in receipts if one.kind is Kind.DELIVERY][-1]
        row = replace(last, basis=ReceiptBasis.ROW, detail="")
        for address in delivered:
            by_address[address].lift(RecipientState.DELIVERED, row)
    accepted = [one for one in receipts if one.kind is Kind.ACCEPTANCE]
    return DeliveryStatus(
        min((one.at for one in accepted), default=None),
        tuple(one.standing() for one in by_address.values()),
        MappingProxyType(unnamed),
        bool(accepted) and all(one.basis is ReceiptBasis.ROW for one in accepted),
    )


def _delivered_by_rows(
    receipts: Sequence[ReceiptEvidence], by_address: Mapping[str, _Recipient]
) -> Collection[str]:
    """Return who of several recipients have it by deliveries of which some are only listed.

    That is everybody of whom no failure tells and whom no acceptance calls ordinary mail, or
    nobody: there has to be a delivery in the inbox for each. Of those that name the same recipient
    one counts, and none that ``GET /send`` told, for the same may be listed too. A failure that is
    not final, or names nobody, leaves open who has it, and so do more deliveries than there are
    others.
    """
    inbox = [
        one
        for one in receipts
        if one.kind is Kind.DELIVERY and one.basis is not ReceiptBasis.STATUS
    ]
    if not any(one.basis is ReceiptBasis.ROW for one in inbox) or len(by_address) < 2:
        return ()
    failures = [(one.kind, _names(one)) for one in receipts if one.kind in FAILURES]
    if any(kind not in _AT_ONCE or len(names) != 1 for kind, names in failures):
        return ()
    apart = {name for _, names in failures for name in names}
    apart |= {plain_address(name) for one in receipts for name in one.uncertifiable}
    others = by_address.keys() - apart
    count = len({names for names in map(_names, inbox) if len(names) == 1})
    count += sum(not _names(one) for one in inbox)
    return others if count == len(others) or (count > len(others) and not apart) else ()


def _names(receipt: ReceiptEvidence) -> frozenset[str]:
    return frozenset(map(plain_address, receipt.addresses))


_AT_ONCE = frozenset({Kind.FAILURE, Kind.FAILURE_VIRUS})
"""Failures that nothing follows: after the notices of 12 and 24 hours a delivery still may come."""


class _Recipient:
    """One recipient while receipts are gone through, the oldest first."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.state = RecipientState.PENDING
        self._at: datetime | None = None
        self._detail = ""
        self._by_row = False
        self._seen: set[RecipientState] = set()

    def lift(self, state: RecipientState, receipt: ReceiptEvidence) -> None:
        self._seen.add(state)
        by_row = receipt.basis is ReceiptBasis.ROW
        if RANK[state] > RANK[self.state]:
            self.state, self._at, self._detail = state, receipt.at, receipt.detail
            self._by_row = by_row
        elif state is self.state:
            self._by_row = self._by_row and by_row

    def remark(self, words: str) -> None:
        self._detail = f"{self._detail}; {words}" if self._detail else words

    def standing(self) -> RecipientStanding:
        conflict = RecipientState.DELIVERED in self._seen and bool(FAILED_STATES & self._seen)
        return RecipientStanding(
            self.address, self.state, self._at, self._detail, conflict, self._by_row
        )


def _concerned(
    receipt: ReceiptEvidence, effect: Effect, by_address: Mapping[str, _Recipient]
) -> list[_Recipient]:
    """Return whom a receipt is about; nobody if that can't be told."""
    everybody = list(by_address.values())
    names = dict.fromkeys(map(plain_address, receipt.addresses))
    named = [by_address[name] for name in names if name in by_address]
    if effect.scope is Scope.ALL:
        return named or everybody
    if len(everybody) == 1:
        return everybody
    return named if len(named) == 1 else []


def _state(receipt: ReceiptEvidence, effect: Effect, address: str) -> RecipientState:
    ordinary = set(map(plain_address, receipt.uncertifiable))
    if receipt.kind is Kind.ACCEPTANCE and plain_address(address) in ordinary:
        return RecipientState.ACCEPTED_UNCERTIFIABLE
    return effect.state


_SETTLED = frozenset(
    {RecipientState.DELIVERED, RecipientState.FAILED, RecipientState.ACCEPTED_UNCERTIFIABLE}
)
"""Whoever stands so is not who a receipt without a name is about."""

_WORDS: Mapping[RecipientState, str] = MappingProxyType(
    {
        RecipientState.DELIVERED: "delivered",
        RecipientState.FAILED: "failed",
        RecipientState.FAILED_24H: "failed after 24 h",
        RecipientState.LATE_12H: "late",
    }
)


def _count(
    nameless: Sequence[ReceiptEvidence], everybody: Sequence[_Recipient]
) -> dict[RecipientState, int]:
    """Count receipts that name nobody; settle whom they must be about, remark on the others.

    Returns the counts of the final ones, if they settled nobody.
    """
    tally: dict[RecipientState, list[ReceiptEvidence]] = {}
    for receipt in nameless:
        tally.setdefault(EFFECTS[receipt.kind].state, []).append(receipt)
    unsettled = [one for one in everybody if one.state not in _SETTLED]
    all_alike = _all_alike(tally, len(unsettled))
    if all_alike is not None:
        last = tally[all_alike][-1]
        for recipient in unsettled:
            recipient.lift(all_alike, last)
        return {}
    for recipient in unsettled if tally else ():
        recipient.remark(_tally_words(tally, everybody))
    return {state: len(counted) for state, counted in tally.items() if state in FINAL_STATES}


def _all_alike(
    tally: Mapping[RecipientState, Sequence[ReceiptEvidence]], count: int
) -> RecipientState | None:
    """Return the state that all ``count`` must be in: by all deliveries, or by nothing else."""
    finals = [state for state in tally if state in FINAL_STATES]
    if len(tally.get(RecipientState.DELIVERED, ())) >= count > 0:
        return RecipientState.DELIVERED
    if len(finals) == 1 and len(tally[finals[0]]) >= count > 0:
        return finals[0]
    return None


def _tally_words(
    tally: Mapping[RecipientState, Sequence[ReceiptEvidence]], everybody: Sequence[_Recipient]
) -> str:
    words = []
    for state in sorted(tally, key=lambda one: -RANK[one]):
        known = sum(one.state is state for one in everybody)
        words.append(f"{known + len(tally[state])} of {len(everybody)} {_WORDS[state]}")
    return f"{', '.join(words)}, names unknown"
