"""Refusals in the language of the settings."""

from __future__ import annotations

import pytest

from bridge.language import LanguageSetting, say
from bridge.smtpserver.reply import refusal

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
