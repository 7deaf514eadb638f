"""Messages as programs make them, well and badly: a strategy of hypothesis.

``Composed.oddities`` names what is unusual in a message, for the judge to tell why two readers
may differ.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass
from email.header import Header
from urllib.parse import quote

from hypothesis import strategies as st

WORDS = ["Diffida", "Perché no?", "Città  di Forlì", "a", "20 €", "Straße; (1)", "x = y"]
CHARSETS = ["utf-8", "iso-8859-1", "windows-1252", "iso-8859-15", "us-ascii"]
FAR_WORDS = ["お世話になります", "契約 2026", "你好", "平成 = x", "表"]
FAR_CHARSETS = ["utf-8", "iso-2022-jp", "gb18030", "shift_jis", "euc-jp"]
RARE = "\U00020000 \U00029e3d"
"""Letters of four octets in GB18030, which no other charset but Unicode's has."""
NAMES = ["atto.pdf", "Perché.pdf", "Fattura (1).pdf", "a b  c.xml.p7m", "Città_1;2.pdf", "x=y.txt"]
CONTENTS = [b"%PDF-1.4\n", b"\x00\xff\r\n\n=", b"", b"abcd", "perché\r\n".encode()]


@dataclass(frozen=True, slots=True)
class Composed:
    """A message, the same one spelled by the rules, and the names of what is odd in the first."""

    raw: bytes
    plain: bytes
    oddities: frozenset[str] = frozenset()


def _usual(content: bytes) -> Composed:
    return Composed(content, content)


def _seldom(draw: st.DrawFn) -> bool:
    return draw(st.sampled_from([False] * 12 + [True]))


def _words(text: str, encoding: str, charset: str = "utf-8") -> str:
    content = text.encode(charset)
    if encoding == "b":
        return f"=?{charset}?B?{base64.b64encode(content).decode()}?="
    escaped = "".join(
        chr(byte) if chr(byte).isalnum() and byte < 128 else f"={byte:02X}" for byte in content
    )
    return f"=?{charset}?Q?{escaped}?="


@st.composite
def _subject(draw: st.DrawFn) -> Composed:
    text = draw(st.sampled_from(WORDS)) + draw(st.sampled_from(["", " ", " 2", "  3"]))
    if draw(st.integers(0, 3)) == 0:
        charset, text = draw(_far_text())
        return _usual(_words(text, draw(st.sampled_from("qb")), charset).encode())
    match draw(st.sampled_from(["plain", "raw", "q", "b", "folded words", "two charsets"])):
        case "plain":
            return _usual(text.encode("ascii", "ignore"))
        case "raw":
            return Composed(text.encode(), _words(text, "q").encode(), frozenset({"raw letters"}))
        case "folded words":
            return _usual(Header(text * 3, "utf-8", maxlinelen=40).encode(linesep="\r\n").encode())
        case "two charsets":
            words = (_words(text, "q"), _words("è", "b", "iso-8859-1"))
            return _usual("\r\n ".join(words).encode())
        case encoding:
            return _usual(_words(text, encoding).encode())


@st.composite
def _far_text(draw: st.DrawFn) -> tuple[str, str]:
    """Give a charset of several octets, and words that it has."""
    charset = draw(st.sampled_from(FAR_CHARSETS))
    text = draw(st.sampled_from(FAR_WORDS)) + draw(st.sampled_from(["", RARE, " (1)"]))
    return charset, text.encode(charset, "ignore").decode(charset)


ADDRESSES = {
    "a@x.example": "",
    "<a@x.example>": "",
    "A B <a@x.example>": "",
    '"B, A" <a@x.example>': "",
    '"b@y.example" <a@x.example>': "",
    "=?utf-8?q?Perch=C3=A9=2C_b?= <a@x.example>": "",
    "a@x.example, c@y.example": "",
    "A <a@x.example>,\r\n\tC <c@y.example>": "",
    "g: a@x.example, c@y.example;": "",
    "a@x.example (A, B)": "a name in a comment",
    "(b@y.example) a@x.example": "a name in a comment",
    "A.B. <a@x.example>": "",
    "b@y.example <a@x.example>": "an address for a name",
    "[x] B <a@x.example>": "brackets in a name",
    "A <a@x.example>; C <c@y.example>": "a semicolon for a comma",
    "Rossi; Mario <a@x.example>": "a semicolon in a name",
    '"a"@x.example': "quotes nobody needs",
}
"""To fields, with what is odd in them; all name ``a@x.example`` first, and nobody or ``c`` then."""


@st.composite
def _to(draw: st.DrawFn) -> Composed:
    value = draw(st.sampled_from(list(ADDRESSES)))
    named = ["a@x.example"] + ["c@y.example"] * ("c@y.example" in value)
    oddities = frozenset({ADDRESSES[value]}) - {""}
    return Composed(f"To: {value}\r\n".encode(), f"To: {', '.join(named)}\r\n".encode(), oddities)


def _segments(name: str) -> str:
    escaped = quote(name, safe="")
    return f"filename*0*=utf-8''{escaped[:1]}; filename*1*={escaped[1:]}"


