from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.api import schema
from bridge.api.lenient import UnreadableAnswer
from bridge.api.schema import InboxRow, SendRequest, UnreadableRow
from bridge.model import Quota

CODE = "2020082610003492"


def reply(value: object) -> schema.Reply:
    return schema.read_reply(json.dumps(value).encode())


ROW = {
    "sender": "posta-certificata@pecmassiva.com",
    "recipient": "dev-api@pecmassiva.com",
    "date": "Wed, 26 Aug 2020 10:00:35 +0200",
    "object": f"ACCETTAZIONE: Invio di prova pec massiva {CODE}",
    "id": 1,
}


# --- the envelope -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "success", "code"),
    [
        ({"success": True, "sent": 1, "message": "", "message_id": CODE}, True, CODE),
        ({"success": "true", "message_id": int(CODE)}, True, CODE),
        ({"success": 1, "data": {"message_id": f" {CODE} "}}, True, CODE),
        ({"success": True, "data": {"message_id": int(CODE)}}, True, CODE),
        ({"success": "0", "message_id": CODE}, False, CODE),
        ({"success": None, "message_id": None}, None, None),
        ({"success": [], "data": []}, None, None),
        ({}, None, None),
    ],
)
def test_verdict_and_code(answer: object, success: bool | None, code: str | None) -> None:
    opened = reply(answer)
    assert opened.success is success
    assert opened.code_like == code


@pytest.mark.parametrize(
    ("code", "is_code"),
    [
        (CODE, True),
        ("202009211526363", True),
        ("20200921152636123456", True),
        ("20200921152636", False),
        ("202009211526361234567", False),
        ("20201321152636123", False),
        ("errore SMTP", False),
        ("٢٠٢٠٠٩٢١١٥٢٦٣٦٣", False),
        ("", False),
        (CODE + "\r\n", False),
        (f"/send/{CODE}", False),
        (f"<b>{CODE}</b>", False),
        ([CODE], False),
        ({"code": CODE}, False),
        (float(CODE), False),
        (True, False),
        (False, False),
        (0, False),
    ],
)
def test_code_like(code: object, is_code: bool) -> None:
    assert reply({"success": False, "message_id": code}).code_like == (code if is_code else None)


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ("Result empty", "Result empty"),
        ("  Result empty\n", "Result empty"),
        ('{"error": {"code": 7, "message": "no wallet"}}', "no wallet"),
        ({"message": '{"message": "deep"}'}, "deep"),
        (["one", {"error": "two"}], "one; two"),
        ("{not json", "{not json"),
        (7, "7"),
        (None, ""),
        ({}, ""),
        ({"code": 3}, '{"code": 3}'),
    ],
)
def test_the_words_of_an_answer_also_out_of_nested_json(message: object, words: str) -> None:
    assert reply({"success": False, "message": message}).message == words


@pytest.mark.parametrize(
    "content",
    [b"", b"null", b"[]", b'"x"', b"<html>502</html>", b"{", b"\xff\xfe", b"[" * 100_000],
    ids=["empty", "null", "list", "string", "html", "cut", "binary", "deep"],
)
def test_what_is_no_answer(content: bytes) -> None:
    with pytest.raises(UnreadableAnswer):
        schema.read_reply(content)


def test_charsets() -> None:
    assert schema.read_reply('\ufeff{"message": "è"}'.encode()).message == "è"
    assert schema.read_reply('{"message": "è"}'.encode("cp1252")).message == "è"
    damaged = '{"message": "perché'.encode() + b' \xe1"}'
    assert schema.read_reply(damaged).message == "perché \ufffd"


# --- GET /inbox -------------------------------------------------------------------------------


def test_page_as_described() -> None:
    page = schema.read_page(
        reply({"data": [ROW], "success": True, "total": 981, "page": 39, "n_of_pages": 39})
    )
    (row,) = page.rows
    assert isinstance(row, InboxRow)
    assert (page.page, page.total, page.page_count) == (39, 981, 39)
    assert row.api_id == "1"
    assert row.subject == ROW["object"]
    assert row.date is not None
    assert row.date.isoformat() == "2020-08-26T10:00:35+02:00"
    assert json.loads(row.raw) == ROW


@pytest.mark.parametrize(
    ("given_id", "api_id"),
    [(3, "3"), ("3", "3"), ("INBOX/3", "INBOX/3"), (0, "0"), (10**40, "1" + "0" * 40), (-1, "-1")],
)
def test_ids_are_kept_as_given(given_id: object, api_id: str) -> None:
    (row,) = schema.read_page(reply({"data": [{**ROW, "id": given_id}]})).rows
    assert isinstance(row, InboxRow)
    assert row.api_id == api_id


@pytest.mark.parametrize(
    "item",
    [
        None,
        7,
        "row",
        [],
        {},
        {**ROW, "id": None},
        {**ROW, "id": ""},
        {**ROW, "id": {}},
        {**ROW, "id": True},
    ],
    ids=str,
)
def test_a_row_without_id_is_kept_raw_beside_good_ones(item: object) -> None:
    page = schema.read_page(reply({"data": [item, ROW]}))
    assert page.rows[0] == UnreadableRow(json.dumps(item))
    assert isinstance(page.rows[1], InboxRow)


