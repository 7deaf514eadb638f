"""The program of ``taking``: reads a message, and writes in a line of JSON what is in it."""

from __future__ import annotations

import sys
from typing import IO

from bridge.apart.program import begin, line
from bridge.mime.ingest import ingest
from bridge.mime.ingest.carry import packed_message


def _take(given: IO[bytes], made: IO[bytes]) -> None:
    made.write(line(packed_message(ingest(given.read()))))


def main() -> int:
    """Be the program."""
    return begin(_take)


if __name__ == "__main__":
    sys.exit(main())
