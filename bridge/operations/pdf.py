"""PDFs that are uploaded: looked at before they leave, and several made into one.

The service wants one PDF with the signed form and the identity document, and answers hours later
that it could not read it; so whatever can be known here is said here. Blocking: not for the event
loop. A PDF from outside may be anything: whatever the library raises is a ``PdfFault``.
"""

from __future__ import annotations

import io
import logging
from collections.abc import Sequence
from dataclasses import dataclass

from pypdf import PdfReader, PdfWriter

from bridge.language import say
from bridge.limits import PDF_BYTES, PDF_PAGES

_MARK = b"%PDF-"
_MARK_WITHIN_BYTES = 1024
"""ISO 32000-1, annex H: readers look for the mark this far in."""

logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # it reports every oddity it overcame


class PdfFault(Exception):
    """The file cannot be used; the text says why, to follow its name."""


@dataclass(frozen=True, slots=True)
class Pdf:
    """What a PDF holds; ``signed`` by a digital signature, which any change would break."""

    pages: int
    size_bytes: int
    signed: bool


def inspect(content: bytes) -> Pdf:
    """Look at a PDF and count its pages; what is on them is for people to see.

    Raises:
        PdfFault: it is none, encrypted, empty, or too large.
    """
    if len(content) > PDF_BYTES:
        raise PdfFault(
            say(
                "is {content} large, more than {most}: scan it in grey and at 150 dpi",
                content=_megabytes(len(content)),
                most=_megabytes(PDF_BYTES),
            )
        )
    if _MARK not in content[:_MARK_WITHIN_BYTES]:
        raise PdfFault(say("is no PDF: save or print the document as PDF"))
    pages = len(_open(content).pages)
    return Pdf(pages, len(content), b"/ByteRange" in content)


def join(contents: Sequence[bytes]) -> bytes:
    """Make one PDF of several, in their order.

    Raises:
        PdfFault: one of them cannot be used, is signed, or the whole is too large.
    """
    writer = PdfWriter()
    for number, content in enumerate(contents, 1):
        if inspect(content).signed:
            raise PdfFault(
                say(
                    "number {number} is digitally signed, and joining would break the "
                    "signature: add the identity document to it first, then sign",
                    number=number,
                )
            )
        try:
            writer.append(io.BytesIO(content))
        except Exception as error:
            raise PdfFault(
                say(
                    "number {number} cannot be joined ({name})",
                    number=number,
                    name=type(error).__name__,
                )
            ) from None
    joined = io.BytesIO()
    try:
        writer.write(joined)
    except Exception as error:
        raise PdfFault(say("cannot be joined ({name})", name=type(error).__name__)) from None
    whole = joined.getvalue()
    inspect(whole)
    return whole


def _open(content: bytes) -> PdfReader:
    """Open a PDF that can be used."""
    try:
        reader = PdfReader(io.BytesIO(content), strict=False)
        encrypted = reader.is_encrypted
        pages = 0 if encrypted else len(reader.pages)
    except Exception as error:
        raise PdfFault(
            say("is damaged and cannot be read ({name})", name=type(error).__name__)
        ) from None
    if encrypted:
        raise PdfFault(say("is encrypted: print it to a new PDF that needs no password"))
    if not pages:
        raise PdfFault(say("has no pages"))
    if pages > PDF_PAGES:
        raise PdfFault(say("has {pages} pages, more than {most}", pages=pages, most=PDF_PAGES))
    return reader


def _megabytes(size_bytes: int) -> str:
    return f"{size_bytes / 1024**2:.1f} MB"
