from __future__ import annotations

import base64
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.login.sasl import NameAndPassword, SaslFault, SaslFaultKind, exchange


class Client:
    """Answers each challenge with its next line."""

    def __init__(self, lines: Sequence[bytes]) -> None:
        self._lines = list(lines)
        self.heard: list[str] = []

    async def ask(self, challenge: str) -> bytes:
        self.heard.append(challenge)
        return self._lines.pop(0)


def b64(text: str) -> bytes:
    return base64.b64encode(text.encode())


PLAIN = "\0anna@pec.example\0segreta"
SAID = NameAndPassword("anna@pec.example", "segreta")

GOOD: dict[str, tuple[str, bytes | None, list[bytes], list[str]]] = {
    "PLAIN at once": ("PLAIN", b64(PLAIN), [], []),
    "PLAIN when asked": ("plain", None, [b64(PLAIN) + b"\r\n"], [""]),
    "PLAIN for oneself": ("PLAIN", b64("ANNA@pec.example" + PLAIN), [], []),
    "LOGIN": (
        "LOGIN",
        None,
        [b64("anna@pec.example"), b64("segreta")],
        ["VXNlcm5hbWU6", "UGFzc3dvcmQ6"],
    ),
    "LOGIN with the name at once": (
        "login",
        b64("anna@pec.example"),
        [b64("segreta")],
        ["UGFzc3dvcmQ6"],
    ),
}

BAD: dict[str, tuple[str, bytes | None, list[bytes], SaslFaultKind]] = {
    "another mechanism": ("CRAM-MD5", None, [], SaslFaultKind.MECHANISM),
    "no base64": ("PLAIN", b"%%%", [], SaslFaultKind.BASE64),
    "no base64 when asked": ("LOGIN", None, [b"YWJj", b"YWJ"], SaslFaultKind.BASE64),
    "nothing": ("PLAIN", b"=", [], SaslFaultKind.FORM),
    "two pieces": ("PLAIN", b64("a\0b"), [], SaslFaultKind.FORM),
    "four pieces": ("PLAIN", b64("a\0b\0c\0d"), [], SaslFaultKind.FORM),
    "for somebody else": ("PLAIN", b64("boss" + PLAIN), [], SaslFaultKind.IDENTITY),
    "cancelled": ("PLAIN", None, [b"*"], SaslFaultKind.CANCELLED),
    "cancelled at the password": ("LOGIN", b"YWJj", [b"*\r\n"], SaslFaultKind.CANCELLED),
}


@pytest.mark.parametrize(("name", "initial", "lines", "heard"), GOOD.values(), ids=GOOD.keys())
async def test_name_and_password_are_read(
    name: str, initial: bytes | None, lines: list[bytes], heard: list[str]
) -> None:
    client = Client(lines)
    assert await exchange(name, initial, client.ask) == SAID
    assert client.heard == heard


@pytest.mark.parametrize(("name", "initial", "lines", "kind"), BAD.values(), ids=BAD.keys())
async def test_an_exchange_that_fails_says_why(
    name: str, initial: bytes | None, lines: list[bytes], kind: SaslFaultKind
) -> None:
    with pytest.raises(SaslFault) as fault:
        await exchange(name, initial, Client(lines).ask)
    assert fault.value.kind is kind
    assert str(fault.value) == kind.value


@given(initial=st.binary(), lines=st.lists(st.binary(), min_size=2, max_size=2))
@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
async def test_whatever_is_said_is_read_or_a_fault(
    mechanism: str, initial: bytes, lines: list[bytes]
) -> None:
    try:
        said = await exchange(mechanism, initial, Client(lines).ask)
    except SaslFault:
        return
    assert isinstance(said, NameAndPassword)


def test_a_password_is_not_shown() -> None:
    assert "segreta" not in f"{SAID!r} {SAID}"
