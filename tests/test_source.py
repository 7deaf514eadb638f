"""How the package is written, where no tool looks: names, what is private, parts, log lines."""

from __future__ import annotations

import ast
import importlib
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tests.test_citations import SOURCES, tree_of
from tests.test_docs import TOP

DOUBLES = {
    "Login": "IMAP's command (RFC 3501 §6.2.3), and who may log in",
    "Outcome": "what became of a message, and what is kept of a group of twins",
    "Store": "IMAP's command (RFC 3501 §6.4.6), and where everything durable lives",
    "Sync": "the table [sync] of the settings, and what it sets",
}
"""Names of more than one class, each with why no other would say it better."""


@cache
def classes() -> tuple[tuple[Path, ast.ClassDef], ...]:
    """Return every class of the package and where it is."""
    nodes = ((path, node) for path in SOURCES for node in ast.walk(tree_of(path)))
    return tuple((path, node) for path, node in nodes if isinstance(node, ast.ClassDef))


def test_no_two_classes_have_one_name() -> None:
    found: dict[str, list[str]] = defaultdict(list)
    for path, node in classes():
        if not node.name.startswith("_"):
            found[node.name].append(f"{path.relative_to(TOP)}:{node.lineno}")
    doubles = {name: places for name, places in found.items() if len(places) > 1}
    assert {name: places for name, places in doubles.items() if name not in DOUBLES} == {}
    assert DOUBLES.keys() <= found.keys()


# -- what is private stays so ----------------------------------------------------------------------


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


@cache
def defined(path: Path) -> frozenset[str]:
    """Return the names that a source gives to something, members of its classes among them."""
    names = set()
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Attribute | ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.attr if isinstance(node, ast.Attribute) else node.id)
    return frozenset(names)


@cache
def defined_beside(folder: Path) -> frozenset[str]:
    return frozenset().union(*(defined(path) for path in SOURCES if path.parent == folder))


DOCUMENTED = frozenset({"os._exit"})
"""Public in spite of their names."""


def foreign(path: Path) -> Iterator[str]:
    """Yield the private names that a source uses and that somebody else gave."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.ImportFrom):
            yield from (one.name for one in node.names if is_private(one.name))
        elif isinstance(node, ast.Attribute) and is_private(node.attr):
            is_own = isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")
            known = defined_beside(path.parent) if is_own else defined(path)
            name = ast.unparse(node)
            if node.attr not in known and name not in DOCUMENTED:
                yield name


WINDOWS_ONLY = "bridge.cli.winservice"
"""Cannot be imported without pywin32."""


def overridden(path: Path) -> Iterator[str]:
    """Yield the private methods of a library's class that a class of the source replaces."""
    name = ".".join(path.relative_to(TOP).with_suffix("").parts).removesuffix(".__init__")
    if name == WINDOWS_ONLY:
        return
    for node in tree_of(path).body:
        if isinstance(node, ast.ClassDef):
            kind = getattr(importlib.import_module(name), node.name)
            libraries = [one for one in kind.__mro__ if not one.__module__.startswith("bridge.")]
            own = [getattr(one, "name", "") for one in node.body]
            yield from (
                f"{node.name}.{one}"
                for one in filter(is_private, own)
                if any(hasattr(library, one) for library in libraries)
            )


def test_no_private_name_of_somebody_else_is_used() -> None:
    used = {path.relative_to(TOP).as_posix(): [*foreign(path)] for path in SOURCES}
    assert {path: names for path, names in used.items() if names} == {}


def test_no_private_method_of_a_library_is_replaced() -> None:
    replaced = {path.relative_to(TOP).as_posix(): [*overridden(path)] for path in SOURCES}
    assert {path: names for path, names in replaced.items() if names} == {}


def test_private_names_are_told_apart(tmp_path: Path) -> None:
    source = tmp_path / "one.py"
    source.write_text(
        "from os import _exit\n"
        "class One:\n"
        "    def __init__(self, other):\n"
        "        self._own = other._own\n"
        "        self._theirs.clear()\n"
        "        other._buffer.clear()\n"
    )
    SOURCES.append(source)
    try:
        assert sorted(foreign(source)) == ["_exit", "other._buffer", "self._theirs"]
    finally:
        SOURCES.remove(source)


# -- what a class is built of ----------------------------------------------------------------------

