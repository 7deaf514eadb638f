"""The program of ``conversion``: reads a message and writes what is made of it.

One line of JSON, then the body as it stands between the quotes of JSON, and the files, one behind
the other.
"""

from __future__ import annotations

import sys
from functools import partial
from typing import IO

from bridge.apart.program import begin, line
from bridge.api.quoting import within_quotes
from bridge.language import packed
from bridge.mime.strict.content import Sealed, SignedPolicy, convert
from bridge.mime.strict.field import Unreadable


def _convert(signed: SignedPolicy, given: IO[bytes], made: IO[bytes]) -> None:
    try:
        content = convert(given.read(), signed)
    except Unreadable as fault:
        made.write(line({"fault": "unreadable", "reason": packed(fault.args[0])}))
        return
    except Sealed as fault:
        made.write(line({"fault": "sealed", "reason": packed(fault.args[0])}))
        return
    files = [[file.name, file.media_type, len(file.content)] for file in content.files]
    body_bytes = sum(map(len, within_quotes(content.body)))
    made.write(line({"subject": content.subject, "body": body_bytes, "files": files}))
    for piece in within_quotes(content.body):
        made.write(piece)
    for file in content.files:
        made.write(file.content)


def main(signed: str) -> int:
    """Be the program."""
    return begin(partial(_convert, "attach" if signed == "attach" else "refuse"))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
