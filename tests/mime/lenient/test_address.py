from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.mime.lenient.address import Address, parse_addresses
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
        pytest.param(b"u@v.it <a@b>", [plain(b"a", b"b", b"u@v.it")], id="address for a name"),
        pytest.param(b"[x] y <a@b>", [plain(b"a", b"b", b"[x] y")], id="brackets in the name"),
        pytest.param(b"A B [x] <a@b>", [plain(b"a", b"b", b"A B [x]")], id="brackets behind it"),
        pytest.param(b"A; B <a@b>", [plain(b"a", b"b", b"A; B")], id="semicolon in the name"),
        pytest.param(b"A  @\n B <a@b>", [plain(b"a", b"b", b"A @ B")], id="sign in the name"),
        pytest.param(b'A "B" @ C <a@b>', [plain(b"a", b"b", b"A B @ C")], id="quotes inside"),
        pytest.param(
            b"u@v <a@b>, c@d, [x] <e@f>",
            [plain(b"a", b"b", b"u@v"), plain(b"c", b"d"), plain(b"e", b"f", b"[x]")],
            id="several",
        ),
        pytest.param(b"a@b (A <c@d>)", [plain(b"a", b"b", b"A <c@d>")], id="one in a comment"),
        pytest.param(
            b"u@v (<c@d>) x <a@b>", [plain(b"a", b"b", b"u@v (<c@d>) x")], id="and one in brackets"
        ),
        pytest.param(b'1/2" srl <a@b>', [plain(b"a", b"b", b"1/2 srl")], id="a quote never closed"),
        pytest.param(b"A @ (B <a@b>", [plain(b"a", b"b", b"A @ (B")], id="a comment never closed"),
        pytest.param(b"a@b; C <d@e>", [plain(b"a", b"b")], id="semicolon for a comma"),
        pytest.param(b"a@b <@r:c>", [plain(b"a", b"b")], id="address, and a route to nowhere"),
        pytest.param(b"a@b <>", [plain(b"a", b"b")], id="address and empty brackets"),
        pytest.param(b"a@b <word>", [plain(b"a", b"b")], id="address and a word in brackets"),
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
        pytest.param(
            b"a\0: b <c@d>",
            [plain(b"c", b"d", "a\N{REPLACEMENT CHARACTER}: b".encode())],
            id="NUL in no name",
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


names = st.text("Rossi @;[].\\ a'", min_size=1, max_size=12).map(str.encode)


@given(st.lists(names, min_size=1, max_size=4))
def test_whatever_name_it_has_the_address_is_in_the_brackets(spelled: list[bytes]) -> None:
    sure = [name for name in spelled if b"@" not in name.rpartition(b";")[0]]
    value = b", ".join(b"%b <m%d@x.it>" % (name, at) for at, name in enumerate(sure))
    found = [(one.mailbox, one.domain) for one in parse_addresses(value)]
    assert found == [(b"m%d" % at, b"x.it") for at in range(len(sure))]


@pytest.mark.parametrize(
    "piece", [b"a@ ", b'a@ ",', b"[x] ", b'a@ "x', b"(a@b <", b"a@b <c, ", b"@(", b'"(', b'@"<']
)
def test_very_many_odd_names_take_no_more_than_their_time(piece: bytes) -> None:
    start_s = time.process_time()
    parse_addresses(piece * (500_000 // len(piece)))
    assert time.process_time() - start_s < 2, "a fifth of it if linear"
