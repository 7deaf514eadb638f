"""Which acceptance belongs to which send of unknown outcome. Pure.

The API keeps no key of ours, so an ``ACCETTAZIONE`` is matched by what it shows: a code that a
failed answer named, else subject and time, and recipients where its text names them. Accents may
have been lost on the way (Q7) and a long subject cut. When fewer acceptances than sends fit, or
more, none is matched: which of the sends was made, or which acceptance is ours, is for a person to
say. While a send that fits as well is still under way, nothing is said at all.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bridge.model import QueueId
from bridge.store.remote import Acceptance

BEFORE = timedelta(minutes=2)
"""How far the provider's clock may be behind ours."""

AFTER = timedelta(minutes=30)
"""How long after the request began its acceptance may be dated."""

MIN_CUT_CHARS = 20
"""A shorter subject is not taken for the beginning of a longer one."""

_SPACES = re.compile(r"\s+")
_LOST = re.compile("[^\x00-\x7f]|\\?")


@dataclass(frozen=True, slots=True)
class Sending:
    """A send that may have left: what was posted, and when its request began.

    ``under_way`` if its answer is still awaited.
    """

    id: QueueId
    subject: str
    recipients: tuple[str, ...]
    started_at: datetime
    named_code: str | None = None
    under_way: bool = False


@dataclass(frozen=True, slots=True)
class Evidence:
    """``matched`` acceptances by send; ``doubtful`` codes by send, where too few were found."""

    matched: dict[QueueId, Acceptance]
    doubtful: dict[QueueId, tuple[str, ...]]


def window(started_at: datetime) -> tuple[datetime, datetime]:
    """Return the time in which the acceptance of a request begun then is dated."""
    return started_at - BEFORE, started_at + AFTER


def weigh(sendings: Sequence[Sending], acceptances: Sequence[Acceptance]) -> Evidence:
    """Match acceptances, all of one account and tied to no send, to its open sends."""
    acceptances = _one_for_each_code(acceptances)
    matched: dict[QueueId, Acceptance] = {}
    doubtful: dict[QueueId, tuple[str, ...]] = {}
    for sending in sendings:
        named = [one for one in acceptances if one.code and one.code == sending.named_code]
        if named and not sending.under_way:
            matched[sending.id] = named[0]
    taken = {one.remote for one in matched.values()}
    open_sends = [one for one in sendings if one.id not in matched]
    free = [one for one in acceptances if one.remote not in taken]
    for group, fitting in _groups(open_sends, free):
        if any(one.under_way for one in group):
            continue
        pairs = _pair(group, fitting)
        if len(pairs) == len(group) == len(fitting):
            matched.update(pairs)
        else:
            codes = tuple(one.code for one in fitting if one.code)
            doubtful.update((one.id, codes) for one in group)
    return Evidence(matched, doubtful)


def fits(sending: Sending, acceptance: Acceptance) -> bool:
    """Tell whether the acceptance may be the send's.

    Without a code it may only if its subject is cut: a whole one that ends in no code is that of
    a message sent elsewhere, by a webmail say.
    """
    since, until = window(sending.started_at)
    if not since <= acceptance.at <= until:
        return False
    named = {one.casefold() for one in acceptance.recipients}
    if not named <= {one.casefold() for one in sending.recipients}:
        return False
    if acceptance.code is None and is_whole(sending.subject, acceptance.subject):
        return False
    return same_subject(sending.subject, acceptance.subject)


def is_whole(sent: str, shown: str) -> bool:
    """Tell whether a receipt shows all of the subject ``sent``, but for letters lost."""
    return any(plain(sent) == plain(shown) for plain in (_without_accents, _without_letters_lost))


def same_subject(sent: str, shown: str) -> bool:
    """Tell whether a receipt's subject can be that of a message sent with ``sent``.

    Letters outside ASCII may have lost their accents or become U+FFFD or ``?``, one or several
    each; the end may be missing.
    """
    for plain in (_without_accents, _without_letters_lost):
        ours, theirs = plain(sent), plain(shown)
        if ours == theirs and (ours or not sent.strip()):
            return True
        if len(theirs) >= MIN_CUT_CHARS and ours.startswith(theirs):
            return True
    return False


def _without_accents(subject: str) -> str:
    decomposed = unicodedata.normalize("NFKD", subject)
    bare = "".join(char for char in decomposed if not unicodedata.combining(char))
    return _SPACES.sub(" ", bare.casefold()).strip()


def _without_letters_lost(subject: str) -> str:
    kept = _LOST.sub("", unicodedata.normalize("NFC", subject))
    return _SPACES.sub(" ", kept.casefold()).strip()


def _one_for_each_code(acceptances: Sequence[Acceptance]) -> list[Acceptance]:
    """Join acceptances of one code: a send to several may get one for each recipient (Q20)."""
    joined: dict[str | int, Acceptance] = {}
    for one in sorted(acceptances, key=lambda each: each.at):
        key = one.code or int(one.remote)
        first = joined.setdefault(key, one)
        if first is not one:
            recipients = tuple(dict.fromkeys(first.recipients + one.recipients))
            joined[key] = replace(first, recipients=recipients)
    return list(joined.values())


def _groups(
    sendings: Sequence[Sending], acceptances: Sequence[Acceptance]
) -> Iterator[tuple[list[Sending], list[Acceptance]]]:
    """Give sends that compete for the same acceptances together with those; none alone."""
    waiting = list(sendings)
    while waiting:
        group = [waiting.pop(0)]
        fitting: list[Acceptance] = []
        for member in group:  # grows while it is gone through
            new = [one for one in acceptances if one not in fitting and fits(member, one)]
            fitting += new
            joined = [one for one in waiting if any(fits(one, each) for each in new)]
            group += joined
            waiting = [one for one in waiting if one not in joined]
        if fitting:
            yield group, sorted(fitting, key=lambda one: one.at)


def _pair(group: list[Sending], fitting: list[Acceptance]) -> dict[QueueId, Acceptance]:
    """Give each send an acceptance that fits it, as many as can be (augmenting paths).

    Those that fit alike go in order of time.
    """
    owner: dict[int, Sending] = {}

    def place(sending: Sending, tried: set[int]) -> bool:
        for acceptance in sorted(fitting, key=lambda one: one.remote in owner):
            if acceptance.remote in tried or not fits(sending, acceptance):
                continue
            tried.add(acceptance.remote)
            holder = owner.get(acceptance.remote)
            if holder is None or place(holder, tried):
                owner[acceptance.remote] = sending
                return True
        return False

    for sending in sorted(group, key=lambda one: one.started_at):
        place(sending, set())
    by_remote = {int(one.remote): one for one in fitting}
    return {sending.id: by_remote[remote] for remote, sending in owner.items()}
