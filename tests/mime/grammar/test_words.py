from __future__ import annotations

import base64
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.mime.grammar.words import decode_field, decode_phrase, decode_words
from tests.costs.measure import assert_linear


@pytest.mark.parametrize(
    ("value", "text"),
    [
        pytest.param("plain", "plain", id="none"),
        pytest.param("=?utf-8?q?caff=C3=A8_nero?=", "caffè nero", id="Q"),
        pytest.param("=?UTF-8?B?w6g=?= e =?iso-8859-1?Q?=E0?=", "è e à", id="two, and text"),
        pytest.param("=?utf-8?q?=C3?= =?utf-8?q?=A8?=", "è", id="a letter cut, Q"),
        pytest.param("=?utf-8?b?ww==?= =?utf-8?b?qA==?=", "è", id="B"),
        pytest.param("=?utf-8?q?=C3?= =?utf-8?b?qA==?=", "è", id="a letter cut between both"),
        pytest.param("=?utf-8?q?caff=?= =?utf-8?q?C3=A8?=", "caffè", id="an escape cut"),
        pytest.param("=?utf-8?q?caff=C?= =?utf-8?q?3=A8?=", "caffè", id="an escape cut later"),
        pytest.param("=?utf-8?B?RmF0dH?= =?utf-8?B?VyYSDDqA?=", "Fattura è", id="a group cut"),
        pytest.param(
            "=?utf-8?B?U?=\r\n =?utf-8?B?29sbGVja?=\r\n =?utf-8?B?XRvIMOg?=",
            "Sollecito à",
            id="groups cut, folded",
        ),
        pytest.param("=?utf-8?b?w6g?= =?utf-8?b?w6k?=", "èé", id="padding left out, each whole"),
        pytest.param("=?iso-8859-1?b?6A?= =?iso-8859-1?b?6Q?=", "èé", id="likewise, one octet"),
        pytest.param("=?utf-8?b?w6g=?= =?utf-8?b?w6k?=", "èé", id="padding left out at the end"),
        pytest.param(
            "=?iso-8859-1?b?UGVyY2jpIG5vbiA?= =?iso-8859-1?b?6CB2ZW51dG8?=",
            "Perché non è venuto",
            id="padding left out, Latin-1",
        ),
        pytest.param("=?utf-8?q?a?=  =?iso-8859-1?q?b?=", "ab", id="two charsets"),
        pytest.param("=?utf-8?q?a?=\u00a0=?utf-8?q?b?=", "a\u00a0b", id="a blank that is text"),
        pytest.param("=?utf-8*it?q?a?=", "a", id="a language"),
        pytest.param("=?x-klingon?q?=C3=A8?=", "è", id="unknown charset"),
        pytest.param("x=?utf-8?q?a?=y", "xay", id="against text"),
        pytest.param("=?utf-8?q?a?==?utf-8?q?b?=", "ab", id="glued"),
        pytest.param("=?utf-8?q?a?=?iso-8859-1?q?=E8?=", "aè", id="glued, sharing a sign"),
        pytest.param("=?iso-8859-1?Q?Dove_=E8_Ugo??=", "Dove è Ugo?", id="question mark"),
        pytest.param("=?utf-8?Q?Che=3F?_E_poi??? Boh?=", "Che?? E poi??? Boh", id="many"),
        pytest.param("=?utf-8?Q???= =?utf-8?Q???=", "??", id="nothing but question marks"),
        pytest.param("=?utf-8?Q?S=C3=AC?=C3=A8?=", "Sì?è", id="before an escape"),
        pytest.param("=?utf-8?Q?S=C3=AC?=CIAO", "SìCIAO", id="before text like an escape"),
        pytest.param("=?utf-8?Q?S=C3=AC?=E9 o no?=", "SìE9 o no?=", id="before it, and a blank"),
        pytest.param("=?utf-8?Q??=", "", id="empty"),
        pytest.param("=?utf-8?Q?a b?= c", "a b c", id="raw blank"),
        pytest.param("=?iso-8859-1?Q?Stra\u00dfe?=", "Straße", id="raw letter"),
        pytest.param(
            "=?iso-2022-jp?B?GyRCJCobKEI=?= =?iso-2022-jp?B?GyRCQCQbKEI=?=", "お世", id="JIS"
        ),
        pytest.param("=?gb2312?B?h+U=?=", "囧", id="GBK by its old name"),
        pytest.param("Re: =?utf-8?q?a?=  c", "Re: a  c", id="blanks stay"),
    ],
)
def test_words(value: str, text: str) -> None:
    value = value.replace("\r\n", "")
    assert decode_words(value) == text
    if "klingon" not in value:
        assert not decode_phrase(value).damaged
        assert decode_field(value.encode()).text == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        pytest.param("=?utf-8?x?a?=", "=?utf-8?x?a?=", id="no such encoding"),
        pytest.param("=?utf-8?q?a", "=?utf-8?q?a", id="no end"),
        pytest.param("=?utf-8?b?w6gg", "=?utf-8?b?w6gg", id="cut off"),
        pytest.param("=?utf-8?b?w?=", "=?utf-8?B?w?=", id="nothing to be read"),
        pytest.param("=?utf-8?b?w6ggww?=", "è \ufffd", id="cut inside a letter"),
        pytest.param("=?iso-8859-1?b?6Ok?= =?iso-8859-1?b?4OE?=", "èé88", id="padding or a cut"),
        pytest.param(
            "=?iso-8859-1?b?ZHRhZGE?= =?iso-8859-1?b?YWE?=", "dtadaaa", id="padding, rather"
        ),
        pytest.param(
            "=?koi8-r?B?0sHT1M/S1sXOyck?= =?koi8-r?B?gxM/Hz9fP0sE?=",
            "расторжении┐\x13?\x1f?_?K\x04",
            id="padding or a cut, Russian",
        ),
        pytest.param("=??q?=C3=A8?=", "=??q?=C3=A8?=", id="no charset"),
        pytest.param("=? utf-8 ?q?=C3=A8?=", "=? utf-8 ?q?=C3=A8?=", id="blanks round it"),
        pytest.param("=?utf-8? q ?=C3=A8?=", "=?utf-8? q ?=C3=A8?=", id="and round the encoding"),
        pytest.param("=?utf-8?b?YWJj!?=", "abc", id="not of the alphabet"),
        pytest.param("=?utf-8?b?YWJjZ?=", "abc", id="a letter too many"),
        pytest.param("=?utf-8?q?100=_ok?=", "100= ok", id="no escape"),
        pytest.param(
            "=?utf-8?q?a =?utf-8?q?b?=", "=?utf-8?q?a b", id="one without an end, one with"
        ),
        pytest.param("=?x-klingon?q?a?=", "a", id="unknown charset"),
        pytest.param("=?utf-8?q?=C3=A8_=FF?=", "è \ufffd", id="an octet that is none"),
        pytest.param("=?iso-8859-1?q?=E8 \u0142?=", "è Å\u201a", id="a letter the charset lacks"),
    ],
)
def test_what_cannot_be_read_whole_is_said(value: str, text: str) -> None:
    decoded = decode_phrase(value)
    assert decoded.text == text
    assert decoded.damaged
    assert decode_field(value.encode()).damaged


