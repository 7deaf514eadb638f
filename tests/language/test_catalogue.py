"""Every sentence is there in Italian, and nothing for people is said past the catalogues."""

from __future__ import annotations

import ast
import gettext
import io
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.catalogues import BRIDGE, SENTENCES, compiled

FIELD = re.compile(r"\{(\w+)\}")
SAYS = {
    "SubmissionFault": 2,
    "SmtpReply": 2,
    "Unreadable": 0,
    "DecisionRefused": 0,
    "NotSent": 0,
    "Refused": 0,
    "NotFound": 0,
    "OutcomeUnknown": 0,
    "AnswerTooLong": 0,
    "Undecided": 0,
    "TooCostly": 0,
    "ApartFailed": 0,
    "PlanUsedUp": 0,
    "refuse": 2,
}
"""What carries a sentence to people, and which of its arguments that is."""

ON_THE_PAGE = frozenset(
    {
        *("accounts", "alarms", "archive", "export", "finding", "named", "outcome", "period"),
        *("queue", "receipts", "sent", "table", "usage", "waiting"),
    }
)
"""Operations that the page asks for, too: what they fail with is read in both languages."""

REASONED = frozenset({"Step", "step_of", "_step", "take_back", "HoldRow", "AttemptEnd", "Finding"})
"""What carries one as ``reason``, or the like."""

FOR_PROGRAMS = re.compile(r"Ok: |Syntax: ")


def test_every_sentence_of_the_source_is_in_italian_and_no_other() -> None:
    known = {message.id: message.string for message in SENTENCES.translated() if message.id}
    assert {message.id for message in SENTENCES.in_the_source() if message.id} == set(known)
    missing = [id for id, words in known.items() if not words]
    assert missing == [], "translate these in the catalogue, then: python -m tests.catalogues"


def test_a_translation_fills_in_what_its_pattern_does() -> None:
    for message in SENTENCES.translated():
        if message.id:
            pattern, words = str(message.id), str(message.string)
            assert set(FIELD.findall(words)) == set(FIELD.findall(pattern)), pattern
            assert pattern.endswith(".") == words.endswith("."), pattern


def test_the_compiled_catalogue_is_the_written_one() -> None:
    path = SENTENCES.italian.with_suffix(".mo")
    shipped = gettext.GNUTranslations(io.BytesIO(path.read_bytes()))
    fresh = gettext.GNUTranslations(io.BytesIO(compiled(SENTENCES.translated())))
    for message in SENTENCES.translated():
        if message.id:
            id = str(message.id)
            assert shipped.gettext(id) == fresh.gettext(id), "python -m tests.catalogues"


def carried(tree: ast.AST) -> Iterator[ast.expr]:
    """Yield what a source hands to whatever carries sentences."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        function = node.func
        name = getattr(function, "id", getattr(function, "attr", ""))
        if name in SAYS and len(node.args) > SAYS[name]:
            yield node.args[SAYS[name]]
        if name in SAYS or name in REASONED:
            named = ("reason", "sentence", "unasked", "against")
            yield from (one.value for one in node.keywords if one.arg in named)


def is_bare(node: ast.expr) -> bool:
    """Tell whether somebody is told a text that is in no catalogue."""
    if isinstance(node, ast.JoinedStr):
        first = node.values[0]
        begin = first.value if isinstance(first, ast.Constant) else ""
        return not FOR_PROGRAMS.match(str(begin))
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return " " in node.value and not FOR_PROGRAMS.match(node.value)
    return isinstance(node, ast.BinOp)


@pytest.mark.parametrize(
    ("source", "bare"),
    [
        ("DecisionRefused(f'{id} is no id')", True),
        ("Step(a, b, c, reason='a person did it')", True),
        ("SmtpReply(554, '5.6.0', 'It cannot be read: ' + why)", True),
        ("SmtpReply(250, '2.0.0', f'Ok: queued as {id}')", False),
        ("DecisionRefused(say('{id} is no id', id=id))", False),
        ("Step(a, b, c, reason=error.reason)", False),
    ],
)
def test_a_text_past_the_catalogues_is_seen(source: str, bare: bool) -> None:
    assert any(map(is_bare, carried(ast.parse(source)))) == bare


def sources() -> list[Path]:
    return [
        path
        for path in sorted(BRIDGE.rglob("*.py"))
        if not {"simulator", "cli"} & set(path.relative_to(BRIDGE).parts)
    ]


def failures(tree: ast.AST) -> Iterator[ast.expr]:
    """Yield what operations fail with in a source."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "OperationFailed":
            yield from node.args[:1]


def test_nothing_is_said_past_the_catalogues() -> None:
    found = []
    for path in sources():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        said = list(carried(tree))
        if path.parent.name == "operations" and path.stem in ON_THE_PAGE:
            said += failures(tree)
        found += [f"{path.relative_to(BRIDGE)}:{one.lineno}" for one in said if is_bare(one)]
    assert found == [], "make a sentence of it: bridge.language.say"
