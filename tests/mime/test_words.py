from __future__ import annotations

import pytest

from bridge.mime.words import decode_words


@pytest.mark.parametrize(
    ("text", "decoded"),
    [
        ("plain", "plain"),
        ("=?utf-8?B?Q2l0dMOg?=", "Città"),
        ("=?UTF-8?q?Citt=C3=A0_bella?=", "Città bella"),
        ("=?iso-8859-1?Q?Forl=EC?= e", "Forlì e"),
        ("=?utf-8?B?Q2l0?= \r\n =?utf-8?B?dMOg?=", "Città"),
        ("=?utf-8*it?B?Q2l0dMOg?=", "Città"),
        ("=?utf-8?B?Q2l0dMOg?", "=?utf-8?B?Q2l0dMOg?"),
        ("=?nowhere?B?Q2l0dMOg?=", "=?nowhere?B?Q2l0dMOg?="),
        ("=?utf-8?B?Q2l0d?=", "=?utf-8?B?Q2l0d?="),
        ("=?utf-8?Q?a=0Ab?=", "a\nb"),
        ("1 =? 2", "1 =? 2"),
    ],
)
def test_words(text: str, decoded: str) -> None:
    assert decode_words(text) == decoded
