"""JSON whose form may be anything: each kind of value from whatever stands for it."""

from __future__ import annotations

import pytest

from bridge.api.lenient import UnreadableAnswer, as_code, as_text, as_truth, as_whole, load_json


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, ""), ("a", "a"), (7, "7"), (["a", None, 2], "a, , 2"), ("\ud800", "\ufffd")],
)
def test_texts(value: object, text: str) -> None:
    assert as_text(value) == text


@pytest.mark.parametrize(
    ("value", "number"),
    [(7, 7), ("7", 7), (7.9, 7), ("x", None), (True, None), ("inf", None), (10**18, None)],
)
def test_whole_numbers(value: object, number: int | None) -> None:
    assert as_whole(value) == number


@pytest.mark.parametrize(
    ("value", "truth"),
    [(True, True), (0, False), (" TRUE ", True), ("", None), ("maybe", None), ([], None)],
)
def test_yes_and_no(value: object, truth: bool | None) -> None:
    assert as_truth(value) is truth


@pytest.mark.parametrize(
    ("value", "code"), [(" 1 ", "1"), (1, "1"), (None, ""), (True, "true"), (["1"], '["1"]')]
)
def test_nothing_is_made_into_a_code(value: object, code: str) -> None:
    assert as_code(value) == code


@pytest.mark.parametrize("content", [b"", b"{", b"<html>", b"[" * 100_000])
def test_what_is_no_json(content: bytes) -> None:
    with pytest.raises(UnreadableAnswer):
        load_json(content)


def test_an_absurd_number_keeps_its_digits() -> None:
    assert load_json(b"[123, " + b"9" * 5_000 + b"]") == [123, "9" * 5_000]