MOST_PARTS = 5
MANY_PARTS = {
    "ApiConnection": "where, as whom and for how long, and what stands in for the network",
    "Bridge": "what the command line hands over, and what stands in for it in tests",
    "Deleter": "a deletion is proven by the client, the rows, the places and the policy together",
    "Dispatcher": "what is sent, whose turn it is, where to, and who writes down what came of it",
    "Fetcher": "what is to be fetched, how, and whom it goes to are told apart",
    "Filer": "what comes is filed and what goes withdrawn, under one lock",
    "Filing": "what came is composed, filed, and judged in one commit",
    "MailboxOperations": "each is a fact of its own that the settings or the service tell",
    "Overdue": "the inbox, the sends and the API are asked before anybody is alarmed",
    "PecClient": "who asks, by which connection, at whose cost",
    "Resources": "what is opened together and closed together; built by ``open`` alone",
    "Settler": "the store, the plan and the API's name are told apart in what people are told",
    "SmtpConnection": "one connection; the server hands on what it has",
    "SmtpServer": "the composition root's parts for one listener",
    "StatusOperations": "status is put together from all that runs",
    "SubmissionSession": "one connection; the server hands on what it has",
    "Sync": "the composition root's parts for all accounts",
    "WebPage": "the composition root's parts for the page",
    "Waiting": "the queue, the settings' limit and window, and where alarms go",
}
"""Classes that are built of more than ``MOST_PARTS``, each with why these belong together."""


def test_a_class_is_built_of_few_parts_or_says_why() -> None:
    many = {}
    for _, node in classes():
        for one in node.body:
            if isinstance(one, ast.FunctionDef) and one.name == "__init__":
                parts = [*one.args.posonlyargs, *one.args.args, *one.args.kwonlyargs][1:]
                if len(parts) > MOST_PARTS:
                    many[node.name] = len(parts)
    assert {name: count for name, count in many.items() if name not in MANY_PARTS} == {}
    assert MANY_PARTS.keys() <= {node.name for _, node in classes()}


# -- what a log says -------------------------------------------------------------------------------

EVENT = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*")
OTHER_WORDS = ()
"""Packages whose events are still sentences."""


def is_log_method(node: ast.expr) -> bool:
    return isinstance(node, ast.Attribute) and getattr(node.value, "id", "") == "log"


def log_calls(path: Path) -> Iterator[ast.Call]:
    """Yield the calls that write a log line, those that a commit makes later among them."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Call) and any(map(is_log_method, [node.func, *node.args[:1]])):
            yield node


def test_a_log_names_what_happened_in_one_dialect() -> None:
    """An event is nouns and verbs with underscores, so that one word finds it."""
    for path in SOURCES:
        if path.relative_to(TOP / "bridge").parts[0] in OTHER_WORDS:
            continue
        for call in log_calls(path):
            constants = [one for one in call.args if isinstance(one, ast.Constant)]
            assert len(constants) == 1, f"{path}:{call.lineno}"
            assert EVENT.fullmatch(str(constants[0].value)), f"{path}:{call.lineno}"


def test_a_log_tells_by_keys_and_values() -> None:
    for path in SOURCES:
        for call in log_calls(path):
            for given in call.keywords:
                said = ast.unparse(given.value)
                assert not re.search(r"!r|\brepr\(", said), f"{path}:{call.lineno}"


# -- what is there for no reason -------------------------------------------------------------------

IGNORED = re.compile(r"# (?:noqa: ([A-Z]+\d+)|type: ignore\[[\w, -]+\])(.*)")
ALWAYS = {"S608": "statements are made of our own words; whatever comes from outside is bound"}
"""Checks that are passed over for one reason wherever they are."""

UNREAD = {
    "LIMITS": "docs/limits.md is made of it",
    "QUESTION": "set-up asks it, as soon as there is one",
    "SYSTEM_WORDS": "the catalogues are made of it",
}
"""Constants that nobody in the package reads, each with who does."""


def test_what_a_check_passes_over_has_its_reason() -> None:
    for path in SOURCES:
        for at, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            found = IGNORED.search(line)
            if found is not None and found[1] not in ALWAYS:
                assert re.match(r" (?:-|#) .{4,}", found[2]), f"{path}:{at}"


def test_every_constant_is_read() -> None:
    words = Counter(
        word for path in SOURCES for word in re.findall(r"\w+", path.read_text(encoding="utf-8"))
    )
    for path in SOURCES:
        for node in tree_of(path).body:
            targets = node.targets if isinstance(node, ast.Assign) else []
            for one in targets:
                name = getattr(one, "id", "__")
                assert words[name] > 1 or name.startswith("__") or name in UNREAD, f"{path} {name}"


# -- how much is in one file -----------------------------------------------------------------------

MOST_LINES = 400
LONG = {
    "config/values.py": "one table for each table of the settings",
    "limits.py": "one table, a row for each bound",
}
"""Files that have more lines, each with why."""


def test_a_file_can_be_read_at_once_or_says_why() -> None:
    lengths = {
        path.relative_to(TOP / "bridge").as_posix(): path.read_text(encoding="utf-8").count("\n")
        for path in SOURCES
    }
    assert {
        one: count for one, count in lengths.items() if count > MOST_LINES
    }.keys() <= LONG.keys()
    assert LONG.keys() <= lengths.keys()
