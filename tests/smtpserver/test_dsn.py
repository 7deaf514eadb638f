"""RFC 3461 §4: what a client may ask, read as it is meant or refused."""

from __future__ import annotations

import contextlib
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.smtpserver.dsn import envid_of, is_full, wish_of
from bridge.smtpserver.path import Path, PathFault
from bridge.store.dsn import DsnWish, NotifyOn

PRINTABLE = string.ascii_letters + string.digits + string.punctuation + " "


def asked(**parameters: str) -> Path:
    return Path("a@b.it", parameters)


def xtext(text: str) -> str:
    """Encode as RFC 3461 §4 says."""
    return "".join(
        one if "!" <= one <= "~" and one not in "+=" else f"+{ord(one):02X}" for one in text
    )


@pytest.mark.parametrize(
    ("given", "wish"),
    [
        ({}, DsnWish()),
        ({"NOTIFY": "never"}, DsnWish(frozenset())),
        ({"NOTIFY": "SUCCESS"}, DsnWish(frozenset({NotifyOn.SUCCESS}))),
        ({"NOTIFY": "Delay,failure,SUCCESS,delay"}, DsnWish(frozenset(NotifyOn))),
        ({"ORCPT": "rfc822;Bob@Example.COM"}, DsnWish(None, "rfc822;Bob@Example.COM")),
        ({"ORCPT": "RFC822;a+2Bb+3Dc@x.it"}, DsnWish(None, "RFC822;a+b=c@x.it")),
        ({"ORCPT": "x400;/c=it".replace("=", "+3D")}, DsnWish(None, "x400;/c=it")),
        ({"ORCPT": "utf-8;\\x{E8}@pec.example"}, DsnWish(None, "utf-8;è@pec.example")),
        ({"ORCPT": "utf-8;è@pec.example"}, DsnWish(None, "utf-8;è@pec.example")),
        ({"ORCPT": "UTF-8;\\x{E8}@pec.example"}, DsnWish(None, "UTF-8;è@pec.example")),
        ({"ORCPT": f"rfc822;{'x' * 493}"}, DsnWish(None, f"rfc822;{'x' * 493}")),
    ],
)
def test_what_is_asked_for_a_recipient(given: dict[str, str], wish: DsnWish) -> None:
    assert wish_of(asked(**given)) == wish


@pytest.mark.parametrize(
    "given",
    [
        {"NOTIFY": ""},
        {"NOTIFY": "ALWAYS"},
        {"NOTIFY": "NEVER,FAILURE"},
        {"NOTIFY": "SUCCESS,"},
        {"NOTIFY": "SUCCESS, FAILURE"},
        {"ORCPT": ""},
        {"ORCPT": "bob@example.com"},
        {"ORCPT": ";bob@example.com"},
        {"ORCPT": "rfc822;"},
        {"ORCPT": "rfc822;+20"},
        {"ORCPT": "rfc 822;b"},
        {"ORCPT": "rfc822;a=b"},
        {"ORCPT": "rfc822;a+0Ab"},
        {"ORCPT": "rfc822;a+0d+0aBcc:+20x"},
        {"ORCPT": "rfc822;a+7F"},
        {"ORCPT": "rfc822;è@pec.example"},
        {"ORCPT": f"rfc822;{'x' * 494}"},
        {"ORCPT": "utf-8;\\x{A}"},
        {"ORCPT": "utf-8;\\x{D800}"},
        {"ORCPT": "utf-8;\\x{FFFFFF}"},
        {"ORCPT": "utf-8;\\x"},
        {"ORCPT": "utf-8;a\u2028b"},
    ],
)
def test_what_cannot_be_read_is_refused(given: dict[str, str]) -> None:
    with pytest.raises(PathFault):
        wish_of(asked(**given))


@pytest.mark.parametrize("given", ["a+0D+0Ab", "a+E0", "a=b", "+2", "+4a", "è", "x" * 101])
def test_an_envid_that_cannot_be_read_is_refused(given: str) -> None:
    with pytest.raises(PathFault):
        envid_of(asked(ENVID=given))


def test_an_envid_may_have_a_hundred_characters() -> None:
    assert envid_of(asked(ENVID="x" * 100)) == "x" * 100


def test_ret() -> None:
    assert is_full(asked(RET="full"))
    assert not is_full(asked(RET="HDRS"))
    assert not is_full(asked())
    for word in ("", "BODY", "FULL,HDRS"):
        with pytest.raises(PathFault):
            is_full(asked(RET=word))


@given(st.text(PRINTABLE, max_size=33))
def test_what_is_printable_comes_through(text: str) -> None:
    assert envid_of(asked(ENVID=xtext(text))) == text
    if text.strip():
        assert wish_of(asked(ORCPT=f"rfc822;{xtext(text)}")).original == f"rfc822;{text}"


@given(st.text(max_size=60), st.sampled_from(["ENVID", "RET", "NOTIFY", "ORCPT"]), st.booleans())
def test_whatever_is_asked_nothing_ends_a_line(text: str, name: str, typed: bool) -> None:
    path = asked(**{name: f"utf-8;{text}" if typed else text})
    with contextlib.suppress(PathFault):
        for said in (envid_of(path), wish_of(path).original):
            assert said.isprintable()
        is_full(path)
