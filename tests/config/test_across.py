"""Settings that are fine alone and cannot be together."""

from __future__ import annotations

import pytest

from bridge.config import ConfigError, parse

API = '[api]\ntoken = { env = "T" }\n'


def account(address: str, username: str | None = None) -> str:
    named = "" if username is None else f'username = "{username}"\n'
    return f'[[account]]\naddress = "{address}"\n{named}password = {{ env = "P" }}\n'


def faults(text: str) -> list[str]:
    """Return what is told, from the line on."""
    try:
        parse(API + text, name="c.toml")
    except ConfigError as error:
        return [str(fault).removeprefix("c.toml:") for fault in error.faults]
    return []


TWICE = "is the name that account[1] has at the API, too: one mailbox, twice"


@pytest.mark.parametrize(
    ("first", "second", "key"),
    [
        (("a@pec.example", "azienda"), ("b@pec.example", "azienda"), "9: account[2].username"),
        (("a@pec.example", "azienda"), ("b@pec.example", "AZIENDA"), "9: account[2].username"),
        (("a@pec.example", "azienda"), ("b@pec.example", " azienda\\t"), "9: account[2].username"),
        (("a@pec.example",), ("b@pec.example", "A@pec.example"), "8: account[2].username"),
        (("a@pec.example", "b@PEC.example"), ("b@pec.example",), "8: account[2].address"),
        (("a@pec.example", "Straße"), ("b@pec.example", "STRASSE"), "9: account[2].username"),
    ],
)
def test_one_name_at_the_api_for_two_accounts(
    first: tuple[str, ...], second: tuple[str, ...], key: str
) -> None:
    assert faults(account(*first) + account(*second)) == [f"{key}: {TWICE}"]


def test_one_address_twice_is_told_once() -> None:
    assert faults(account("a@pec.example") + account("A@pec.EXAMPLE")) == [
        "7: account[2].address: is the address of an account above, too"
    ]


def test_names_that_differ_are_fine() -> None:
    assert faults(account("a@pec.example", "one") + account("b@pec.example", "two")) == []


ONE = account("a@pec.example")


@pytest.mark.parametrize(
    ("listeners", "key", "owner"),
    [
        ('[imap]\nlisten = ["127.0.0.1:99", "127.0.0.1:99"]', "imap.listen[2]", "imap.listen[1]"),
        (
            '[imap]\nlisten = ["127.0.0.1:99"]\n[smtp]\nlisten = ["smtps://127.0.0.1:99"]',
            "smtp.listen[1]",
            "imap.listen[1]",
        ),
        ('[smtp]\nlisten = ["127.0.0.1:1143"]', "smtp.listen[1]", "imap.listen"),
        ('[imap]\nlisten = ["0.0.0.0:1025"]', "smtp.listen", "imap.listen[1]"),
        ('[web]\nlisten = "localhost:1025"', "web.listen", "smtp.listen"),
        (
            '[web]\nlisten = "[::]:99"\n[imap]\nlisten = ["[::1]:99"]',
            "web.listen",
            "imap.listen[1]",
        ),
        (
            '[imap]\nlisten = ["mail.EXAMPLE:99", "mail.example:99"]',
            "imap.listen[2]",
            "imap.listen[1]",
        ),
    ],
)
def test_one_port_for_two_listeners(listeners: str, key: str, owner: str) -> None:
    (fault,) = faults(f"{ONE}{listeners}\n")
    assert f"{key}: " in fault
    assert fault.endswith(f"wants the port that {owner} has; give each its own")


@pytest.mark.parametrize(
    "listeners",
    [
        '[imap]\nlisten = ["127.0.0.1:0", "127.0.0.1:0"]',
        '[imap]\nlisten = ["127.0.0.1:99", "127.0.0.2:99", "[::1]:99"]',
        '[imap]\nlisten = ["0.0.0.0:99", "[::]:99"]',
        '[imap]\nlisten = ["127.0.0.1:98"]\n[smtp]\nlisten = ["127.0.0.1:99"]',
    ],
)
def test_listeners_that_can_be_open_at_once(listeners: str) -> None:
    assert faults(f"{ONE}{listeners}\n") == []


@pytest.mark.parametrize(
    "text",
    [
        "imap = 3",
        "smtp = []",
        "[imap]\nlisten = 7",
        '[imap]\nlisten = ["x", "x"]',
        "account = [1, {address = 2}]",
    ],
)
def test_what_is_wrong_otherwise_is_not_looked_at(text: str) -> None:
    found = faults(text)
    assert found
    assert not [fault for fault in found if "wants the port" in fault]


STRANGERS = "is wider than a private network, so strangers could send"
READABLE = "may send without TLS on 0.0.0.0:25, where others can read and change it"
HERE, OPEN = "", '[smtp]\nlisten = ["127.0.0.1:1025", "0.0.0.0:25"]\n'
PRIVATE = '[smtp]\nlisten = ["smtps://0.0.0.0:465", "127.0.0.1:1025"]\n'


@pytest.mark.parametrize(
    ("listen", "network", "told"),
    [
        (HERE, "127.0.0.1/32", None),
        (OPEN, "127.0.0.0/8", None),
        (OPEN, "::1/128", None),
        (HERE, "192.168.1.0/24", None),
        (PRIVATE, "192.168.1.0/24", None),
        (PRIVATE, "fd00::/8", None),
        (OPEN, "192.168.1.0/24", READABLE),
        (OPEN, "fd00::1/128", READABLE),
        (HERE, "0.0.0.0/0", STRANGERS),
        (HERE, "::/0", STRANGERS),
        (HERE, "192.168.0.0/15", STRANGERS),
        (HERE, "203.0.113.7/32", STRANGERS),
        (HERE, "::ffff:10.0.0.0/104", STRANGERS),
        (PRIVATE, "126.0.0.0/7", STRANGERS),
    ],
)
def test_trusting_strangers_has_to_be_said_twice(
    listen: str, network: str, told: str | None
) -> None:
    text = account("a@pec.example") + listen
    text += f'[[smtp.trusted]]\nnetwork = "{network}"\naccount = "a@pec.example"\n'
    found = faults(text)
    assert [told in one and "smtp.trusted[1].network" in one for one in found if told] == (
        [True] if told else []
    )
    assert len(found) == (1 if told else 0)
    assert faults(text + "i_know = true\n") == []


CLEAR = '[archive]\nclear_at_api = "over 70%"\n'


@pytest.mark.parametrize(
    ("also", "told"),
    [
        ("", []),
        ('[sync]\ndelete = "expunge"\n[receipts]\ntext = "always"\n', []),
        (
            '[sync]\ndelete = "never"\n',
            ['delete = "never" in [sync] forbids that: set one of them'],
        ),
        ('[receipts]\ntext = "never"\n', ['text = "never" in [receipts] reads no receipt']),
    ],
)
def test_clearing_needs_deletions_and_texts(also: str, told: list[str]) -> None:
    found = faults(ONE + CLEAR + also)
    assert [one.partition(": archive.clear_at_api: ")[2] for one in found] == [
        f"{'deletes at the API' if 'delete' in one else 'clears what was read'}, and {one}"
        for one in told
    ]
