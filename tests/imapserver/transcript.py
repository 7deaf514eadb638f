"""Transcripts: a title that cites its RFC, a few facts, then lines of a dialogue.

::

    Title
    Given: 3 messages in INBOX
    State: selected INBOX

    C: a1 NOOP
    S: a1 OK …

``C2:``/``S2:`` are a second session. ``C>``/``S>`` are lines inside a literal; ``{#}`` stands for
its size. In what the server says ``…`` stands for anything, and ``$name`` for what it was the
first time. ``API: 1 message in INBOX`` happens outside any session. ``#`` starts a comment.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from tests.imapserver.client import Client, Rig

_LINE = re.compile(r"(C|S)(\d?)([:>]) ?(.*)")
_GIVEN = re.compile(r"(\d+) messages? in (\S+)(?: \((.*)\))?")
_PIECE = re.compile(r"…|\$(\w+)")


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happens: ``kind`` is C, S or API."""

    kind: str
    session: str
    text: str
    number: int
    literal: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Transcript:
    """A whole file."""

    title: str
    given: tuple[str, ...]
    state: str
    steps: tuple[Step, ...]


def read(path: Path) -> Transcript:
    """Return what a file says."""
    lines = path.read_text(encoding="utf-8").splitlines()
    title, given, state, steps = lines[0], [], "", []
    for number, line in enumerate(lines[1:], start=2):
        if line.startswith("Given: "):
            given.append(line[7:])
        elif line.startswith("State: "):
            state = line[7:]
        elif line.startswith("API: "):
            steps.append(Step("API", "", line[5:], number))
        elif match := _LINE.fullmatch(line):
            _take(steps, match, number)
        elif line and not line.startswith("#"):
            raise ValueError(f"{path.name}:{number}: {line!r} is no line of a transcript")
    return Transcript(title, tuple(given), state, tuple(steps))


def _take(steps: list[Step], match: re.Match[str], number: int) -> None:
    kind, session, mark, text = match[1], match[2] or "1", match[3], match[4]
    if mark == ":":
        steps.append(Step(kind, session, text, number))
        return
    last = steps[-1] if steps[-1].kind == kind else steps[-2]  # a continuation may lie between
    at = steps.index(last)
    steps[at] = Step(kind, last.session, last.text, last.number, (*last.literal, text))


@dataclass(slots=True)
class Player:
    """Plays a transcript against a server."""

    rig: Rig
    state: str
    clients: dict[str, Client] = field(default_factory=dict)
    known: dict[str, str] = field(default_factory=dict)
    held_back: dict[str, bytes] = field(default_factory=dict)

    async def play(self, transcript: Transcript) -> None:
        for given in transcript.given:
            await self.happen(given)
        for step in transcript.steps:
            if step.kind == "API":
                await self.happen(step.text)
            elif step.kind == "C":
                await self.say(step)
            else:
                await self.hear(step)

    async def happen(self, text: str) -> None:
        match = _GIVEN.fullmatch(text)
        assert match is not None, text
        for number in range(1, int(match[1]) + 1):
            flags = tuple((match[3] or "").split())
            await self.rig.add(f"{match[2]}{number}", mailbox=match[2], flags=flags)

    async def client(self, session: str) -> Client:
        if session not in self.clients:
            verb, _, mailbox = self.state.partition(" ")
            if verb:
                client = await self.rig.client(mailbox or None)
            else:
                client = await self.rig.connect()
            self.clients[session] = client
        return self.clients[session]

    async def say(self, step: Step) -> None:
        client = await self.client(step.session)
        literal = "".join(line + "\r\n" for line in step.literal)
        text = self.filled(step.text.replace("{#", "{" + str(len(literal.encode()))))
        raw = text.encode() + b"\r\n"
        if step.literal and text.endswith("+}"):
            raw += literal.encode()
        elif step.literal:
            self.held_back[step.session] = literal.encode()
        await client.send(raw)

    async def hear(self, step: Step) -> None:
        client = await self.client(step.session)
        said = (await client.line()).decode()
        literal = "".join(line + "\r\n" for line in step.literal)
        text = step.text
        if step.literal:
            at = text.index("{#}")
            text = text[: at + 1] + str(len(literal.encode())) + "}\r\n" + literal + text[at + 3 :]
        match = re.fullmatch(self.pattern(text), said, re.DOTALL)
        assert match is not None, f"line {step.number}: expected {text!r}, heard {said!r}"
        self.known.update(match.groupdict())
        if said.startswith("+") and step.session in self.held_back:
            await client.send(self.held_back.pop(step.session))

    def filled(self, text: str) -> str:
        return re.sub(r"\$(\w+)", lambda match: self.known.get(match[1], match[0]), text)

    def pattern(self, text: str) -> str:
        pieces, at, new = [], 0, set()
        for match in _PIECE.finditer(text):
            pieces.append(re.escape(text[at : match.start()]))
            at = match.end()
            name = match[1]
            if name is None:
                pieces.append(".*")
            elif name in self.known:
                pieces.append(re.escape(self.known[name]))
            elif name in new:
                pieces.append(f"(?P={name})")
            elif name[0].isupper():  # $PecAccepted is a keyword
                pieces.append(re.escape(match[0]))
            else:
                new.add(name)
                pieces.append(rf"(?P<{name}>[^\s\])]+)")
        return "".join([*pieces, re.escape(text[at:])])
