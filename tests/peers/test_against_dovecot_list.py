"""LIST and LSUB as Dovecot answers them, over trees grown and cut by the same commands."""

from __future__ import annotations

import re
from pathlib import Path
from random import Random

import pytest

from tests.mime.dovecot import missing
from tests.peers.both import Both, both

pytestmark = pytest.mark.peer

OURS = ("Archive", "Drafts", "Sent", "Trash")
"""There from the start here."""

TREE = (
    *("a", "a/b", "a/b/c", "a/d", "alto", "alto/uno/due/tre", "con spazi", "con spazi/dentro"),
    *('"virgolette"', "punto.e.punto", "&- e", "Citt&AOA-", "Citt&AOA-/2026", "[quadre]", "a-b"),
    *("INBOX/sotto", "INBOX/sotto/ancora", "z", "z/y", "z/y/x", "z/y/x/w", "Maiusc", "maiusc"),
)
DELETED = ("a/b", "z", "z/y", "con spazi", "INBOX/sotto", "alto/uno", "maiusc")
SUBSCRIBED = ("INBOX", "a", "a/b/c", "z", "z/y/x", "alto/uno/due/tre", "Maiusc")

PATTERNS = (
    *("*", "%", "a", "a*", "a%", "%/%", "%/%/%", "*/%", "%/*", "a/*", "a/%", "z/%", "z/%/%"),
    *("%o", "*o*", "*/*/*", "inbox", "INBOX*", "inbox/%", "Inbox/*", "z/y", "z/y/%", "*w", "%b"),
    *("C%", "Citt&AOA-", "Citt&AOA-/%", "con%", "*.*", "m*", "M*", "nothing", "a%/c", "**", "%%"),
)
REFERENCES = ("", "a/", "z/y/", "INBOX/", "alto")


@pytest.fixture(autouse=True)
def installed() -> None:
    reason = missing()
    if reason:
        pytest.skip(reason)


def quoted(name: str) -> str:
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


async def do(two: Both, command: str, name: str) -> None:
    """Give both a command with a name; what one of them refuses, so must the other."""
    asked = f"{command} {quoted(name)}"
    try:
        two.peer.ask(asked)
        theirs = True
    except ValueError:
        theirs = False
    ours = (await two.client.tagged(asked)).startswith("OK")
    assert ours == theirs, asked


async def grow(two: Both, names: tuple[str, ...]) -> None:
    """Make mailboxes, each level by itself: Dovecot makes no mailboxes of levels between."""
    for name in OURS:
        two.peer.ask(f"CREATE {name}")
        two.peer.ask(f"SUBSCRIBE {name}")
    two.peer.ask("SUBSCRIBE INBOX")
    made = {*OURS, "INBOX"}
    for name in names:
        levels = name.split("/")
        for depth in range(1, len(levels) + 1):
            level = "/".join(levels[:depth])
            if level not in made:
                made.add(level)
                await do(two, "CREATE", level)


Lines = list[tuple[str, tuple[str, ...], str]]
"""Names, attributes and verbs."""

ANSWER = re.compile(r'\* (LIST|LSUB) \((.*?)\) "/" (.*)')
OUR_USES = frozenset({"\\Archive", "\\Drafts", "\\Sent", "\\Trash"})
THEIR_HINTS = frozenset({"\\Marked", "\\UnMarked"})


def lines(answers: list[str]) -> Lines:
    """Return answers without special uses and \\Marked, in order of names."""
    found = []
    for answer in answers:
        match = ANSWER.fullmatch(answer)
        assert match is not None, answer
        # Extended LIST says \\NonExistent, which is \\Noselect too; Dovecot with RETURN does not.
        said = match[2].replace("\\NonExistent", "\\Noselect").split()
        attributes = {*said} - OUR_USES - THEIR_HINTS
        found.append((match[3].replace('"', ""), tuple(sorted(attributes)), match[1]))
    return sorted(found)


