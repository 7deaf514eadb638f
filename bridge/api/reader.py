"""The program of ``reading``: reads an answer with one message, and writes its row and its body.

Its argument is the id in JSON, which is ASCII whatever the id and the locale are.

One line of JSON: why there is nothing to be had, or the row and the digest of the body; then the
body in UTF-8.
"""

from __future__ import annotations

import json
import sys
from functools import partial
from typing import IO, Any

from bridge.apart.program import begin, line
from bridge.api.errors import CANNOT_BE_READ, HOLDS_NOTHING
from bridge.api.schema import InboxMessage, read_message, read_reply
from bridge.model import body_digest


def _read(api_id: str, given: IO[bytes], made: IO[bytes]) -> None:
    reply = None
    try:
        reply = read_reply(given.read())
        if reply.success is False:
            made.write(line({"no": reply.message, "code": reply.code_like}))
            return
        message = read_message(reply, api_id)
    except (ValueError, RecursionError):
        made.write(line({"unreadable": CANNOT_BE_READ if reply is None else HOLDS_NOTHING}))
        return
    del reply
    assert isinstance(message.body, str)  # noqa: S101 - nothing is on the disk here
    made.write(line({"row": _row(message), "sha256": body_digest(message.body).hex()}))
    made.write(message.body.encode("utf-8", "surrogatepass"))


def _row(message: InboxMessage) -> dict[str, Any]:
    row = message.row
    return {"api_id": row.api_id, "raw": row.raw, **row.row_fields}


def main(api_id: str) -> int:
    """Be the program."""
    return begin(partial(_read, json.loads(api_id)))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
