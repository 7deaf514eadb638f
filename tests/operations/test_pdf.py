"""PDFs before they are uploaded: what is refused, and what joining makes."""

from __future__ import annotations

import contextlib
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pypdf import PdfReader, PdfWriter

from bridge.limits import PDF_BYTES, PDF_PAGES
from bridge.operations.pdf import PdfFault, inspect, join


def made(pages: int = 1, width: float = 100, password: str = "") -> bytes:
    writer = PdfWriter()
    for _ in range(pages):
        writer.add_blank_page(width=width, height=200)
    if password:
        writer.encrypt(password, algorithm="RC4-128")
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def test_pages_and_size_are_told() -> None:
    content = made(3)
    pdf = inspect(content)
    assert (pdf.pages, pdf.size_bytes, pdf.signed) == (3, len(content), False)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is no PDF"),
        (b"\x89PNG\r\n", "is no PDF"),
        (b"<html>%PDF</html>", "is no PDF"),
        (b"%PDF-1.7\n" + b"x" * 200, "is damaged"),
        (made()[:100], "is damaged"),
        (made(password="segreta"), "is encrypted"),
        (made(0), "has no pages"),
        (made(PDF_PAGES + 1), "has 101 pages"),
        (b"%PDF-1.7" + b"0" * PDF_BYTES, "is 10.0 MB large"),
    ],
    ids=["empty", "image", "page", "noise", "cut", "encrypted", "none", "many", "large"],
)
def test_what_cannot_be_used_says_why(content: bytes, says: str) -> None:
    with pytest.raises(PdfFault, match=says):
        inspect(content)


def test_joined_pages_keep_their_order() -> None:
    whole = join([made(2, width=111), made(1, width=222)])
    widths = [page.mediabox.width for page in PdfReader(io.BytesIO(whole)).pages]
    assert widths == [111, 111, 222]


def test_a_signed_one_is_not_joined() -> None:
    signed = made() + b"\n% /ByteRange [0 1 2 3]\n"
    assert inspect(signed).signed
    with pytest.raises(PdfFault, match="number 2 is digitally signed"):
        join([made(), signed])


def test_one_that_is_no_pdf_spoils_the_whole() -> None:
    with pytest.raises(PdfFault):
        join([made(), b"nothing"])


@given(st.binary(max_size=300), st.integers(0, 200))
def test_nothing_but_the_fault_escapes(noise: bytes, at: int) -> None:
    good = made()
    for content in (noise, b"%PDF-1.4\n" + noise, good[:at] + noise + good[at:]):
        for use in (inspect, lambda one: join([good, one])):
            with contextlib.suppress(PdfFault):
                use(content)
