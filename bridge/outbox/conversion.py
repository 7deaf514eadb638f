"""A large message converted in a process of its own, which can be killed.

What a person wrote may cost more than it is worth: then the process meets its deadline or its
limit of memory, and neither the loop, nor other messages, nor the end of the daemon wait for it.
The message is refused by its caller, so it is not tried again after a restart.

Run as a program it reads a message from standard input and writes what is made of it: one line of
JSON, then the body and the files, one behind the other.

Failure: ``TooCostly``; ``Unreadable`` and ``Sealed`` as of ``mime.strict.content.convert``.
Cancelling ends the process.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Sequence

from bridge.limits import CONVERSION_BYTES, CONVERSION_S
from bridge.mime.strict.attachment import File
from bridge.mime.strict.content import Content, Sealed, SignedPolicy, convert
from bridge.mime.strict.field import Unreadable

PROGRAM: Sequence[str] = (sys.executable, "-P", "-m", "bridge.outbox.conversion")
_POLITENESS = 5
_FAULTS: dict[str, type[ValueError]] = {"unreadable": Unreadable, "sealed": Sealed}


class TooCostly(Exception):
    """The message could not be converted within the limits; the text says which."""


async def convert_apart(
    raw: bytes,
    signed: SignedPolicy,
    *,
    deadline_s: float = CONVERSION_S,
    program: Sequence[str] = PROGRAM,
) -> Content:
    """Return what ``mime.strict.content.convert`` does, from a process of its own.

    Raises:
        TooCostly: it took more than ``deadline_s``, or more memory than it may.
        Unreadable, Sealed: see ``convert``.
    """
    process = await asyncio.create_subprocess_exec(
        *program, signed, stdin=PIPE, stdout=PIPE, stderr=DEVNULL
    )
    try:
        async with asyncio.timeout(deadline_s):
            written, _ = await process.communicate(raw)
    except TimeoutError:
        raise TooCostly(f"its conversion took longer than {deadline_s:g} seconds") from None
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    if process.returncode != 0:
        raise TooCostly(f"its conversion needs more memory than {CONVERSION_BYTES >> 20} MiB")
    return await asyncio.to_thread(_read, written)


def _read(written: bytes) -> Content:
    head_end = written.index(b"\n")
    head = json.loads(written[:head_end])
    if "fault" in head:
        raise _FAULTS[head["fault"]](head["reason"])
    view, at = memoryview(written), head_end + 1
    pieces: list[bytes] = []
    for size in (head["body"], *(size for _name, _type, size in head["files"])):
        pieces.append(bytes(view[at : at + size]))
        at += size
    files = [
        File(name, media_type, content)
        for (name, media_type, _size), content in zip(head["files"], pieces[1:], strict=True)
    ]
    return Content(head["subject"], pieces[0].decode("ascii"), tuple(files))


def _write(raw: bytes, signed: SignedPolicy) -> list[bytes]:
    try:
        content = convert(raw, signed)
    except Unreadable as fault:
        return [_line({"fault": "unreadable", "reason": str(fault)})]
    except Sealed as fault:
        return [_line({"fault": "sealed", "reason": str(fault)})]
    body = content.body.encode("ascii")
    files = [[file.name, file.media_type, len(file.content)] for file in content.files]
    head = {"subject": content.subject, "body": len(body), "files": files}
    return [_line(head), body, *(file.content for file in content.files)]


def _line(value: object) -> bytes:
    return json.dumps(value).encode("ascii") + b"\n"


def _limit() -> None:
    """Take no more memory than may be, and let all others go first."""
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (CONVERSION_BYTES, CONVERSION_BYTES))
    with contextlib.suppress(AttributeError, OSError):
        os.nice(_POLITENESS)


def main(arguments: Sequence[str]) -> int:
    """Convert standard input; 1 where memory did not suffice."""
    _limit()
    signed: SignedPolicy = "attach" if arguments == ["attach"] else "refuse"
    try:
        for piece in _write(sys.stdin.buffer.read(), signed):
            sys.stdout.buffer.write(piece)
        sys.stdout.buffer.flush()
    except MemoryError:
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
