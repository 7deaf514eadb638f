"""The words for alarms that are told outside: what began, what ended, all in one message. Pure.

An alarm that began and ended again and again is in it once. The subject of a message is
confidential and goes nowhere: what is about a message is named by its id in the queue.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bridge.alarms.collected import TOPICS
from bridge.alarms.kind import OF_MESSAGES
from bridge.clock import ROME, rfc3339
from bridge.language import LanguageSetting, Title, rendered

NAMED_MOST = 100
"""Alarms that a message names; the rest is counted."""

KINDS_IN_SUBJECT = 4


@dataclass(frozen=True, slots=True)
class AlarmNews:
    """An alarm began or ended.

    ``key`` tells alarms of one kind apart, ``id`` is the queue's if it is about a message. ``text``
    is what the alarm says, "" if that is kept no longer.
    """

    account: str
    kind: str
    key: str
    id: str | None
    at: datetime
    is_end: bool
    text: str


@dataclass(frozen=True, slots=True)
class Told:
    """An alarm as it is told; ``ended_at`` is None while it is raised."""

    news: AlarmNews
    began_at: datetime | None
    ended_at: datetime | None

    @property
    def is_whole(self) -> bool:
        """Whether it is about an account or the machine, not about one message."""
        return self.news.kind not in OF_MESSAGES and self.news.id is None


@dataclass(frozen=True, slots=True)
class Digest:
    """What is told at once; raised alarms and those that have ended, oldest first."""

    raised: tuple[Told, ...]
    ended: tuple[Told, ...]

    @property
    def is_urgent(self) -> bool:
        """Whether an alarm began that is not about one message only."""
        return any(one.is_whole for one in self.raised)


def digest(news: Iterable[AlarmNews]) -> Digest:
    """Return what to tell of so much news, oldest first: where each alarm stands in the end."""
    found: dict[tuple[str, str, str], Told] = {}
    for one in news:
        key = one.account, one.kind, one.key
        before = found.pop(key, None)
        began_at = before.began_at if before and one.is_end else None if one.is_end else one.at
        found[key] = Told(one, began_at, one.at if one.is_end else None)
    every = tuple(found.values())
    return Digest(
        tuple(one for one in every if one.ended_at is None),
        tuple(one for one in every if one.ended_at is not None),
    )


def subject_of(told: Digest, language: LanguageSetting) -> str:
    """Return one line: how many, and of which kinds."""
    counts_it, counts_en = [], []
    if told.raised:
        count = len(told.raised)
        counts_it.append(f"{count} {'allarme' if count == 1 else 'allarmi'}")
        counts_en.append(f"{count} alarm{'s' * (count != 1)}")
    if told.ended:
        counts_it.append(f"{len(told.ended)} {'cessato' if len(told.ended) == 1 else 'cessati'}")
        counts_en.append(f"{len(told.ended)} ended")
    kinds = list(dict.fromkeys(one.news.kind for one in (*told.raised, *told.ended)))
    shown = [*kinds[:KINDS_IN_SUBJECT], *(["…"] if len(kinds) > KINDS_IN_SUBJECT else [])]
    counts = _half(", ".join(counts_it), ", ".join(counts_en), language)
    return f"pec-bridge: {counts}: {', '.join(shown)}"


def text_of(told: Digest, host: str, language: LanguageSetting) -> str:
    """Return the message's text; ``host`` is the machine's name."""
    lines = [
        _half(
            f"Allarmi del bridge PEC su {host}. Che fare: `pec-bridge alarm list` su quella "
            "macchina, o la pagina.",
            f"Alarms of the PEC bridge on {host}. What to do: `pec-bridge alarm list` there, or "
            "the page.",
            language,
            between="\n",
        )
    ]
    for italian, english, group in (
        ("Iniziati", "Begun", told.raised),
        ("Cessati", "Ended", told.ended),
    ):
        if group:
            title = _half(italian, english, language)
            lines += ["", f"{title}: {len(group)}", *_listed(group, language)]
    return "\n".join(lines) + "\n"


def _half(italian: str, english: str, language: LanguageSetting, between: str = " / ") -> str:
    both = {"it": italian, "en": english, "both": f"{italian}{between}{english}"}
    return both[language]


def facts_of(told: Digest, at: datetime, language: LanguageSetting) -> dict[str, Any]:
    """Return the same as JSON."""
    raised, ended = told.raised[:NAMED_MOST], told.ended[:NAMED_MOST]
    return {
        "event": "alarms",
        "at": rfc3339(at),
        "raised": [_facts(one, language) for one in raised],
        "ended": [_facts(one, language) for one in ended],
        "left_out": len(told.raised) + len(told.ended) - len(raised) - len(ended),
    }


def sample_digest(account: str, at: datetime) -> Digest:
    """Return what a test tells."""
    text = "Prova degli allarmi, nulla da fare / A test of alarms, nothing to do"
    news = AlarmNews(account, "test", "", None, at, is_end=False, text=text)
    return Digest((Told(news, at, None),), ())


def _listed(group: Sequence[Told], language: LanguageSetting) -> Iterator[str]:
    for one in group[:NAMED_MOST]:
        at = one.ended_at or one.news.at
        shown = f"{at.astimezone(ROME):%d/%m %H:%M}  {one.news.account}"
        yield f"  {shown}  {one.news.kind}: {_words(one, language)}"
    if len(group) > NAMED_MOST:
        yield f"  (+ {len(group) - NAMED_MOST})"


def _words(one: Told, language: LanguageSetting) -> str:
    """Return what an alarm says, but for what a message says."""
    if one.is_whole:
        return str(rendered(Title(one.news.text), language)) or one.news.kind
    topic = TOPICS.get(one.news.kind)
    said = _half(topic.italian, topic.english, language) if topic else one.news.kind
    return f"{said}: {one.news.id}" if one.news.id else said


def _facts(one: Told, language: LanguageSetting) -> dict[str, Any]:
    return {
        "account": one.news.account,
        "kind": one.news.kind,
        "id": one.news.id,
        "began_at": rfc3339(one.began_at),
        "ended_at": rfc3339(one.ended_at),
        "text": _words(one, language),
    }