@pytest.mark.parametrize(
    "spelling",
    [
        {"data": ROW["date"], "subject": ROW["object"], "id": "1"},
        {"date": None, "data": ROW["date"], "object": None, "subject": ROW["object"], "id": 1},
    ],
)
def test_other_spellings_of_a_row(spelling: dict[str, Any]) -> None:
    (row,) = schema.read_page(reply({"data": [spelling]})).rows
    assert isinstance(row, InboxRow)
    assert row.date_text == ROW["date"]
    assert row.subject == ROW["object"]
    assert row.sender == ""


def test_fields_of_other_types_become_text() -> None:
    item = {"sender": ["a@x", "b@x"], "recipient": {"a": 1}, "date": 5, "object": True, "id": 1}
    (row,) = schema.read_page(reply({"data": [item]})).rows
    assert isinstance(row, InboxRow)
    assert (row.sender, row.recipient, row.date_text) == ("a@x, b@x", '{"a": 1}', "5")
    assert (row.subject, row.date) == ("true", None)


def test_lone_surrogates_become_storable() -> None:
    page = schema.read_page(schema.read_reply(b'{"data": [{"id": 1, "object": "a\\ud800b"}]}'))
    (row,) = page.rows
    assert isinstance(row, InboxRow)
    assert row.subject == "a\ufffdb"
    row.raw.encode()


@pytest.mark.parametrize(
    ("figures", "expected"),
    [
        ({"page": "2", "total": "981", "n_of_pages": "39.24"}, (2, 981, 39)),
        ({"page": 2.0, "total": None}, (2, None, None)),
        ({"page": "two", "total": [], "n_of_pages": 10**30}, (None, None, None)),
        ({"total": True}, (None, None, None)),
    ],
)
def test_figures_of_a_page(
    figures: dict[str, Any], expected: tuple[int | None, int | None, int | None]
) -> None:
    page = schema.read_page(reply({"data": [], **figures}))
    assert (page.page, page.total, page.page_count) == expected


def test_lists_of_php() -> None:
    assert len(schema.read_page(reply({"data": {"0": ROW, "2": ROW}})).rows) == 2
    assert len(schema.read_page(reply({"data": ROW})).rows) == 1
    assert schema.read_page(reply({"data": None})).rows == ()


@pytest.mark.parametrize("answer", [{"success": True}, {"data": "x"}, {"data": 7}])
def test_an_answer_without_a_list(answer: object) -> None:
    with pytest.raises(UnreadableAnswer):
        schema.read_page(reply(answer))


# --- GET /inbox/{id} --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "answer",
    [
        {"data": {**ROW, "body": "a+b"}, "success": True, "message": "OK"},
        {"data": [{**ROW, "body": "a+b"}]},
        {"data": {**ROW, "body": None, "message": "a+b"}},
        {**ROW, "body": "a+b"},
    ],
    ids=["described", "in a list", "as message", "at the top"],
)
def test_message(answer: object) -> None:
    message = schema.read_message(reply(answer), "77")
    assert message.body == "a+b"
    assert message.row.api_id == "77"
    assert message.row.subject == ROW["object"]
    assert "a+b" not in message.row.raw


@pytest.mark.parametrize("answer", [{"data": None}, {"data": []}, {"data": [ROW, ROW]}, {}])
def test_no_message(answer: object) -> None:
    with pytest.raises(UnreadableAnswer):
        schema.read_message(reply(answer), "1")


# --- GET /send/{code}, GET /quota -------------------------------------------------------------


def test_status_rows_say_data_for_date() -> None:
    item = {
        "sender": "s",
        "recipient": "r",
        "data": "Wed, 26 Aug 2020 10:00:35 +0200",
        "object": f"CONSEGNA: x {CODE}",
        "message": None,
    }
    (row,) = schema.read_status(reply({"data": [item, None], "success": True}))
    assert row.date is not None
    assert (row.subject, row.body) == (item["object"], "")


KIB = 1024


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"data": {"usage": 171012, "limit": 1048576}}, Quota(171012 * KIB, KIB**3)),
        ({"data": {"usage": "171012", "limit": "1048576"}}, Quota(171012 * KIB, KIB**3)),
        ({"data": {"usage": 512, "limit": 1024}}, Quota(KIB**3 // 2, KIB**3)),
        ({"data": {"usage": 2**29, "limit": 2**30}}, Quota(KIB**3 // 2, KIB**3)),
        ({"usage": 5, "limit": None}, Quota(5 * KIB**2, 0)),
        ({"data": {"usage": 1.5, "limit": -1}}, Quota(KIB**2, 0)),
    ],
)
def test_quota(answer: object, expected: Quota) -> None:
    assert schema.read_quota(reply(answer)) == expected


def test_no_quota() -> None:
    with pytest.raises(UnreadableAnswer):
        schema.read_quota(reply({"data": {"usage": None}}))


# --- properties -------------------------------------------------------------------------------

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=10),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["data", "id", "date", "object", "body", "message", "success", "message_id", "0"]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)


@given(JSON)
def test_any_json_is_read_or_unreadable(value: object) -> None:
    try:
        opened = reply(value)
    except UnreadableAnswer:
        return
    for read in (
        schema.read_page,
        schema.read_status,
        schema.read_quota,
        lambda opened: schema.read_message(opened, "1"),
    ):
        try:
            read(opened)
        except UnreadableAnswer:
            continue


@pytest.mark.parametrize(
    ("sender", "recipients"), [("", ("a@x",)), ("a@x", ()), ("a@x", ("b@x", ""))]
)
def test_an_impossible_send_cannot_be_built(sender: str, recipients: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="needs a sender"):
        SendRequest(sender, recipients, "s", "b")