async def compare(two: Both, command: str) -> None:
    theirs = lines([line.decode() for line in two.peer.ask(command)])
    ours = lines(await two.client.ok(command))
    there = await existing(two) if command.startswith("LSUB") else set()
    ours, theirs = alike(command, ours, theirs, there)
    assert ours == theirs, command


def alike(command: str, ours: Lines, theirs: Lines, there: set[str]) -> tuple[Lines, Lines]:
    """Return both without the differences that are meant."""
    if not any(name == "INBOX" for name, _, _ in ours) and command != command.upper():
        # "if the uppercase string INBOX matches" (RFC 3501 §6.3.8): %x% does not, but in Dovecot
        theirs = [line for line in theirs if line[0] != "INBOX"]
    if command.startswith("LSUB"):
        # What is subscribed to and not there is \\Noselect here; to Dovecot only levels above.
        theirs = [
            (name, attributes if name in there else ("\\Noselect",), verb)
            for name, attributes, verb in theirs
        ]
    if "(SUBSCRIBED" in command:  # Dovecot leaves it out where a deleted level is subscribed to
        ours, theirs = without_noselect(ours), without_noselect(theirs)
    return ours, theirs


def without_noselect(found: Lines) -> Lines:
    return [
        (name, tuple(one for one in attributes if one != "\\Noselect"), verb)
        for name, attributes, verb in found
    ]


async def existing(two: Both) -> set[str]:
    """Return the names that can be selected."""
    found = lines(await two.client.ok('LIST "" *'))
    return {name for name, attributes, _ in found if "\\Noselect" not in attributes}


async def ask_everything(two: Both) -> None:
    for reference in REFERENCES:
        for pattern in PATTERNS:
            await compare(two, f"LIST {quoted(reference)} {quoted(pattern)}")
            await compare(two, f"LSUB {quoted(reference)} {quoted(pattern)}")
    await compare(two, 'LIST "" ""')
    for pattern in PATTERNS:
        for options in ("RETURN (CHILDREN)", "RETURN (SUBSCRIBED CHILDREN)"):
            await compare(two, f'LIST "" {quoted(pattern)} {options}')
        for selection in ("(SUBSCRIBED)", "(SUBSCRIBED RECURSIVEMATCH)"):
            await compare(two, f'LIST {selection} "" {quoted(pattern)} RETURN (CHILDREN)')
        await compare(two, f'LIST "" ({quoted(pattern)} "z/%") RETURN (CHILDREN)')


async def test_a_tree(tmp_path: Path) -> None:
    async with both(tmp_path, {}) as two:
        await grow(two, TREE)
        await ask_everything(two)


async def test_a_tree_with_levels_deleted(tmp_path: Path) -> None:
    async with both(tmp_path, {}) as two:
        await grow(two, TREE)
        for name in SUBSCRIBED:
            await do(two, "SUBSCRIBE", name)
        for name in DELETED:
            await do(two, "DELETE", name)
        await ask_everything(two)


@pytest.mark.parametrize("seed", range(4))
async def test_any_tree(tmp_path: Path, seed: int) -> None:
    random = Random(seed)
    async with both(tmp_path, {}) as two:
        levels = ("x", "y", "zz")
        names = [
            "/".join(random.choice(levels) for _ in range(random.randrange(1, 5)))
            for _ in range(12)
        ]
        await grow(two, tuple(names))
        for name in names:
            await do(two, random.choice(("SUBSCRIBE", "UNSUBSCRIBE", "DELETE", "DELETE")), name)
        for pattern in ("*", "%", "x*", "%/%", "x/%", "%/y/*", "zz/%/%", "*y", "*/%", "%x%"):
            await compare(two, f'LIST "" {pattern}')
            await compare(two, f'LSUB "" {pattern}')
            await compare(two, f'LIST (SUBSCRIBED RECURSIVEMATCH) "" {pattern} RETURN (CHILDREN)')
