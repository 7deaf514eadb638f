"""The program that begins programs: a fork of it has imported what they need, and no more.

``python -m bridge.apart.forkserver SOCKET`` reads lines of JSON from that descriptor, one at a
time: a module and its arguments, and with them, as descriptors (SCM_RIGHTS), its standard input,
output and error. The answer is ``begun``, and when the fork has ended, how. What was given is only
ever in the fork, which sets its own bounds (``program.begin``) and is the first and last to work on
it: what one message took, left behind or broke is gone with it.

It ends when the other end of the socket is closed. A fork ends with it, in whatever step it is.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import socket
import sys
import traceback
from typing import Final, NoReturn

from bridge.apart.program import TIE, end_with_the_daemon

LINE_BYTES: Final = 64 * 1024
STREAMS: Final = 3
BEGUN: Final = b"begun\n"


def main(asks: socket.socket) -> None:
    """Begin programs until nobody asks any more."""
    if sys.platform == "win32":
        raise NotImplementedError
    end_with_the_daemon()
    while True:
        line, streams, _, _ = socket.recv_fds(asks, LINE_BYTES, STREAMS)
        if not line:
            return
        while not line.endswith(b"\n"):
            line += asks.recv(LINE_BYTES)
        module, *arguments = json.loads(line)
        with contextlib.suppress(Exception):  # the fork will say what is wrong with it
            importlib.import_module(module)
        gc.freeze()
        asks.sendall(b"%d\n" % _forked(asks, module, arguments, streams))


def _forked(asks: socket.socket, module: str, arguments: list[str], streams: list[int]) -> int:
    """Run a program in a fork; return how it ended, as ``subprocess`` says it."""
    if sys.platform == "win32":
        raise NotImplementedError
    held, tie = os.pipe()
    fork = os.fork()
    if fork == 0:
        os.close(held)
        _work(module, arguments, streams, tie)
    for one in (tie, *streams):
        os.close(one)
    asks.sendall(BEGUN)
    _, status = os.waitpid(fork, 0)
    os.close(held)
    return os.waitstatus_to_exitcode(status)


def _work(module: str, arguments: list[str], streams: list[int], tie: int) -> NoReturn:
    """Be the program."""
    status = 1
    try:
        for number, one in enumerate(streams):
            os.dup2(one, number)
            os.close(one)
        os.environ[TIE] = str(tie)
        status = importlib.import_module(module).main(*arguments)
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 1
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(status & 0xFF)


if __name__ == "__main__":
    main(socket.socket(fileno=int(sys.argv[1])))
