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
    "OperationFailed": 0,
    "StoreFailed": 0,
    "StoreFull": 0,
    "ProblemFound": 1,
    "refused": 2,
    "AutodiscoverFault": 1,
    "ConfigFault": 1,
    "SecretFault": 0,
    "CannotEdit": 0,
    "DataFault": 0,
    "CannotTake": 0,
    "Unusable": 1,
    "UnreadableAnswer": 0,
    "PdfFault": 0,
    "TraceFault": 0,
    "NoTaxCode": 0,
    "NotToml": 0,
    "NoManifest": 0,
    "FieldFault": 1,
    "FormField": 2,
    "Unsendable": 0,
    "TryReport": 1,
    "Rejected": 0,
    "UsageFault": 0,
    "MessageFault": 1,
    "BadParameter": 0,
    "FileExistsError": 1,
    "IsADirectoryError": 1,
    "tell": 0,
    "confirm": 0,
    "ask_line": 0,
    "prompt": 0,
    "echo": 0,
    "print_table": 2,
    "ok": 1,
    "warning": 1,
    "failed": 1,
    "skipped": 1,
    "unasked": 0,
}
"""What carries a sentence to people, and which of its arguments that is."""

OF_THE_COMMAND_LINE = frozenset({"tell", "ok", "warning", "failed", "skipped"})
"""Functions of which others' methods have the names, such as the log's."""

MENDED = {"warning": 2, "failed": 2}
"""What carries a second one: what mends it."""

FAULTS_ARE_VALUE_ERRORS = frozenset(
    {
        "config/values.py",
        "credentials/local.py",
        "credentials/signing.py",
        "net/listen.py",
        "registration/choices.py",
        "registration/places.py",
        "registration/taxcode.py",
        "registration/values.py",
        "web/password.py",
    }
)
"""Where a ``ValueError`` says what is wrong with what a person wrote."""

CAUGHT = frozenset({"error", "fault", "failure", "refusal"})
"""What an exception is called here: ``str`` of it keeps the English alone."""

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
        if isinstance(function, ast.Attribute) and name in OF_THE_COMMAND_LINE:
            continue
        for place in (SAYS, MENDED):
            if name in place and len(node.args) > place[name]:
                yield node.args[place[name]]
        if name in SAYS or name in REASONED:
            named = ("reason", "sentence", "unasked", "against")
            yield from (one.value for one in node.keywords if one.arg in named)


def is_bare(node: ast.expr) -> bool:
    """Tell whether somebody is told a text that is in no catalogue."""
    if isinstance(node, ast.IfExp):
        return is_bare(node.body) or is_bare(node.orelse)
    if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "str":
        return bool(node.args) and getattr(node.args[0], "id", "") in CAUGHT
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
        ("OperationFailed(str(fault))", True),
        ("tell(visible(facts['running']))", False),
        ("failed(what, error.reason, 'wait, or ask the service')", True),
        ("log.warning('hook_try_failed', f'{a} b')", False),
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
        if "simulator" not in path.relative_to(BRIDGE).parts
    ]


def value_errors(tree: ast.AST) -> Iterator[ast.expr]:
    """Yield what a source says is wrong with values."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "ValueError":
            yield from node.args[:1]


def test_nothing_is_said_past_the_catalogues() -> None:
    found = []
    for path in sources():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        said = list(carried(tree))
        if path.relative_to(BRIDGE).as_posix() in FAULTS_ARE_VALUE_ERRORS:
            said += value_errors(tree)
        found += [f"{path.relative_to(BRIDGE)}:{one.lineno}" for one in said if is_bare(one)]
    assert found == [], "make a sentence of it: bridge.language.say"
