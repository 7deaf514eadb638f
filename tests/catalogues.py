"""The page's words: ``python -m tests.catalogues`` finds them in the source and renews catalogues.

New texts come without a translation, which ``tests/web/test_language.py`` reports; texts that are
gone leave. The compiled catalogue stands beside the other, so that nothing is built at set-up.
"""

from __future__ import annotations

import io
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

WEB = Path(__file__).parent.parent / "bridge" / "web"
ITALIAN = WEB / "locale" / "it" / "LC_MESSAGES" / "pec-bridge.po"
METHODS = [("**.html", "jinja2.ext:babel_extract"), ("**.py", "python")]
OF_THE_DAY = tuple(
    f'"{name}'.encode()
    for name in ("POT-C", "PO-R", "Report", "Last-T", "Language-T", "Generated", "Project")
)
"""Header fields that would change with every run."""

OPTIONS = {"**.html": {"trimmed": "true", "newstyle_gettext": "true"}}


def in_the_source() -> Catalog:
    """Return the texts that the source marks."""
    found = Catalog(charset="utf-8")
    for _file, _line, text, _comments, context in extract_from_dir(
        WEB, METHODS, OPTIONS, keywords={"_": None, "gettext": None, "ngettext": (1, 2)}
    ):
        found.add(text, context=context)
    return found


def translated() -> Catalog:
    """Return the Italian catalogue."""
    with ITALIAN.open("rb") as stream:
        return read_po(stream, locale="it", charset="utf-8")


def compiled(catalogue: Catalog) -> bytes:
    """Return the form that programs read."""
    stream = io.BytesIO()
    write_mo(stream, catalogue)
    return stream.getvalue()


def written(catalogue: Catalog) -> bytes:
    """Return the form that people write."""
    stream = io.BytesIO()
    write_po(stream, catalogue, omit_header=False, no_location=True, sort_output=True, width=98)
    lines = stream.getvalue().splitlines(keepends=True)
    return b"".join(line for line in lines if not line.startswith(OF_THE_DAY))


def renew() -> None:
    """Write both anew."""
    catalogue = translated()
    catalogue.update(in_the_source(), no_fuzzy_matching=True)
    catalogue.obsolete.clear()
    ITALIAN.write_bytes(written(catalogue))
    ITALIAN.with_suffix(".mo").write_bytes(compiled(catalogue))


if __name__ == "__main__":
    renew()
