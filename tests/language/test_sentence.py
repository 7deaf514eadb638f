"""Sentences: what they say in each language, and that they survive where they are kept."""

from __future__ import annotations

import copy
import json
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.language import (
    NOTHING,
    Sentence,
    Title,
    Voice,
    listed,
    packed,
    rendered,
    said_by,
    said_in,
    say,
    unpacked,
)

WAITS = say(
    "Waits behind {id}: {why}",
    id="A1",
    why=say("{what} ({named}).", what=say("The API did not answer in time"), named="HTTP 504: x"),
)
ITALIAN = "Attende dopo A1: L'API non ha risposto in tempo (HTTP 504: x)."
NAMES = st.text("abcdefgh", min_size=1, max_size=5)


def sentences() -> st.SearchStrategy[Sentence]:
    texts = st.text(max_size=20)
    values = st.dictionaries(NAMES, texts | st.deferred(sentences), max_size=3)
    patterns = st.text(max_size=20).map(lambda text: text.replace("\x1f", ""))
    return st.builds(Sentence, patterns | NAMES.map(lambda name: f"x {{{name}}}"), values)


def test_a_sentence_is_its_english_text() -> None:
    english = "Waits behind A1: The API did not answer in time (HTTP 504: x)."
    assert english == WAITS
    assert json.dumps(WAITS) == json.dumps(english)
    assert (said_in(WAITS, "en"), type(said_in(WAITS, "en"))) == (english, str)


def test_a_sentence_within_another_is_translated_with_it() -> None:
    assert said_in(WAITS, "it") == ITALIAN


def test_foreign_words_are_neither_translated_nor_filled_in() -> None:
    told = say("{what} ({named}).", what=say("The API refused the request"), named="{what} queued")
    assert said_in(told, "it") == "L'API ha rifiutato la richiesta ({what} queued)."


def test_both_languages_are_said_once_where_they_agree() -> None:
    assert said_by(WAITS, "both") == f"{ITALIAN} / {WAITS}"
    assert said_by("MySQL Error 1", "both") == "MySQL Error 1"
    assert said_by(NOTHING, "both") == ""


def test_of_parts_in_a_row_each_is_said_in_both() -> None:
    row = listed("  |  ", ["Fattura", "", "A1", say("The API did not answer in time")])
    assert row == "Fattura  |  A1  |  The API did not answer in time"
    assert said_in(row, "it") == "Fattura  |  A1  |  L'API non ha risposto in tempo"
    assert said_by(row, "both") == (
        "Fattura  |  A1  |  L'API non ha risposto in tempo / The API did not answer in time"
    )


@given(sentences())
def test_what_is_kept_is_the_same_sentence(one: Sentence) -> None:
    kept = unpacked(packed(one))
    shown = "".join(" " if char == "\x1f" else char for char in one)
    assert kept == shown
    assert kept.pattern == one.pattern
    assert set(kept.values) == set(one.values)


@given(st.text())
def test_what_others_say_is_never_taken_for_a_sentence(text: str) -> None:
    kept = unpacked(packed(text))
    assert (kept, kept.values) == (text.replace("\x1f", " "), {})


@pytest.mark.parametrize("text", ["a\x1f", "a\x1f[]", 'a\x1f{"b": 1}', "a\x1f{", "\x1f\x1f"])
def test_what_is_damaged_is_still_a_text(text: str) -> None:
    assert unpacked(text) == text.partition("\x1f")[0]


def test_copies_and_pickles_know_what_they_say() -> None:
    for one in (copy.deepcopy(WAITS), pickle.loads(pickle.dumps(WAITS))):
        assert said_in(one, "it") == ITALIAN


@pytest.mark.parametrize(
    ("title", "italian", "english"),
    [
        (
            "Invio incerto / Uncertain send: a / b: c",
            "Invio incerto: a / b: c",
            "Uncertain send: a / b: c",
        ),
        ("Dati ripristinati / Data restored", "Dati ripristinati", "Data restored"),
        ("An older text", "An older text", "An older text"),
        ("One: two / three", "One: two / three", "One: two / three"),
    ],
)
def test_a_title_has_a_half_for_each(title: str, italian: str, english: str) -> None:
    assert [Title(title).said_in(one) for one in ("it", "en")] == [italian, english]
    assert [rendered(Title(title), one) for one in ("it", "en", "both")] == [
        italian,
        english,
        title,
    ]


def test_facts_are_in_one_language_and_others_words_stay() -> None:
    facts = {"rows": [{"reason": WAITS, "subject": "queued", "count": 1}], "none": None}
    assert rendered(facts, "it") == {
        "rows": [{"reason": ITALIAN, "subject": "queued", "count": 1}],
        "none": None,
    }
    assert rendered(facts, "both") == rendered(facts, "en") == facts


def test_a_voice_links_where_there_is_a_page() -> None:
    assert Voice("it", "https://pec.example").link("/sent/1") == "https://pec.example/sent/1"
    assert Voice().link("/sent/1") == ""
