"""In which languages notices are written, and that they lead to the page."""

from __future__ import annotations

import email
import email.policy
from datetime import UTC, date, datetime

import pytest

from bridge.alarms import Alarm, AlarmKind, Notice
from bridge.alarms.collected import collected
from bridge.alarms.notices import alarm_message
from bridge.language import LanguageSetting, Voice
from bridge.model import AccountId
from bridge.store.notices import NoticeRow

NOW = datetime(2026, 1, 15, 9, 0, tzinfo=UTC)
ENTRY = "0123456789ABCDEF01"
NOTICE = Notice("Invio incerto / Uncertain send: Fattura", "Non si sa.", "Nobody knows.")
PAGE = "https://pec.example.it"


def read(raw: bytes) -> tuple[str, str]:
    message = email.message_from_bytes(raw, policy=email.policy.default)
    body = message.get_body()
    assert body is not None
    return str(message["Subject"]), body.get_content()


@pytest.mark.parametrize(
    ("language", "subject", "said", "unsaid"),
    [
        ("it", "Invio incerto: Fattura", ("Non si sa.", f"Sulla pagina: {PAGE}"), "Nobody"),
        ("en", "Uncertain send: Fattura", ("Nobody knows.", f"On the page: {PAGE}"), "Non si sa"),
        ("both", NOTICE.subject, ("Non si sa.", "Nobody knows.", "Sulla", "On the page"), "zzz"),
    ],
)
def test_a_notice_is_in_the_languages_of_the_settings_and_leads_to_the_page(
    language: LanguageSetting, subject: str, said: tuple[str, ...], unsaid: str
) -> None:
    alarm = Alarm(AccountId(1), AlarmKind.UNCERTAIN, ENTRY, NOTICE)
    title, text = read(alarm_message(alarm, NOW, Voice(language, PAGE)))
    assert title == subject
    assert all(one in text for one in said)
    assert unsaid not in text
    assert f"{PAGE}/sent/{ENTRY}" in text


def test_where_there_is_no_page_nothing_leads_there() -> None:
    alarm = Alarm(AccountId(1), AlarmKind.UNCERTAIN, ENTRY, NOTICE)
    _, text = read(alarm_message(alarm, NOW, Voice()))
    assert "pagina" not in text
    assert "page" not in text


def test_what_is_about_no_entry_leads_to_the_first_page() -> None:
    alarm = Alarm(AccountId(1), AlarmKind.QUOTA, "", NOTICE)
    _, text = read(alarm_message(alarm, NOW, Voice("it", PAGE)))
    assert text.rstrip().endswith(f"Sulla pagina: {PAGE}/")


@pytest.mark.parametrize(
    ("language", "subject"),
    [
        ("it", "Avvisi del 15/01/2026: 1 non consegnati"),
        ("en", "Notices of 2026-01-15: 1 not delivered"),
        (
            "both",
            "Avvisi del 15/01/2026 / Notices of 2026-01-15: 1 non consegnati / 1 not delivered",
        ),
    ],
)
def test_a_days_collected_notice_is_in_the_languages_of_the_settings(
    language: LanguageSetting, subject: str
) -> None:
    row = NoticeRow(AccountId(1), date(2026, 1, 15), AlarmKind.FAILURE.value, ENTRY, "x", NOW)
    words = collected("a@pec.example", date(2026, 1, 15), [row], None, Voice(language, PAGE))
    assert words.subject == subject
    assert ("not delivered" in words.text) == (language != "it")
    assert ("non consegnati" in words.text) == (language != "en")
    assert PAGE in words.text
