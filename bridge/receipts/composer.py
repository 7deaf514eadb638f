"""The program of ``composing``: reads a row with a large body and writes its message.

It reads the body, as many bytes of UTF-8 as its argument says, and behind it the rest of the row
in JSON. It writes a line of JSON, all that is worked out of the message; then the message.
"""

from __future__ import annotations

import json
import sys
from datetime import datetime
from functools import partial
from typing import IO

from bridge.apart.program import begin, line
from bridge.language import unpacked
from bridge.mime.ingest import ingest
from bridge.mime.ingest.carry import packed_message
from bridge.mime.write.compose import Source, compose


def _compose(size_bytes: int, given: IO[bytes], made: IO[bytes]) -> None:
    body = given.read(size_bytes).decode("utf-8", "surrogatepass")
    told = json.loads(given.read())
    told["fields"] = tuple(map(tuple, told["fields"]))
    told["unreadable"] = unpacked(told["unreadable"])
    raw = compose(Source(body=body, **{**told, "at": datetime.fromisoformat(told["at"])}))
    del body
    made.write(line(packed_message(ingest(raw))))
    made.write(raw)


def main(size_bytes: str) -> int:
    """Be the program."""
    return begin(partial(_compose, int(size_bytes)))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
