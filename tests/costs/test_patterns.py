"""Every regular expression of the bridge, fed with repetitions of what it is made of.

A text is taken from a pattern's own parts: what leads to a repetition, what is repeated, very
often, and something that ends it badly. Patterns are searched for where the code does so, and else
matched at the beginning only. A search takes time in proportion to the text, whatever it is.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from re import _constants as code  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from types import ModuleType
from typing import Any, AnyStr

import pytest

import bridge
from tests.costs.measure import FLOOR_S, computed_s

ROOT = Path(bridge.__file__).parent
SIZES = (16, 24, 32, 48, 64, 96, 128, 1024, 8192)
"""Small ones first: what takes exponential time is not to be waited for."""
MOST_S = FLOOR_S
TRIED = 40
"""Texts of each pattern that ``.ci/run`` tries, from all parts of it."""

GROWTH = 2.5
BREAKERS = ("", "\x01", " ")
SEARCHING = "search|sub|subn|findall|finditer|split"
OWN = ("simulator", "config", "cli", "registration", "operations", "store")
"""Packages to which only texts come that a person here has written."""


ELSEWHERE_BOUNDED = {
    "charset.decode._META": "looks at the first 1,024 bytes",
    "mime.html.to_text._TAG": "is given what ends in a >, so that no tag is looked for in vain",
}


@dataclass(frozen=True)
class Found:
    """A pattern, where it is, and whether it is searched for."""

    pattern: re.Pattern[Any]
    where: str
    is_searched: bool


def _within(value: object, depth: int = 0) -> Iterator[re.Pattern[Any]]:
    if isinstance(value, re.Pattern):
        yield value
    elif isinstance(value, dict) and depth < 4:
        for item in (*value.keys(), *value.values()):
            yield from _within(item, depth + 1)
    elif isinstance(value, tuple | list | set | frozenset) and depth < 4:
        for item in value:
            yield from _within(item, depth + 1)


def _modules() -> Iterator[ModuleType]:
    for module in pkgutil.walk_packages(bridge.__path__, "bridge."):
        if module.name.split(".")[1] not in OWN and not module.name.endswith("__main__"):
            yield importlib.import_module(module.name)


def _is_searched(module: ModuleType, name: str, *, is_alone: bool) -> bool:
    """Tell whether a pattern may be searched for: one that is among others is taken to be."""
    sources = ROOT.rglob("*.py") if name[0] != "_" else [Path(str(module.__file__))]
    used = re.compile(rf"\b{name}\.(?:{SEARCHING})\b")
    return not is_alone or any(used.search(source.read_text()) for source in sources)


@cache
def patterns() -> tuple[Found, ...]:
    found: dict[tuple[object, int], Found] = {}
    for module in _modules():
        for name, value in vars(module).items():
            for pattern in _within(value):
                key, where = (pattern.pattern, pattern.flags), f"{module.__name__}.{name}"
                is_searched = _is_searched(module, name, is_alone=value is pattern)
                if key not in found or (is_searched and not found[key].is_searched):
                    found[key] = Found(pattern, where, is_searched)
    return tuple(found.values())


# -- texts out of a pattern's parts ----------------------------------------------------------------


def _of_class(items: Iterable[Any]) -> list[str]:
    """Return some characters of a class: one of each of its items, and of what it leaves out."""
    held: list[str] = []
    is_negated = False
    samples = {
        code.CATEGORY_DIGIT: "7",
        code.CATEGORY_SPACE: " \t\n",
        code.CATEGORY_WORD: "a_7",
        code.CATEGORY_NOT_SPACE: 'a"<',
        code.CATEGORY_NOT_WORD: " -",
        code.CATEGORY_NOT_DIGIT: "a",
    }
    for kind, value in items:
        if kind is code.NEGATE:
            is_negated = True
        elif kind is code.LITERAL:
            held.append(chr(value))
        elif kind is code.RANGE:
            held += [chr(value[0]), chr(value[1])]
        elif kind is code.CATEGORY:
            held += samples[value]
    if not is_negated:
        return list(dict.fromkeys(held))[:6]
    return [char for char in "a \\<\"(',;=7%\n" if not _is_in(char, items)][:6] or ["a"]


def _is_in(char: str, items: Iterable[Any]) -> bool:
    tests: dict[object, Callable[[str], bool]] = {
        code.CATEGORY_DIGIT: str.isdigit,
        code.CATEGORY_SPACE: str.isspace,
        code.CATEGORY_WORD: lambda one: one.isalnum() or one == "_",
        code.CATEGORY_NOT_SPACE: lambda one: not one.isspace(),
        code.CATEGORY_NOT_WORD: lambda one: not (one.isalnum() or one == "_"),
        code.CATEGORY_NOT_DIGIT: lambda one: not one.isdigit(),
    }
    for kind, value in items:
        if kind is code.LITERAL and chr(value) == char:
            return True
        if kind is code.RANGE and value[0] <= ord(char) <= value[1]:
            return True
        if kind is code.CATEGORY and tests[value](char):
            return True
    return False


REPEATS = (code.MAX_REPEAT, code.MIN_REPEAT, code.POSSESSIVE_REPEAT)
ENOUGH = 24


def _texts(items: Iterable[Any], found: list[tuple[str, str]] | None = None) -> list[str]:
    """Return some texts that parts match; repetitions met go to ``found`` with what leads there."""
    texts = [""]
    for kind, value in items:
        texts = _joined(texts, _texts_of(kind, value, texts, found))
    return texts


def _joined(texts: Iterable[str], more: list[str]) -> list[str]:
    every = [text + one for text in texts for one in more]
    return list(dict.fromkeys(every))[:ENOUGH]


def _texts_of(
    kind: Any, value: Any, before: list[str], found: list[tuple[str, str]] | None
) -> list[str]:
    inner: list[tuple[str, str]] | None = None if found is None else []
    result = _single(kind, value) or [""]
    bodies = _bodies(kind, value)
    if bodies:
        result = [text for body in bodies for text in _texts(body, inner)[: ENOUGH // len(bodies)]]
    if kind in REPEATS:
        least, most, _ = value
        if inner is not None and most > ENOUGH:
            inner += [("", one) for one in result if one]
        result = [one * least for one in result] if least else ["", *result]
    elif kind in (code.ASSERT, code.ASSERT_NOT):
        result = [""]
    if found is not None and inner:
        found += [(text + lead, again) for lead, again in inner for text in before[:3]]
    return list(dict.fromkeys(result))[:ENOUGH] or [""]


def _single(kind: Any, value: Any) -> list[str]:
    """Return characters that a part matches which is one character."""
    if kind is code.LITERAL:
        return [chr(value)]
    if kind is code.NOT_LITERAL:
        return _of_class([(code.NEGATE, None), (code.LITERAL, value)])
    if kind is code.ANY:
        return ["a", '"']
    return _of_class(value) if kind is code.IN else []


def _bodies(kind: Any, value: Any) -> list[Any]:
    """Return the parts of a part."""
    if kind is code.BRANCH:
        return list(value[1])
    if kind is code.SUBPATTERN:
        return [value[3]]
    if kind is code.ATOMIC_GROUP:
        return [value]
    if kind in REPEATS:
        return [value[2]]
    return [value[1]] if kind in (code.ASSERT, code.ASSERT_NOT) else []


def attacks(pattern: re.Pattern[AnyStr]) -> list[tuple[str, str, str]]:
    """Return what leads to a repetition, what is repeated, and how it ends, each of many."""
    repetitions: list[tuple[str, str]] = []
    whole = _texts(parser.parse(pattern.pattern, pattern.flags & ~re.DEBUG), repetitions)
    beginnings = {
        text[:length] for text in whole[:8] for length in range(1, min(len(text), 12) + 1)
    }
    repetitions += [("", text) for text in sorted(beginnings | set(whole[:8])) if text]
    repetitions += [(lead, one + lead) for lead, one in repetitions if lead]
    return [
        (lead, repeated, end) for lead, repeated in dict.fromkeys(repetitions) for end in BREAKERS
    ]


def made(found: Found, attack: tuple[str, str, str], size: int) -> Any:
    lead, repeated, end = attack
    text = lead + repeated * max(size // len(repeated), 1) + end
    return (
        text.encode("utf-8" if "é" in end else "latin-1", "replace")
        if isinstance(found.pattern.pattern, bytes)
        else text
    )


def seconds(found: Found, text: Any) -> float:
    def work() -> None:
        if found.is_searched:
            for _ in found.pattern.finditer(text):
                pass
        else:
            found.pattern.match(text)
            found.pattern.fullmatch(text)

    return computed_s(work, 1)


def costs_too_much(found: Found, attack: tuple[str, str, str]) -> bool:
    for size in SIZES:
        if seconds(found, made(found, attack, size)) > MOST_S:
            break
    else:
        return False
    if size <= 1024:
        return True
    once, twice = made(found, attack, size), made(found, attack, 2 * size)
    for _ in range(3):  # a busy machine gets another chance
        least = min(seconds(found, once) for _ in range(2))
        if seconds(found, twice) <= GROWTH * max(least, FLOOR_S):
            return False
    return True


def _judged() -> list[Found]:
    return [one for one in patterns() if one.where.removeprefix("bridge.") not in ELSEWHERE_BOUNDED]


JUDGED = pytest.mark.parametrize(
    "found", _judged(), ids=lambda one: one.where.removeprefix("bridge.")
)


@pytest.mark.slow
@JUDGED
def test_a_pattern_takes_time_in_proportion_to_the_text(found: Found) -> None:
    every = attacks(found.pattern)
    some = every[:: -(-len(every) // TRIED)]
    assert [one for one in some if costs_too_much(found, one)] == []


@pytest.mark.byhand  # some patterns have thousands of them: half an hour in all
@JUDGED
def test_a_pattern_takes_time_in_proportion_to_each_text(found: Found) -> None:
    assert [one for one in attacks(found.pattern) if costs_too_much(found, one)] == []


@pytest.mark.slow
def test_what_takes_too_long_is_found() -> None:
    for pattern in (r"(a+)+b", r"\s+\Z", r'"[^<]*"x', r"<[^>]*>", r"(?:a|a)*b", r"<!--.*?-->"):
        found = Found(re.compile(pattern), "", is_searched=True)
        assert any(costs_too_much(found, attack) for attack in attacks(found.pattern)), pattern
    assert len(_judged()) == len(patterns()) - len(ELSEWHERE_BOUNDED) > 150