@pytest.mark.parametrize(
    ("value", "text"),
    [
        pytest.param(b"=?iso-8859-1?Q?Gr\xfc=DFe?=", "Grüße", id="in the word's charset"),
        pytest.param("=?iso-8859-1?Q?Grü=DFe?=".encode(), "Grüße", id="in UTF-8"),
        pytest.param(b"=?utf-8?q?caff=C3=A8?= \xe8", "caffè è", id="outside, Windows"),
        pytest.param("=?iso-8859-1?q?=E8?= è".encode(), "è è", id="outside, UTF-8"),
        pytest.param(b"=?koi8-r?Q?\xf0\xd2\xc9\xd7\xc5\xd4?=", "Привет", id="Russian"),
    ],
)
def test_octets_that_nobody_encoded(value: bytes, text: str) -> None:
    assert decode_field(value).text == text


def written(text: str, charset: str, encoding: str, cuts: list[int]) -> str:
    """Return ``text`` as words, as a mailer writes them that cuts its encoded text anywhere."""
    octets = text.encode(charset)
    encoded = (
        base64.b64encode(octets).decode().rstrip("=")
        if encoding == "B"
        else "".join(
            chr(one) if chr(one).isalpha() and one < 128 else f"={one:02X}" for one in octets
        )
    )
    at = [0, *sorted(min(cut, len(encoded)) for cut in cuts), len(encoded)]
    pieces = [encoded[start:end] for start, end in pairwise(at)]
    return " ".join(f"=?{charset}?{encoding}?{piece}?=" for piece in pieces)


texts = st.text("abcdefghij èéàì€ 中お", min_size=1, max_size=40)


@given(texts, st.lists(st.integers(0, 200), max_size=4))
def test_words_cut_anywhere_are_read(text: str, cuts: list[int]) -> None:
    decoded = decode_phrase(written(text, "utf-8", "Q", cuts))
    assert (decoded.text, decoded.damaged) == (text, False)


@given(texts, st.lists(st.integers(0, 60), max_size=4))
def test_groups_cut_anywhere_are_read_or_said_to_be_damaged(text: str, cuts: list[int]) -> None:
    decoded = decode_phrase(written(text, "utf-8", "B", cuts))
    assert decoded.text == text or decoded.damaged


@given(st.text(max_size=60))
def test_any_text_has_a_decoded_form(value: str) -> None:
    assert isinstance(decode_words(value), str)
    if "=?" not in value:
        assert decode_words(value) == value


pieces = st.sampled_from(["=?", "?=", "utf-8", "?q?", "?B?", "=C3", "w6g", "?", "=", " ", "\xe8"])


@given(st.lists(pieces).map("".join))
def test_any_pieces_of_words_have_a_text(value: str) -> None:
    decode_phrase(value)
    decode_field(value.encode("latin-1"))


@pytest.mark.parametrize(
    "piece",
    [
        "=?utf-8?q?",
        "=?utf-8?q?a?=",
        "=?utf-8?b?YQ?= ",
        "=?",
        "=?a",
        "?=",
        "=?a*b",
        "?=AB",
        "=?a?b?=3D",
    ],
)
def test_very_many_pieces_take_no_more_than_their_time(piece: str) -> None:
    def made(length: int) -> bytes:
        return ("=?utf-8?q?" + piece * (length // len(piece))).encode()

    assert_linear(decode_field, made, 75_000)
