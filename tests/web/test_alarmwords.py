"""Alarms on the page: each says what to do, and leads to the message it is about."""

from __future__ import annotations

from typing import Any

from bridge.alarms import AlarmKind
from bridge.language import Title
from bridge.web.alarmwords import ALARMS
from tests.web.conftest import ANNA, STATUS, Site

ALARM: dict[str, Any] = {
    "id": "a1",
    "account": ANNA,
    "kind": "uncertain",
    "text": Title("Invio incerto / Uncertain send: Fattura"),
    "key": "0123456789ABCDEF01:x@pec.example",
    "at": "2026-01-15T08:30:00.000Z",
    "acknowledged_at": None,
}


def test_each_kind_says_what_to_do() -> None:
    assert set(ALARMS) == {kind.value for kind in AlarmKind}


async def test_an_alarm_is_in_the_visitors_language_and_leads_to_its_message(made: Site) -> None:
    made.done.answers["status"] = lambda _arguments: {**STATUS, "alarms": [ALARM]}
    english = (await (await made.anna()).get("/")).text
    italian = (await (await made.anna(language="it")).get("/")).text
    assert "Uncertain send: Fattura" in english
    assert "then say on its page" in english
    assert "Invio incerto: Fattura" in italian
    assert "Uncertain" not in italian
    assert 'href="/sent/0123456789ABCDEF01"' in italian
