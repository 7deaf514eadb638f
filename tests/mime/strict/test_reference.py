from __future__ import annotations

import pytest

from bridge.limits import REFERENCE_CHARS
from bridge.mime.strict.field import Unreadable
from bridge.mime.strict.reference import reference_of
from bridge.mime.strict.submission import Envelope, check_submission
from tests.mime.strict.test_submission import ADDITIONS, RULES, SENDER, TO, message, refused


@pytest.mark.parametrize(
    ("values", "envid", "reference"),
    [
        ([], "", ""),
        (["ORD-2026/17"], "", "ORD-2026/17"),
        (["  a \t b\x07 "], "", "a b"),
        (["=?utf-8?Q?Pr=C3=A0tica?= 7"], "", "Pràtica 7"),
        (["=?utf-8?Q?a=0D=0AX-Other:_b?="], "", "a X-Other: b"),
        ([""], "E1", "E1"),
        (["R1"], "E1", "R1"),
        (["R1", "R1"], "", "R1"),
        (["x" * REFERENCE_CHARS], "", "x" * REFERENCE_CHARS),
    ],
)
def test_what_a_message_is_called(values: list[str], envid: str, reference: str) -> None:
    assert reference_of(values, envid) == reference


def test_what_is_too_long_is_refused_and_not_cut() -> None:
    fault = refused(message(X_PEC_Reference="x" * (REFERENCE_CHARS + 1)))
    assert (fault.code, fault.status) == (554, "5.6.0")
    assert f"{REFERENCE_CHARS + 1} characters, and {REFERENCE_CHARS} are kept" in fault.sentence


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (["a", "b"], "two"),
        (["a\u202eb"], "cannot be seen"),
        (["=?utf-8?Q?=FF?="], "X-PEC-Reference has letters"),
    ],
)
def test_what_names_nothing_for_certain_is_refused(values: list[str], reason: str) -> None:
    with pytest.raises(Unreadable, match=reason):
        reference_of(values, "")


def test_the_field_goes_before_the_envelope() -> None:
    envelope = Envelope(SENDER, (TO,), envid="E1")
    assert check_submission(message(), envelope, RULES, ADDITIONS).reference == "E1"
    named = message(X_PEC_Reference="R1")
    assert check_submission(named, envelope, RULES, ADDITIONS).reference == "R1"
    assert check_submission(named, envelope, RULES, ADDITIONS).left_behind == ()
