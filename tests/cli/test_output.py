from __future__ import annotations

import json

import pytest

from bridge.cli.output import print_facts, print_json, print_table, visible


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
