"""Reads a line from the terminal without showing it.

The echo is off before the prompt is written, and what was typed early is kept: a key that is
pasted at the very moment of the prompt is neither shown nor lost. (``getpass`` throws away what
came early, and ``typer.prompt`` writes the prompt before the echo is off.)

Failure: Ctrl-C and the end of input abort; the terminal is as it was.
"""

from __future__ import annotations

import sys

import typer


def read_hidden(prompt: str) -> str:
    """Ask on the terminal that is standard input until something is typed; returns it bare.

    Raises:
        Abort: Ctrl-C or the end of input.
    """
    if sys.platform == "win32":
        from getpass import getpass

        return getpass(prompt).strip()
    import termios

    terminal = sys.stdin.fileno()
    before, quiet = termios.tcgetattr(terminal), termios.tcgetattr(terminal)
    quiet[3] &= ~termios.ECHO
    termios.tcsetattr(terminal, termios.TCSANOW, quiet)
    try:
        return _asked(prompt)
    except KeyboardInterrupt:
        sys.stderr.write("\n")
        raise typer.Abort from None
    finally:
        termios.tcsetattr(terminal, termios.TCSANOW, before)


def _asked(prompt: str) -> str:
    while True:
        sys.stderr.write(prompt)
        sys.stderr.flush()
        line = sys.stdin.readline()
        sys.stderr.write("\n")  # the one that was typed is not shown either
        if not line:
            raise typer.Abort
        if text := line.strip():
            return text
