from __future__ import annotations

import time

import pytest

from bridge.mime.row.address import Person, one_line, read_recipients, read_sender

SENDERS = [
    pytest.param('"Per conto di: a@b.it" ', ("", "a@b.it"), "", True, id="as the API shows it"),
    pytest.param(
        '"\\"Per conto di: a@b.it\\" "', ("", "a@b.it"), "", True, id="quotes kept in quotes"
    ),
    pytest.param(
        '"Per conto di: a@b.it" <posta-certificata@prov.it>',
        ("", "a@b.it"),
        "posta-certificata@prov.it",
        True,
        id="with the provider's address",
    ),
    pytest.param(
        "Per conto di: Anna Bò <a@b.it> <posta-certificata@prov.it>",
        ("Anna Bò", "a@b.it"),
        "posta-certificata@prov.it",
        True,
        id="name, address and provider",
    ),
    pytest.param(
        '"Per conto di: Anna Bò" <posta-certificata@prov.it>',
        ("Anna Bò", ""),
        "posta-certificata@prov.it",
        True,
        id="a name and the provider only",
    ),
    pytest.param("PER  CONTO DI : a@b.it", ("", "a@b.it"), "", True, id="capitals and blanks"),
    pytest.param("Per\u00a0conto di: a@b.it", ("", "a@b.it"), "", True, id="a fixed blank"),
    pytest.param("Per conto di: nessuno", ("nessuno", ""), "", True, id="no address at all"),
    pytest.param(
        '"Per conto di: a@b.it\r\nBcc: v@c.it" ', ("", "a@b.it"), "", True, id="a forged field"
    ),
    pytest.param("posta-certificata@p.it", ("", "posta-certificata@p.it"), "", False, id="bare"),
    pytest.param('"a@b.it" <a@b.it>', ("", "a@b.it"), "", False, id="an address as its own name"),
    pytest.param('"Rossi, Mario" <m@b.it>', ("Rossi, Mario", "m@b.it"), "", False, id="a name"),
    pytest.param("<m@b.it>", ("", "m@b.it"), "", False, id="in angle brackets"),
    pytest.param("'m@b.it'.", ("", "m@b.it"), "", False, id="in single quotes"),
    pytest.param("Mario Rossi", ("Mario Rossi", ""), "", False, id="words only"),
    pytest.param("mario@città.it", ("mario@città.it", ""), "", False, id="outside ASCII"),
    pytest.param("a@b@c", ("a@b@c", ""), "", False, id="two at signs"),
    pytest.param("", ("", ""), "", False, id="nothing"),
]


@pytest.mark.parametrize(("text", "author", "agent", "on_behalf"), SENDERS)
def test_senders(text: str, author: tuple[str, str], agent: str, on_behalf: bool) -> None:
    sender = read_sender(text)
    assert (sender.author.name, sender.author.address) == author
    assert (sender.agent, sender.on_behalf) == (agent, on_behalf)


@pytest.mark.parametrize(
    ("text", "is_service"),
    [
        ("posta-certificata@legalmail.it", True),
        ('"Posta Certificata" <Posta-Certificata@legalmail.it>', True),
        ('"posta-certificata@pec.it" ', True),
        ('"Per conto di: a@b.it" <posta-certificata@legalmail.it>', False),
        ('"Per conto di: posta-certificata@b.it" ', False),
        ("posta-certificate@legalmail.it", False),
        ("mario@legalmail.it", False),
    ],
)
def test_who_is_a_providers_service(text: str, is_service: bool) -> None:
    assert read_sender(text).is_service is is_service


@pytest.mark.parametrize(
    ("text", "people"),
    [
        ("a@b.it", [Person("", "a@b.it")]),
        ('"a@b.it" ', [Person("", "a@b.it")]),
        ("a@b.it, C D <c@d.it>; e@f.it", ["a@b.it", Person("C D", "c@d.it"), "e@f.it"]),
        ("a@b.it, A@B.IT", ["a@b.it"]),
        (
            "u@v.it <a@b.it>, 'w@x.it' <c@d.it>",
            [Person("u@v.it", "a@b.it"), Person("w@x.it", "c@d.it")],
        ),
        ("a@b.it <>, c@d.it", ["a@b.it", "c@d.it"]),
        ("nobody", []),
        ("", []),
    ],
)
def test_recipients(text: str, people: list[Person | str]) -> None:
    expected = [Person("", one) if isinstance(one, str) else one for one in people]
    assert list(read_recipients(text)) == expected


@pytest.mark.parametrize("piece", ["a", "a.", "a@", "<", "a@b<", "Per conto di: ", "@", "é"])
def test_absurd_senders_are_read_in_no_time(piece: str) -> None:
    began_s = time.process_time()
    read_sender(piece * 1_000_000)
    read_recipients(piece * 1_000_000)
    assert time.process_time() - began_s < 1


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a\r\nB: c", "a B: c"),
        ("a\x00\x1bb", "a b"),
        ("a\u2028b\u2029c\x85d", "a b c d"),
        ("a\ud800b", "a\ufffdb"),
        ("  è \t ì ", "è ì"),
    ],
)
def test_one_line(text: str, line: str) -> None:
    assert one_line(text) == line
