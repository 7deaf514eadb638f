"""The words in two languages: ``python -m tests.catalogues`` finds them and renews catalogues.

There are two: the page's own words, and the sentences that the whole program says (``say``). New
texts come without a translation, which the tests beside each package report; texts that are gone
leave. The compiled catalogue stands beside the other, so that nothing is built at set-up.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

BRIDGE = Path(__file__).parent.parent / "bridge"
METHODS = [("**.html", "jinja2.ext:babel_extract"), ("**.py", "python")]
OPTIONS = {"**.html": {"trimmed": "true", "newstyle_gettext": "true"}}
OF_THE_DAY = tuple(
    f'"{name}'.encode()
    for name in ("POT-C", "PO-R", "Report", "Last-T", "Language-T", "Generated", "Project")
)
"""Header fields that would change with every run."""

ALWAYS = datetime(2026, 1, 1, tzinfo=UTC)
"""When compiled catalogues say that they were made: each run gives the same bytes."""


@dataclass(frozen=True, slots=True)
class Words:
    """A catalogue: where its texts are in the source, what marks them, and where it is.

    ``without`` are the packages that are left out.
    """

    source: Path
    marks: dict[str, tuple[int, int] | None]
    italian: Path
    without: tuple[str, ...] = ()

    def in_the_source(self) -> Catalog:
        """Return the texts that the source marks."""
        found = Catalog(charset="utf-8")
        for _file, _line, text, _comments, context in extract_from_dir(
            self.source,
            METHODS,
            OPTIONS,
            keywords=self.marks,
            directory_filter=lambda folder: Path(folder).name not in self.without,
        ):
            if text:
                found.add(text, context=context)
        return found

    def translated(self) -> Catalog:
        """Return the Italian catalogue."""
        if not self.italian.exists():
            return Catalog(locale="it", charset="utf-8")
        with self.italian.open("rb") as stream:
            return read_po(stream, locale="it", charset="utf-8")

    def renew(self) -> None:
        """Write both files anew."""
        catalogue = self.translated()
        catalogue.update(self.in_the_source(), no_fuzzy_matching=True)
        catalogue.obsolete.clear()
        self.italian.parent.mkdir(parents=True, exist_ok=True)
        self.italian.write_bytes(written(catalogue))
        self.italian.with_suffix(".mo").write_bytes(compiled(catalogue))


PAGE = Words(
    BRIDGE / "web",
    {"_": None, "gettext": None, "ngettext": (1, 2)},
    BRIDGE / "web" / "locale" / "it" / "LC_MESSAGES" / "pec-bridge.po",
)
SENTENCES = Words(
    BRIDGE,
    {"say": None},
    BRIDGE / "language" / "locale" / "it" / "LC_MESSAGES" / "sentences.po",
    without=("simulator",),  # it is for developers, and speaks English
)


def compiled(catalogue: Catalog) -> bytes:
    """Return the form that programs read."""
    stream = io.BytesIO()
    catalogue.creation_date = catalogue.revision_date = ALWAYS
    write_mo(stream, catalogue)
    return stream.getvalue()


def written(catalogue: Catalog) -> bytes:
    """Return the form that people write."""
    stream = io.BytesIO()
    write_po(stream, catalogue, omit_header=False, no_location=True, sort_output=True, width=98)
    lines = stream.getvalue().splitlines(keepends=True)
    return b"".join(line for line in lines if not line.startswith(OF_THE_DAY))


if __name__ == "__main__":
    PAGE.renew()
    SENTENCES.renew()
