"""What the mailbox host may say of a mailbox, in every spelling."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.api import mailbox_schema as schema
from bridge.api.lenient import UnreadableAnswer
from bridge.api.mailbox_schema import MailboxState, Space, read_mailbox, read_mailboxes

BOX = {"id": "6040e4613a716838dc4eee0e", "casella_pec": "a@pecmassiva.com"}


def test_a_whole_mailbox() -> None:
    read = read_mailbox(
        BOX
        | {
            "tipo_casella": "bronze",
            "stato": "in_evasione",
            "data_scadenza": "04/03/2022",
            "timestamp": {"registrazione": 1614865504, "scadenza": "1646391493"},
            "nome_richiedente": "mario",
            "cognome_richiedente": "rossi",
            "callback": {"url": "https://e.it"},
            "spazio_disco": "3072",
            "autorinnovo": "false",
            "multiutenza": [{"nome": "luca", "userid": "MA1"}],
        }
    )
    assert (read.kind, read.state, read.expires_on) == (
        "BRONZE",
        MailboxState.IN_PROGRESS,
        date(2022, 3, 4),
    )
    assert read.registered_at == datetime(2021, 3, 4, 13, 45, 4, tzinfo=UTC)
    assert (read.applicant, read.callback_url, read.disk_space) == (
        "mario rossi",
        "https://e.it",
        3072,
    )
    assert read.renews_itself is False
    assert read.users[0].login == "MA1"


@pytest.mark.parametrize("callback", [False, None, [], "x"])
def test_what_is_absent_is_empty(callback: object) -> None:
    read = read_mailbox(BOX | {"callback": callback, "timestamp": None, "multiutenza": None})
    assert (read.callback_url, read.expires_on, read.users) == ("", None, ())


def test_without_a_date_the_expiry_is_its_time() -> None:
    read = read_mailbox(BOX | {"data_scadenza": "", "timestamp": {"scadenza": 1646391493}})
    assert read.expires_on == date(2022, 3, 4)


@pytest.mark.parametrize("word", [one.value for one in MailboxState if one.value])
def test_every_state_is_known(word: str) -> None:
    assert read_mailbox(BOX | {"stato": word}).state.value == word


def test_a_state_that_is_new_keeps_its_word() -> None:
    read = read_mailbox(BOX | {"stato": "sospesa"})
    assert (read.state, read.state_text) == (MailboxState.UNKNOWN, "sospesa")


@pytest.mark.parametrize("data", [None, [], [BOX, BOX], "x", {}, {"id": "x"}, {"casella_pec": "y"}])
def test_what_is_no_mailbox(data: object) -> None:
    with pytest.raises(UnreadableAnswer):
        read_mailbox(data)


def test_a_list_keeps_what_can_be_read() -> None:
    assert len(read_mailboxes([BOX, {}, "x", BOX])) == 2
    assert len(read_mailboxes({"0": BOX, "3": BOX})) == 2
    assert read_mailboxes(None) == ()


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


FIELDS = (
    *("stato", "timestamp", "callback", "multiutenza", "data_scadenza", "spazio_disco"),
    *("documenti_attivazione", "autorinnovo"),
)


@given(st.dictionaries(st.sampled_from(FIELDS), json_values))
def test_no_value_of_a_field_breaks_the_reading(more: dict[str, object]) -> None:
    read = read_mailbox(BOX | more)
    read_mailboxes(more)
    str(read).encode()


def test_a_registration_puts_the_callback_into_one_object() -> None:
    values = {"casella_pec": "a@b.it", "autorinnovo": False, "callback_url": "https://e.it"}
    assert json.loads(schema.registration_body(values)) == {
        "casella_pec": "a@b.it",
        "autorinnovo": False,
        "callback": {"url": "https://e.it"},
    }
    assert "callback" not in json.loads(schema.registration_body({"casella_pec": "a@b.it"}))


def test_space_is_added_as_text_and_set_as_a_number() -> None:
    body = json.loads(schema.space_body(Space(disk="+1024", history="3072")))
    assert body == {"spazio_disco": "+1024", "spazio_storico": 3072}


def test_one_document_is_a_text_and_several_are_a_list() -> None:
    assert json.loads(schema.documents_body((b"a",))) == {"documenti": "YQ=="}
    assert json.loads(schema.documents_body((b"a", b"b"))) == {"documenti": ["YQ==", "Yg=="]}
