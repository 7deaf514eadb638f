"""A long list in an object is read as ``json.loads`` reads it, an item at a time."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bridge.api.items import object_with_items
from bridge.api.lenient import UnreadableAnswer, load_items, load_json, text_of
from tests.api.whole import whole
from tests.costs.measure import assert_linear, peak

DECODER = json.JSONDecoder()

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)
names = st.sampled_from(["data", "success", "dat", "0"]) | st.text()
gaps = st.dictionaries(st.integers(0, 99).map(str), values)
datas = st.lists(values) | gaps | values


def both(text: str) -> tuple[object, list[object] | None]:
    """Read in pieces; return also the items as they should be."""
    members, items = whole(object_with_items(text, "data", lambda item: item, DECODER))
    value = json.loads(text)
    if items is None:
        assert members == value
        return members, items
    assert isinstance(value, dict)
    data = value["data"]
    assert members == value | {"data": None}
    assert items == (list(data.values()) if isinstance(data, dict) else data)
    return members, items


@given(st.dictionaries(names, values), datas, st.sampled_from([None, 0, 1, "\t"]), st.booleans())
def test_it_says_what_json_loads_says(
    members: dict[str, Any], data: object, indent: Any, ascii_: bool
) -> None:
    value = {**members, "data": data}
    _, items = both(json.dumps(value, indent=indent, ensure_ascii=ascii_))
    is_list = isinstance(data, dict) and all(name.isdigit() for name in data)
    assert (items is not None) is (isinstance(data, list) or is_list)


@given(st.text(alphabet='{}[]:,"\\ \n01e-.tfndaul', max_size=40))
@example('{"data": [1,]}')
@example('{"data": [1] "a": 2}')
@example('{"data": [1]} x')
@example('{"data": {"1": 2, "a": [3}}')
@example('{"data": [], "data": {"b": 1}, "data": [2]}')
@example('{"data": {"1": 1, "1": 2}}')
@example("{1: 2}")
@example('{"data" [1]}')
@example("[1]")
@example("")
def test_what_is_no_json_is_none_here_either(text: str) -> None:
    try:
        json.loads(text)
    except ValueError:
        with pytest.raises(ValueError, match=r"^(Exp|Ext|Inv|Unt)"):
            whole(object_with_items(text, "data", lambda item: item, DECODER))
    else:
        both(text)


@pytest.mark.parametrize("content", [b"", b"{", b"<html>", b'{"data": ' + b"[" * 100_000])
def test_an_answer_that_is_none(content: bytes) -> None:
    with pytest.raises(UnreadableAnswer):
        whole(load_items(text_of(content), "data", lambda item: item))


def test_numbers_and_names_of_no_number_are_as_elsewhere() -> None:
    content = b'{"data": [' + b"9" * 5_000 + b", NaN, -Infinity, 1.5]}"
    assert whole(load_items(text_of(content), "data", lambda item: item))[1] == load_json(
        content[9:-1]
    )


def rows(count: int) -> str:
    row = {"id": "1", "sender": "a@b.example", "object": "x" * 60, "date": "today"}
    return json.dumps({"success": True, "data": [row] * count, "total": count})


def test_many_rows_take_linear_time() -> None:
    assert_linear(lambda text: whole(object_with_items(text, "data", str, DECODER)), rows, 2_000)


def test_one_row_is_held_at_a_time() -> None:
    text = rows(20_000)
    with peak() as at_once:
        json.loads(text)
    with peak() as held:
        whole(object_with_items(text, "data", lambda item: None, DECODER))
    assert held.size_bytes < at_once.size_bytes / 10
