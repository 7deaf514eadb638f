from __future__ import annotations

import pytest
from hypothesis import given

from bridge.mime.address import Address, parse_addresses
from tests.mime.strategies import fields

NO_MAILBOX = b"MISSING_MAILBOX"
NO_DOMAIN = b"MISSING_DOMAIN"
END = Address(None, None, None, None)


def plain(mailbox: bytes, domain: bytes, name: bytes | None = None) -> Address:
    return Address(name, None, mailbox, domain)


@pytest.mark.parametrize(
    ("value", "addresses"),
    [
        pytest.param(b"", [], id="nothing"),
        pytest.param(b" \n\t", [], id="blank"),
        pytest.param(b"a@b.it", [plain(b"a", b"b.it")], id="bare"),
        pytest.param(b"<a@b>", [plain(b"a", b"b")], id="angle"),
        pytest.param(b"A B <a@b>", [plain(b"a", b"b", b"A B")], id="name"),
        pytest.param(b'"A, B" <a@b>', [plain(b"a", b"b", b"A, B")], id="quoted name"),
        pytest.param(b'"A \\"B\\"" <a@b>', [plain(b"a", b"b", b'A "B"')], id="quotes in it"),
        pytest.param(b"A. B <a@b>", [plain(b"a", b"b", b"A. B")], id="dot in the name"),
        pytest.param(b"a@b (A B)", [plain(b"a", b"b", b"A B")], id="name in a comment"),
        pytest.param(b"a (x) @ b (y)", [plain(b"a", b"b", b"y")], id="blanks and comments"),
        pytest.param(b"a@b,\n c@d", [plain(b"a", b"b"), plain(b"c", b"d")], id="two"),
        pytest.param(b'"a b"@c', [plain(b"a b", b"c")], id="quoted local part"),
        pytest.param(b"a@[1.2.3.4]", [plain(b"a", b"[1.2.3.4]")], id="domain literal"),
        pytest.param(b"\xc3\xa8 <\xc3\xa8@b>", [plain(b"\xc3\xa8", b"b", b"\xc3\xa8")], id="UTF-8"),
        pytest.param(
            b"=?utf-8?q?=C3=A8?= <a@b>", [plain(b"a", b"b", b"=?utf-8?q?=C3=A8?=")], id="encoded"
        ),
        pytest.param(b"<@r,@s:a@b>", [Address(None, b"@r,@s", b"a", b"b")], id="route"),
        pytest.param(
            b"g: a@b, c@d;",
            [Address(None, None, b"g", None), plain(b"a", b"b"), plain(b"c", b"d"), END],
            id="group",
        ),
        pytest.param(b"g:;", [Address(None, None, b"g", None), END], id="empty group"),
        pytest.param(b".a..b.@c", [plain(b".a..b.", b"c")], id="dots where none may be"),
        pytest.param(b"word", [plain(b"word", NO_DOMAIN)], id="a word"),
        pytest.param(b"two words", [plain(NO_MAILBOX, NO_DOMAIN, b"two words")], id="words"),
        pytest.param(b"<>", [plain(NO_MAILBOX, NO_DOMAIN)], id="null"),
        pytest.param(b"A <a@b", [plain(b"a", b"SYNTAX_ERROR", b"A")], id="unclosed"),
        pytest.param(b"a@", [plain(b"a", NO_DOMAIN)], id="no domain"),
        pytest.param(b"@b", [plain(NO_MAILBOX, b"b")], id="no mailbox"),
        pytest.param(
            b"a@b,(open", [plain(b"a", b"b"), plain(NO_MAILBOX, NO_DOMAIN)], id="open comment"
        ),
        pytest.param(
            b'"a\0b" <c@d>', [plain(b"c", b"d", "a\N{REPLACEMENT CHARACTER}b".encode())], id="NUL"
        ),
    ],
)
def test_addresses(value: bytes, addresses: list[Address]) -> None:
    assert list(parse_addresses(value)) == addresses


@given(fields)
def test_anything_is_some_list(value: bytes) -> None:
    for address in parse_addresses(value):
        assert all(text is None or b"\0" not in text for text in address)
        assert address.mailbox is not None or address == END


def test_a_megabyte_of_commas_is_no_flood() -> None:
    assert len(parse_addresses(b"(c)," * 250_000)) <= 20_001
