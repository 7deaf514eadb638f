from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.language import LanguageSetting, say
from bridge.smtpserver.reply import LINE_LIMIT, refusal, reply, with_status


@pytest.mark.parametrize(
    ("text", "utf8", "shown"),
    [
        ("Ok", False, b"550 5.7.1 Ok"),
        ("", False, b"550 5.7.1 "),
        ("a\r\n250 b", False, b"550 5.7.1 a 250 b"),
        ("è", False, b"550 5.7.1 \\xe8"),
        ("è", True, "550 5.7.1 è".encode()),
    ],
)
def test_reply(text: str, utf8: bool, shown: bytes) -> None:
    assert reply(550, "5.7.1", text, utf8=utf8) == shown


@given(st.text(max_size=2000), st.booleans())
def test_every_line_is_a_line_of_the_reply(text: str, utf8: bool) -> None:
    lines = reply(550, "5.7.1", text, utf8=utf8).split(b"\r\n")
    assert all(line.startswith(b"550-5.7.1 ") for line in lines[:-1])
    assert lines[-1].startswith(b"550 5.7.1 ")
    for line in lines:
        assert len(line.decode()) <= LINE_LIMIT + 10
        assert not set(line) & set(b"\r\n\0")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("250 OK", "250 2.0.0 OK"),
        ("250 2.1.0 OK", "250 2.1.0 OK"),
        ("502 EXPN not implemented", "502 5.5.1 EXPN not implemented"),
        ("500 Error: what", "500 5.5.2 what"),
        ("220 host ESMTP", "220 host ESMTP"),
        ("334 VXNlcg==", "334 VXNlcg=="),
    ],
)
def test_a_missing_status_is_the_one_the_code_stands_for(line: str, expected: str) -> None:
    assert with_status(line) == expected


# -- refusals in the language of the settings -------------------------------------------------

BCC = say(
    "PEC forbids hidden recipients (Bcc). Put into To or Cc, or send separately to: {shown}.",
    shown="a@pec.example",
)
ENGLISH = f"550 5.7.1 {BCC}"
ITALIAN = (
    "550 5.7.1 La PEC non ammette destinatari nascosti (Ccn). Mettere in A o Cc, oppure inviare "
    "separatamente a: a@pec.example."
)


@pytest.mark.parametrize(
    ("language", "lines"),
    [("en", [ENGLISH]), ("it", [ITALIAN]), ("both", [ITALIAN.replace("550 ", "550-"), ENGLISH])],
)
def test_a_refusal_is_in_the_language_of_the_settings(
    language: LanguageSetting, lines: list[str]
) -> None:
    assert refusal(550, "5.7.1", BCC, language).decode("ascii") == "\r\n".join(lines)


def test_accents_stand_behind_their_letters_unless_the_client_takes_utf8() -> None:
    cut = say("Log in first: this server sends only for its users.")
    wrong = say("The user name or the password is wrong")
    assert refusal(535, "5.7.8", wrong, "it").endswith(b"e' sbagliato")
    assert refusal(535, "5.7.8", wrong, "it", utf8=True).decode().endswith("è sbagliato")
    assert refusal(530, "5.7.0", cut, "it").isascii()


def test_others_words_are_said_once() -> None:
    assert refusal(554, "5.6.0", "MySQL Error 1", "both") == b"554 5.6.0 MySQL Error 1"
