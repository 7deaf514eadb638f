from __future__ import annotations

import pytest

from bridge.mime.grammar.lexer import BROKEN, END, MORE, Lexer, Read

NUL = "\N{REPLACEMENT CHARACTER}".encode()


@pytest.mark.parametrize(
    ("construct", "text", "read", "rest"),
    [
        pytest.param("atom", b"ab c", (MORE, b"ab"), b"c", id="atom"),
        pytest.param("atom", b"ab (x)", (END, b"ab"), b"", id="atom and comment"),
        pytest.param("atom", b"(x", (BROKEN, b""), b"(x", id="no atom"),
        pytest.param("dot_atom", b"a . b.c d", (MORE, b"a.b.c"), b"d", id="dots with blanks"),
        pytest.param("dot_atom", b"a.", (BROKEN, b"a."), b"", id="dot at the end"),
        pytest.param("token", b"a/b", (MORE, b"a"), b"/b", id="token"),
        pytest.param("token", b"/b", (MORE, b""), b"/b", id="empty token"),
        pytest.param("quoted_string", b'"a b" c', (MORE, b"a b"), b"c", id="quoted"),
        pytest.param("quoted_string", b'"a\\"b\\c"', (END, b'a"bc'), b"", id="quoted pairs"),
        pytest.param("quoted_string", b'"a\r\n b"', (END, b"a b"), b"", id="fold in quotes"),
        pytest.param("quoted_string", b'"a\0b"', (END, b"a" + NUL + b"b"), b"", id="NUL in quotes"),
        pytest.param("quoted_string", b'"ab', (BROKEN, b""), b"", id="unclosed"),
        pytest.param("quoted_string", b'"a\\', (BROKEN, b""), b"", id="ends in a backslash"),
        pytest.param("phrase", b'a  "b c"\td<', (MORE, b"a b c d"), b"<", id="phrase"),
        pytest.param("phrase", b".a", (BROKEN, b""), b".a", id="phrase with a dot first"),
        pytest.param("phrase", b"", (END, b""), b"", id="no phrase"),
        pytest.param("domain", b"@a.b>", (MORE, b"a.b"), b">", id="domain"),
        pytest.param("domain", b"@[1\\]2] x", (MORE, b"[1\\]2]"), b"x", id="domain literal"),
        pytest.param("domain", b"@", (BROKEN, b""), b"", id="no domain"),
    ],
)
def test_construct(construct: str, text: bytes, read: Read, rest: bytes) -> None:
    lexer = Lexer(text)
    assert getattr(lexer, construct)() == read
    assert lexer.text[lexer.pos :] == rest


@pytest.mark.parametrize(
    ("text", "status", "comment", "rest"),
    [
        pytest.param(b" \t\r\n x", MORE, b"", b"x", id="blanks"),
        pytest.param(b"", END, b"", b"", id="nothing"),
        pytest.param(b"(a (b) c)x", MORE, b"a (b) c", b"x", id="nested"),
        pytest.param(b"(a\\)b)x", MORE, b"a)b", b"x", id="quoted pair"),
        pytest.param(b"(a)(b)", END, b"b", b"", id="the last counts"),
        pytest.param(b"(a\0)", END, b"a" + NUL, b"", id="NUL"),
        pytest.param(b"(a", BROKEN, b"", b"", id="unclosed"),
    ],
)
def test_blanks_and_comments(text: bytes, status: int, comment: bytes, rest: bytes) -> None:
    lexer = Lexer(text)
    assert lexer.blanks() == status
    assert (lexer.comment, lexer.text[lexer.pos :]) == (comment, rest)