SPELLINGS: dict[str, Callable[[str], str]] = {
    "": lambda name: f'filename="{name}"',
    "RFC 2231": lambda name: f"filename*=utf-8''{quote(name, safe='')}",
    "segments": _segments,
    "a segment twice": lambda name: f"{_segments(name)}; filename*0*=utf-8''{quote(name)[:1]}",
    "both names": lambda name: f"filename=x.pdf; filename*=utf-8''{quote(name, safe='')}",
    "words in a name": lambda name: f'filename="{_words(name, "b")}"',
    "unquoted name": lambda name: f"filename={name}",
    "two names": lambda name: f'filename="{name}"; filename="other.pdf"',
    "no name": lambda _name: "x=y",
}


@st.composite
def _placement(draw: st.DrawFn) -> Composed:
    word = draw(st.sampled_from(["attachment", "inline", "attachment"]))
    name = draw(st.sampled_from(NAMES))
    spelling = draw(st.sampled_from([*SPELLINGS, "", "RFC 2231", "words in a name"]))
    joint, oddity = draw(
        st.sampled_from(
            [("; ", ""), (";\r\n\t", ""), (" ", "no semicolon"), (" (x); ", "a comment")]
        )
    )
    if spelling == "unquoted name":
        name = name.replace(";", "")
    parameter = SPELLINGS[spelling](name)
    plain = "no=name" if spelling == "no name" else SPELLINGS["RFC 2231"](name)
    value = f"{word}{joint}{parameter}"
    oddities = {oddity, spelling if spelling in ODD_SPELLINGS else ""}
    if not parameter.isascii():
        oddities.add("raw letters")
    if spelling == "words in a name" and ";" in name:
        oddities.add("a semicolon in words")
    if _seldom(draw):
        value = _words(value, "q")
        oddities.add("a field in one word")
    field = f"Content-Disposition: {value}\r\n".encode()
    if _seldom(draw):
        field += draw(st.sampled_from([field, b"Content-Disposition: inline; filename=z.pdf\r\n"]))
        oddities.add("a field twice")
    return Composed(
        field,
        f"Content-Disposition: {word}; {plain}\r\n".encode(),
        frozenset(oddities) - {""},
    )


ODD_SPELLINGS = frozenset({"a segment twice", "both names", "unquoted name", "two names"})


def _transferred(content: bytes, encoding: str) -> bytes:
    match encoding:
        case "base64":
            return base64.encodebytes(content).replace(b"\n", b"\r\n")
        case "quoted-printable":
            escaped = "".join(
                chr(byte) if chr(byte).isalnum() and byte < 128 else f"={byte:02X}"
                for byte in content
            )
            return escaped.replace("=0D=0A", "=\r\n=0D=0A").encode()
    return content


ENCODING_FIELDS = [
    ("", ""),
    ("base64", ""),
    ("Base64", ""),
    ("quoted-printable", ""),
    ("8bit", ""),
    ("8bits", "a loose encoding"),
    ("7-bit", "a loose encoding"),
    ("base64 (sic)", "a comment"),
    ("8bit(sic)", "a comment"),
]


def _plain_transfer(content: bytes) -> tuple[bytes, bytes]:
    return b"Content-Transfer-Encoding: base64\r\n", _transferred(content, "base64")


@st.composite
def _text(draw: st.DrawFn) -> Composed:
    if draw(st.integers(0, 3)) == 0:
        charset, words = draw(_far_text())
        content = f"{words}\r\n{words}\r\n".encode(charset)
    else:
        charset = draw(st.sampled_from(CHARSETS))
        lines = draw(st.lists(st.sampled_from(WORDS), min_size=1, max_size=3))
        content = "\r\n".join(lines).encode(charset, "replace") + b"\r\n"
    oddities = set()
    if charset == "utf-8" and _seldom(draw):
        content, oddities = content + b"\xe9 \xff\r\n", {"octets of no charset"}
    field, oddity = draw(st.sampled_from(ENCODING_FIELDS))
    kind = draw(st.sampled_from(["text/plain", "text/html", "TEXT/Plain"]))
    mark = draw(st.sampled_from(["", '"']))
    header = f"Content-Type: {kind}; charset={mark}{charset}{mark}\r\n"
    plain_field, plain_body = _plain_transfer(content)
    plain = header.encode() + plain_field + b"\r\n" + plain_body
    if _seldom(draw):
        header = header.replace("\r\n", " (x)\r\n")
        oddities.add("a comment")
    if field:
        header += f"Content-Transfer-Encoding: {field}\r\n"
    body = _transferred(content, field.partition(" ")[0].lower())
    return Composed(header.encode() + b"\r\n" + body, plain, frozenset({*oddities, oddity}) - {""})


