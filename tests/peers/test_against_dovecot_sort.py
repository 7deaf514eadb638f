"""SORT and THREAD as Dovecot answers them, over the same mail."""

from __future__ import annotations

import re
from pathlib import Path
from random import Random

import pytest

from tests.mime.dovecot import missing
from tests.peers.both import Both, both, messages

pytestmark = pytest.mark.peer

KEYS = (
    *("ARRIVAL", "CC", "DATE", "FROM", "SIZE", "SUBJECT", "TO"),
    *("DISPLAYFROM", "DISPLAYTO"),
)

DELIBERATE = {
    ("msg_47.txt", "DATE"): "its date has no blank before the zone, which Dovecot can't read",
    ("fields twice", "SUBJECT"): "of two subjects ENVELOPE and SORT take the last, here alike",
    ("8-bit header", "DISPLAYFROM"): "a name in Latin-1 is read; to Dovecot it is U+FFFD",
    **{
        ("odd names", key): "what stands in <...> is the address; Dovecot sees what is before it"
        for key in ("CC", "FROM", "TO", "DISPLAYFROM", "DISPLAYTO")
    },
}


@pytest.fixture(autouse=True)
def installed() -> None:
    reason = missing()
    if reason:
        pytest.skip(reason)


async def orders(two: Both, criteria: list[str], keys: str) -> tuple[list[str], list[str]]:
    """Return how both sort, by the messages' names, without those we sort otherwise on purpose."""
    command = f"SORT ({' '.join(criteria)}) UTF-8 {keys}".encode()
    used = {one.split()[-1] for one in criteria}
    left_out = {name for name, key in DELIBERATE if key in used}
    ours, theirs = await two.ask(command, b"* SORT")
    named = [[two.names[int(number) - 1] for number in order.split()] for order in (ours, theirs)]
    return tuple([name for name in order if name not in left_out] for order in named)  # type: ignore[return-value]


async def test_each_criterion(tmp_path: Path) -> None:
    async with both(tmp_path, messages()) as two:
        for key in KEYS:
            for criterion in (key, f"REVERSE {key}"):
                ours, theirs = await orders(two, [criterion], "ALL")
                assert ours == theirs, criterion


async def test_several_criteria(tmp_path: Path) -> None:
    """A new Dovecot each time: among equals it keeps the order of an earlier SORT."""
    random = Random(4)
    for number in range(24):
        criteria = [
            random.choice(("", "REVERSE ")) + key
            for key in random.sample(KEYS, random.randrange(2, 5))
        ]
        keys = random.choice(("ALL", "SEEN", "FROM casa", "LARGER 300", "OR DRAFT UNSEEN"))
        folder = tmp_path / str(number)
        folder.mkdir()
        async with both(folder, messages()) as two:
            ours, theirs = await orders(two, criteria, keys)
            assert ours == theirs, (criteria, keys)


@pytest.mark.parametrize("algorithm", ["REFERENCES", "ORDEREDSUBJECT"])
async def test_threads(tmp_path: Path, algorithm: str) -> None:
    undated = {name for name, key in DELIBERATE if key in ("DATE", "SUBJECT")}
    mail = {name: raw for name, raw in messages().items() if name not in undated}
    async with both(tmp_path, mail) as two:
        for keys in ("ALL", "SEEN", "FROM casa", "SUBJECT preventivo", "LARGER 300"):
            command = f"THREAD {algorithm} UTF-8 {keys}".encode()
            ours, theirs = await two.ask(command, b"* THREAD")
            assert threads(ours) == threads(theirs), keys


def threads(answer: bytes) -> list[str]:
    """Return an answer with a line for each top thread, so that a difference can be read."""
    return re.sub(r"\)\(", ")\n(", answer.decode()).split("\n")


@pytest.mark.parametrize("seed", range(6))
async def test_threads_of_any_references(tmp_path: Path, seed: int) -> None:
    random = Random(seed)
    mail = dict(a_message(random, number) for number in range(40))
    async with both(tmp_path, mail) as two:
        for algorithm in ("REFERENCES", "ORDEREDSUBJECT"):
            ours, theirs = await two.ask(f"THREAD {algorithm} UTF-8 ALL".encode(), b"* THREAD")
            assert threads(ours) == threads(theirs), algorithm


def a_message(random: Random, number: int) -> tuple[str, bytes]:
    """Return a message that refers to any others, one to come and itself among them."""
    subject = random.choice(("Offerta", "Ordine", "Re: Offerta", "Re: Ordine", "Nota", ""))
    others = [f"<{random.randrange(50)}@t>" for _ in range(random.randrange(4))]
    lines = [
        f"Message-ID: <{number}@t>",
        f"Date: {random.randrange(1, 28)} Mar 2022 10:{number:02}:00 +0000",
        f"Subject: {subject}",
    ]
    if others:
        lines.append(f"{random.choice(('References', 'In-Reply-To'))}: {' '.join(others)}")
    return str(number), "\r\n".join([*lines, "", "testo", ""]).encode()
