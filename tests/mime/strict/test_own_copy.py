from __future__ import annotations

import pytest

from bridge.mime.strict.own_copy import adds_only

OWN = b"From: a@b\r\nDate: \r\nSubject: S\r\n\r\nText\r\n"
WITHOUT_DATE = b"From: a@b\r\nSubject: S\r\n\r\nText\r\n"
ADDED = b"Message-ID: <1@b>\r\nDate: today\r\n"


@pytest.mark.parametrize(
    ("submitted", "is_copy"),
    [
        pytest.param(ADDED + WITHOUT_DATE, True, id="an empty field made way"),
        pytest.param(b"Message-ID: <1@b>\r\n" + OWN, True, id="one field in front"),
        pytest.param(OWN, False, id="the very bytes: nothing was added"),
        pytest.param(b"Reply-To: c@d\r\n" + OWN, False, id="a field nobody adds"),
        pytest.param(ADDED + WITHOUT_DATE + b"more", False, id="another text"),
        pytest.param(ADDED + WITHOUT_DATE.replace(b": S", b": T"), False, id="another subject"),
        pytest.param(b"A\r\nB\r\n\r\n", False, id="no header"),
        pytest.param(b"A: b\r\nno field\r\n\r\nx", False, id="a broken header"),
    ],
)
def test_only_what_the_bridge_adds_may_differ(submitted: bytes, is_copy: bool) -> None:
    assert adds_only(submitted, OWN) is is_copy
