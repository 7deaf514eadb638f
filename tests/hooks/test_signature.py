"""Signatures against what the specification's own library makes, and what a secret is."""

from __future__ import annotations

import base64

import pytest

from bridge.credentials import Secret, signing_key
from bridge.credentials.signing import signing_fault
from bridge.hooks.signature import signed_fields

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def test_the_example_of_the_specifications_library() -> None:
    key = signing_key(Secret(SECRET))
    fields = signed_fields(
        [key], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}'
    )
    assert fields == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_two_keys_sign_while_one_takes_the_others_place() -> None:
    keys = [signing_key(Secret(SECRET)), b"x" * 24]
    both = signed_fields(keys, "a", 1, b"")["webhook-signature"].split(" ")
    each = [signed_fields([key], "a", 1, b"")["webhook-signature"] for key in keys]
    assert both == each


def whsec(count: int) -> str:
    return "whsec_" + base64.b64encode(bytes(count)).decode()


@pytest.mark.parametrize(
    "text",
    [
        *("", "whsec_", whsec(23), whsec(65), whsec(32).removeprefix("whsec_")),
        *("whsec_ " + "A" * 32, "whsec_" + "A" * 31, "whsec_" + "-_" * 16, "whsec_" + "é" * 32),
    ],
)
def test_what_is_no_secret_is_said_without_it(text: str) -> None:
    fault = signing_fault(Secret(text))
    assert fault is not None
    assert "openssl rand -base64 32" in fault
    assert not text or text.removeprefix("whsec_") not in fault or text == "whsec_"


@pytest.mark.parametrize("count", [24, 32, 64])
def test_what_is_a_secret(count: int) -> None:
    assert signing_fault(Secret(whsec(count))) is None
