from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.mime.strict.tnef import SIGNATURE, read_tnef

RENDER_DATA, TITLE, DATA, ATTACHMENT, MESSAGE, CODE_PAGE = (
    0x9002, 0x8010, 0x800F, 0x9005, 0x9003, 0x9007,
)  # fmt: skip
RTF_COMPRESSED, LONG_NAME, DATA_PROPERTY = 0x1009, 0x3707, 0x3701
INT, OBJECT, TEXT_8, TEXT_16, BINARY, MULTIPLE = 0x03, 0x0D, 0x1E, 0x1F, 0x102, 0x1000


def attribute(name: int, value: bytes) -> bytes:
    head = struct.pack("<BHHI", 2, name, 6, len(value))
    return head + value + struct.pack("<H", sum(value) & 0xFFFF)


def prop(name: int, kind: int, *values: bytes) -> bytes:
    padded = [struct.pack("<I", len(one)) + one + bytes(-len(one) % 4) for one in values]
    return struct.pack("<HHI", kind, name, len(values)) + b"".join(padded)


def properties(*props: bytes) -> bytes:
    return struct.pack("<I", len(props)) + b"".join(props)


def tnef(*attributes: bytes) -> bytes:
    return struct.pack("<IH", SIGNATURE, 1) + b"".join(attributes)


def simple_file(title: bytes, content: bytes) -> bytes:
    return (
        attribute(RENDER_DATA, bytes(14))
        + attribute(TITLE, title + b"\0")
        + attribute(DATA, content)
    )


def test_files_come_back_in_order() -> None:
    unpacked = read_tnef(tnef(simple_file(b"A.PDF", b"%PDF"), simple_file(b"B.XLS", b"\0" * 9)))
    assert unpacked is not None
    assert unpacked.files == (("A.PDF", b"%PDF"), ("B.XLS", b"\0" * 9))
    assert unpacked.complete


@pytest.mark.parametrize(
    "long_name",
    [
        prop(LONG_NAME, TEXT_8, b"Contratto n\xb0 1.pdf\0"),
        prop(LONG_NAME, TEXT_16, "Contratto n° 1.pdf\0".encode("utf-16-le")),
    ],
    ids=["8 bits", "16 bits"],
)
def test_the_long_name_counts(long_name: bytes) -> None:
    named = properties(prop(0x3703, TEXT_8, b".pdf\0"), long_name)
    unpacked = read_tnef(tnef(simple_file(b"CONTR~1.PDF", b"x"), attribute(ATTACHMENT, named)))
    assert unpacked is not None
    assert unpacked.files == (("Contratto n° 1.pdf", b"x"),)


def test_names_are_in_the_code_page_it_says() -> None:
    page = attribute(CODE_PAGE, struct.pack("<II", 1251, 0))
    unpacked = read_tnef(tnef(page, simple_file("Договор".encode("cp1251"), b"x")))
    assert unpacked is not None
    assert unpacked.files[0][0] == "Договор"


def test_a_file_held_as_a_property_is_whole() -> None:
    held = properties(prop(DATA_PROPERTY, BINARY, b"word" * 777), prop(LONG_NAME, TEXT_8, b"a.doc"))
    unpacked = read_tnef(tnef(attribute(RENDER_DATA, bytes(14)), attribute(ATTACHMENT, held)))
    assert unpacked is not None
    assert unpacked.files == (("a.doc", b"word" * 777),)


@pytest.mark.parametrize(
    ("attributes", "complete"),
    [
        pytest.param([attribute(MESSAGE, properties())], False, id="no file"),
        pytest.param([simple_file(b"A", b"x"), attribute(MESSAGE, properties())], True, id="files"),
        pytest.param(
            [attribute(MESSAGE, properties(prop(RTF_COMPRESSED, BINARY, b"rtf")))],
            False,
            id="a formatted body",
        ),
        pytest.param(
            [
                attribute(RENDER_DATA, bytes(14)),
                attribute(ATTACHMENT, properties(prop(DATA_PROPERTY, OBJECT, b"embedded"))),
            ],
            False,
            id="an embedded message",
        ),
    ],
)
def test_says_whether_there_is_more(attributes: list[bytes], complete: bool) -> None:
    unpacked = read_tnef(tnef(*attributes))
    assert unpacked is not None
    assert unpacked.complete is complete


def test_properties_of_every_kind_are_passed_over() -> None:
    fixed = struct.pack("<HHI", INT, 0x0E20, 7)
    several = struct.pack("<HHIII", INT | MULTIPLE, 0x0E21, 2, 1, 2)
    numbered = struct.pack("<HH16sIII", INT, 0x8001, bytes(16), 0, 5, 7)
    name = "Campo".encode("utf-16-le")
    named = struct.pack("<HH16sII", INT, 0x8002, bytes(16), 1, len(name)) + name + b"\0\0"
    named += struct.pack("<I", 9)
    texts = prop(0x1234, TEXT_8 | MULTIPLE, b"one\0", b"three\0")
    long_name = prop(LONG_NAME, TEXT_8, b"last.txt\0")
    held = properties(fixed, several, numbered, named, texts, long_name)
    unpacked = read_tnef(tnef(simple_file(b"L", b"x"), attribute(ATTACHMENT, held)))
    assert unpacked is not None
    assert unpacked.files == (("last.txt", b"x"),)


WHOLE = tnef(
    simple_file(b"A.PDF", b"%PDF-1.7"),
    attribute(ATTACHMENT, properties(prop(LONG_NAME, TEXT_8, b"Allegato.pdf\0"))),
)


def test_a_line_end_behind_it_does_no_harm() -> None:
    assert read_tnef(WHOLE + b"\r\n") == read_tnef(WHOLE) is not None


@pytest.mark.parametrize(
    "content",
    [b"", b"\x78\x9f\x3e\x22", b"%PDF", WHOLE[:-3], WHOLE.replace(b"%PDF-1.7", b"%PDF-1.8")],
    ids=["nothing", "signature alone", "no TNEF", "cut off", "checksum"],
)
def test_what_does_not_fit_gives_nothing(content: bytes) -> None:
    assert read_tnef(content) is None


@given(st.integers(min_value=0, max_value=len(WHOLE)), st.binary(max_size=8))
def test_no_damage_raises(at: int, damage: bytes) -> None:
    damaged = WHOLE[:at] + damage + WHOLE[at + len(damage) :]
    unpacked = read_tnef(damaged)
    assert unpacked is None or all(content in damaged for _name, content in unpacked.files)


@given(st.binary(max_size=64))
def test_no_properties_raise(value: bytes) -> None:
    read_tnef(tnef(attribute(RENDER_DATA, bytes(14)), attribute(ATTACHMENT, value)))
