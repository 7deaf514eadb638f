from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from bridge.cli import output
from bridge.cli.output import print_facts, print_json, print_table, visible
from bridge.cli.when import local, moment_since, show_times_in


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "-"),
        ("Oggetto: è €", "Oggetto: è €"),
        ("a\x1b[2Jb\r\nc\x07", "a\ufffd[2Jb\ufffd\ufffdc\ufffd"),
        (["a@x", "b@x"], "a@x, b@x"),
        (7, "7"),
        ([], ""),
    ],
)
def test_what_people_see(value: object, text: str) -> None:
    assert visible(value) == text


def test_json_is_one_line_of_ascii(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"subject": "è\n\x1b"})
    out = capsys.readouterr().out
    assert out.isascii()
    assert out.count("\n") == 1
    assert json.loads(out) == {"subject": "è\n\x1b"}


def test_a_table_has_no_markup_of_others(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("name", "subject"), [["a", "[bold]x[/bold] \x1b[31m"]], "Nothing.")
    out = capsys.readouterr().out
    assert "[bold]x[/bold]" in out
    assert "\x1b" not in out


def test_an_empty_table_is_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("name",), [], "Nothing.")
    assert capsys.readouterr().out == "Nothing.\n"


def test_facts(capsys: pytest.CaptureFixture[str]) -> None:
    print_facts([("code", None), ("subject", "a\nb")])
    assert capsys.readouterr().out == "code: -\nsubject: a\ufffdb\n"


def test_a_row_is_one_line_where_it_is_piped_to(capsys: pytest.CaptureFixture[str]) -> None:
    row = ["2026112503355049", "Oggetto " * 40]
    print_table(("code", "subject"), [row], "Nothing.")
    assert any(
        "2026112503355049" in line and line.count("Oggetto") == 40
        for line in capsys.readouterr().out.splitlines()
    )


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let standard output be as wide as a terminal of 80 columns."""
    monkeypatch.setattr(output, "_width", lambda: 80)


ID = "0190c3f2-aaaa-7bbb-8ccc-1234567890ab"
LONG = "ufficio.protocollo.generale@comune.altrove.pec.example"
AT = "2026-07-15T09:00:00.000Z"
TABLES: dict[str, tuple[tuple[str, ...], list[Any]]] = {
    "alarms": (
        ("id", "since", "account", "kind", "text"),
        ["3fa1b2c4", AT, "azienda@pecmassiva.com", "not-certified", "Mancata consegna " * 8],
    ),
    "queue": (
        ("id", "state", "recipients", "subject", "code", "created_at", "expected_at", "reason"),
        [ID, "queued", ["a@pec.example", LONG], "Oggetto " * 9, "2026112503355049", AT, AT, "-"],
    ),
    "receipts": (
        ("code", "sent_at", "subject", "recipient", "state", "at", "detail"),
        ["2026112503355049", AT, "Oggetto", LONG, "delivered", AT, "5.1.1 " * 20],
    ),
    "sync": (("account", "messages", "new", "error"), [LONG, 12, 1, "No answer came. " * 9]),
}


@pytest.mark.usefixtures("terminal")
@pytest.mark.parametrize("name", TABLES)
def test_on_80_columns_nothing_is_wider_and_no_id_or_address_is_broken(
    capsys: pytest.CaptureFixture[str], name: str
) -> None:
    columns, row = TABLES[name]
    print_table(columns, [row, row], "Nothing.")
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= 80
    cells = [str(one) for cell in row for one in (cell if isinstance(cell, list) else [cell])]
    whole = [cell for cell in cells if "@" in cell or cell in (ID, "3fa1b2c4", "2026112503355049")]
    assert whole
    for text in whole:
        assert out.count(text) == 2, text
    assert out.count("\x1b") == 0


@pytest.mark.usefixtures("terminal")
def test_a_table_that_fits_is_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("id", "at", "text"), [[ID, AT, "Mancata consegna " * 9]], "Nothing.")
    out = capsys.readouterr().out
    assert re.search(r"^id +at +text *$", out, re.MULTILINE)
    assert re.search(rf"^{ID}   2026-07-15 11:00", out, re.MULTILINE)
    assert max(map(len, out.splitlines())) <= 80


@pytest.fixture
def _rome_afterwards() -> Iterator[None]:
    yield
    show_times_in("Europe/Rome")


@pytest.mark.usefixtures("_rome_afterwards")
def test_times_are_local_with_their_zone(capsys: pytest.CaptureFixture[str]) -> None:
    assert local(AT) == "2026-07-15 11:00 CEST"
    assert local("2026-01-15T09:00:07Z", seconds=True) == "2026-01-15 10:00:07 CET"
    assert [local(text) for text in (None, "2026-07-15", "soon")] == [None, "2026-07-15", "soon"]
    print_facts([("sent_at", AT), ("subject", AT)])
    assert capsys.readouterr().out == f"sent_at: 2026-07-15 11:00 CEST\nsubject: {AT}\n"
    show_times_in("America/New_York")
    print_table(("at", "subject"), [[AT, AT]], "Nothing.")
    out = capsys.readouterr().out
    assert "2026-07-15 05:00 EDT" in out
    assert out.count(AT) == 1


@pytest.mark.usefixtures("_rome_afterwards")
@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("7d", "2026-01-08T09:00:00+00:00"),
        ("12h", "2026-01-14T21:00:00+00:00"),
        ("2026-01-10", "2026-01-10T00:00:00+01:00"),
        ("2026-07-10T08:30", "2026-07-10T08:30:00+02:00"),
        ("2026-07-10T08:30:00Z", "2026-07-10T08:30:00+00:00"),
    ],
)
def test_since_when(text: str, moment: str) -> None:
    now = datetime(2026, 1, 15, 9, 0, tzinfo=UTC)
    assert moment_since(text, now).isoformat() == moment
    show_times_in("UTC")
    local_zone = moment_since("2026-01-10", now).isoformat()
    assert local_zone == "2026-01-10T00:00:00+00:00"
