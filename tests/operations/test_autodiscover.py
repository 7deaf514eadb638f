"""Requests of Autodiscover, Outlook's and whatever strangers write."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.operations.autodiscover import AutodiscoverFault, asked_address

REQUEST = (
    '<?xml version="1.0" encoding="utf-8"?>\n'
    '<Autodiscover xmlns="http://schemas.microsoft.com/exchange/autodiscover/outlook/'
    'requestschema/2006"><Request><EMailAddress>azienda@pec.example</EMailAddress>'
    "<AcceptableResponseSchema>http://schemas.microsoft.com/exchange/autodiscover/outlook/"
    "responseschema/2006a</AcceptableResponseSchema></Request></Autodiscover>"
)
BOMB = "<!DOCTYPE a [{}]><a>&i9;</a>".format(
    '<!ENTITY i0 "x">' + "".join(f'<!ENTITY i{n} "{f"&i{n - 1};" * 10}">' for n in range(1, 10))
)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_outlooks_request_is_read(encoding: str) -> None:
    text = REQUEST.replace("utf-8", "utf-16") if encoding == "utf-16" else REQUEST
    assert asked_address(text.encode(encoding)) == "azienda@pec.example"


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        ("", 600),
        ("no", 600),
        (REQUEST[:-5], 600),
        (REQUEST.replace("azienda@pec.example", ""), 600),
        (REQUEST.replace("azienda@pec.example", "azienda"), 600),
        (REQUEST.replace("azienda@pec.example", "a&#10;b@pec.example"), 600),
        (REQUEST.replace("azienda@pec.example", "<x/>a@b.it<y>c</y>"), None),
        (REQUEST.replace("EMailAddress", "Other"), 600),
        (REQUEST.replace("2006a", "2099"), 601),
        (REQUEST.replace("utf-8", "x-none"), 600),
        (BOMB, 600),
        (f'<!DOCTYPE a SYSTEM "file:///etc/passwd">{REQUEST.partition("?>")[2]}', 600),
        ("<a>" * 10_000, 600),
    ],
)
def test_what_is_no_request_is_refused(request_: str, code: int | None) -> None:
    if code is None:
        assert asked_address(request_.encode()) == "a@b.it"
        return
    with pytest.raises(AutodiscoverFault) as fault:
        asked_address(request_.encode())
    assert fault.value.code == code


@given(st.binary(max_size=300))
def test_nothing_else_escapes(body: bytes) -> None:
    with contextlib.suppress(AutodiscoverFault):
        asked_address(body)
    with contextlib.suppress(AutodiscoverFault):
        asked_address(b"<EMailAddress>" + body + b"</EMailAddress>")