@st.composite
def _file(draw: st.DrawFn) -> Composed:
    content = draw(st.sampled_from(CONTENTS))
    placement = draw(_placement())
    kind = draw(st.sampled_from(["application/pdf", "application/octet-stream", "image/png"]))
    field, oddity = draw(st.sampled_from([*ENCODING_FIELDS[1:4], ENCODING_FIELDS[-2]]))
    body = _transferred(content, field.partition(" ")[0].lower())
    oddities = {oddity}
    damage = draw(st.sampled_from(["", "", "", "", "no padding", "junk", "cut", "goes on"]))
    if "base64" in field.lower() and damage and b"=" in body:
        oddities.add(f"base64: {damage}")
        body = {
            "no padding": body.rstrip(b"=\r\n"),
            "junk": b"*" + body,
            "cut": body.rstrip(b"=\r\n")[: len(content) // 3 * 4 + 1],
            "goes on": body + b"QUJD\r\n",
        }[damage]
    head = f"Content-Type: {kind}\r\n".encode()
    header = head + f"Content-Transfer-Encoding: {field}\r\n".encode()
    plain_field, plain_body = _plain_transfer(content)
    return Composed(
        header + placement.raw + b"\r\n" + body,
        head + plain_field + placement.plain + b"\r\n" + plain_body,
        placement.oddities | frozenset(oddities) - {""},
    )


@st.composite
def _message(draw: st.DrawFn) -> Composed:
    """Give a message within the message, which is a file as it is."""
    placement = draw(_placement())
    inner = b"Subject: in\r\nTo: a@x.example\r\n" + draw(_text()).plain.rstrip() + b"\r\n"
    head = b"Content-Type: message/rfc822\r\n"
    return Composed(
        head + placement.raw + b"\r\n" + inner,
        head + placement.plain + b"\r\n" + inner,
        placement.oddities,
    )


BOUNDARIES: dict[str, Callable[[int], str]] = {
    "": lambda depth: f"=_{'abc'[depth]}_'()+,-./:=?{depth}",
    "longer within": lambda depth: "=_x" + "x" * depth,
    "shorter within": lambda depth: "=_xxx"[: 5 - depth],
    "dashes within": lambda depth: "=_x" + "--x" * depth,
}
"""How the boundaries of multiparts within each other are made."""


@st.composite
def _multipart(draw: st.DrawFn, depth: int = 0, boundaries: str | None = None) -> Composed:
    if boundaries is None:
        boundaries = draw(st.sampled_from(["", "", *BOUNDARIES]))
    boundary = BOUNDARIES[boundaries](depth)
    kinds = [_text(), _file(), _file(), _message()]
    if depth < 2:
        kinds.append(_multipart(depth=depth + 1, boundaries=boundaries))
    parts = draw(st.lists(st.one_of(kinds), min_size=1, max_size=3))
    subtype = draw(st.sampled_from(["mixed", "mixed", "alternative", "related"]))
    oddities = frozenset[str]().union(*(part.oddities for part in parts))
    if boundaries and depth:
        oddities |= {f"boundaries: {boundaries}"}
    mark = f"--{boundary}".encode()
    body = b"".join(mark + b"\r\n" + part.raw + b"\r\n" for part in parts)
    plain_boundary = BOUNDARIES[""](depth)
    plain_mark = f"--{plain_boundary}".encode()
    plain = b"".join(plain_mark + b"\r\n" + part.plain + b"\r\n" for part in parts)
    damage = draw(
        st.sampled_from(
            [*[""] * 9, "not closed", "a part behind", "preamble", "epilogue", "encoded"]
        )
    )
    field = f'Content-Type: multipart/{subtype}; boundary="{boundary}"\r\n'.encode()
    end = mark + b"--\r\n"
    plain_field = f'Content-Type: multipart/{subtype}; boundary="{plain_boundary}"\r\n'.encode()
    plain = plain_field + b"\r\n" + plain + plain_mark + b"--\r\n"
    match damage:
        case "not closed":
            end = b""
        case "a part behind":
            end += mark + b"\r\n\r\nlost\r\n" + end
        case "preamble":
            body = b"This is MIME.\r\n" + body
        case "epilogue":
            end += b"Bye.\r\n"
        case "encoded":
            field += b"Content-Transfer-Encoding: quoted-printable\r\n"
    if damage in ("not closed", "a part behind", "encoded"):
        oddities |= {f"multipart: {damage}"}
    return Composed(field + b"\r\n" + body + end, plain, oddities)


@st.composite
def messages(draw: st.DrawFn) -> Composed:
    """Give a message."""
    subject = draw(_subject())
    body = draw(st.one_of(_text(), _multipart(), _multipart()))
    to = draw(_to())
    raw = to.raw + b"Subject: " + subject.raw + b"\r\nMIME-Version: 1.0\r\n" + body.raw
    plain = to.plain + b"Subject: " + subject.plain + b"\r\nMIME-Version: 1.0\r\n" + body.plain
    oddities = to.oddities | subject.oddities | body.oddities
    match draw(st.sampled_from([""] * 20 + ["cr cr lf", "a lone cr"])):
        case "cr cr lf":
            raw, oddities = raw.replace(b"\r\n", b"\r\r\n"), oddities | {"cr cr lf"}
        case "a lone cr":
            raw, oddities = b"X-A: b\rX-C: d\r\n" + raw, oddities | {"a lone cr"}
    return Composed(raw, plain, oddities)
