"""Where what stands in an archive of evidence.

An archive is of one send, or a collection: one such archive for each send, in ``sends/``, with an
index. It is a ZIP file without compression, with fixed times and a fixed order: the same evidence
gives the same bytes, no file can unpack to more than it takes, and every sum is of bytes as they
lie there. Its comment seals it: the SHA-256 of everything before.
"""

from __future__ import annotations

import re
from enum import Enum

FORMAT = "pec-evidence 1"

MANIFEST = "manifest.json"
README = "README.txt"
SUMMARY = "summary.html"
MESSAGE = "message.eml"
REQUEST = "request.json"
ATTEMPTS = "attempts.json"
TIMELINE = "timeline.json"
INDEX = "index.html"
SENDS = "sends/"

NAME_LIMIT_CHARS = 200
_STEP = r"[A-Za-z0-9_][A-Za-z0-9._-]*"
_NAME = re.compile(rf"(?a){_STEP}(?:/{_STEP})*")


class ArchiveKind(Enum):
    """What an archive holds."""

    SEND = "send"
    COLLECTION = "collection"


def is_safe(name: str) -> bool:
    """Tell whether a name can be unpacked without leaving its folder, on any system."""
    return len(name) <= NAME_LIMIT_CHARS and _NAME.fullmatch(name) is not None


def receipt_name(number: int, kind: str) -> str:
    """Return how the files of a receipt begin; ``kind`` is ``receipts.kind``'s value."""
    return f"receipts/{number:03}-{re.sub(r'[^a-z0-9-]', '', kind) or 'mail'}"


def send_name(id: str) -> str:
    """Return the name of a send's archive in a collection."""
    return f"{SENDS}{re.sub(r'[^A-Za-z0-9._-]', '_', id)}.zip"
