"""The documents against the code: what is there is documented, what is documented is there.

``python -m tests.test_docs`` writes the generated parts of ``docs/ARCHITECTURE.md`` and
``docs/limits.md`` anew.
"""

from __future__ import annotations

import ast
import dataclasses
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main
from typer.core import TyperGroup

from bridge import __version__, limits, sync
from bridge.api.mailbox_schema import MailboxState
from bridge.cli.program import build
from bridge.config import ConfigError, parse
from bridge.config.values import TABLES
from bridge.outbox import states
from bridge.receipts.outcome import KEYWORDS
from bridge.web.language import catalogue
from bridge.web.words import ACCEPTED, DELIVERED
from bridge.web.words import STATES as STATES_SHOWN
from tests.reference import documents

TOP = Path(__file__).parent.parent
README = (TOP / "README.md").read_text(encoding="utf-8")
ITALIAN = (TOP / "README.it.md").read_text(encoding="utf-8")
ARCHITECTURE = (TOP / "docs" / "ARCHITECTURE.md").read_text(encoding="utf-8")
GLOSSARY = (TOP / "docs" / "glossary.md").read_text(encoding="utf-8")
RFCS = (TOP / "docs" / "rfcs.md").read_text(encoding="utf-8")
CHANGELOG = (TOP / "CHANGELOG.md").read_text(encoding="utf-8")
PROJECT = tomllib.loads((TOP / "pyproject.toml").read_text(encoding="utf-8"))

SET_UP = (
    "python3 -m venv .venv && .venv/bin/pip install -q . && .venv/bin/pec-bridge demo",
    "python3 -m venv .venv && .venv/bin/pip install -q -e '.[test]' && .venv/bin/pytest",
)
REFERENCE = re.compile(r"<!-- configuration reference: begin -->\n```toml\n(.*?)```", re.DOTALL)
STATES = re.compile(
    r"(<!-- outbox states: begin -->\n)(.*?)(<!-- outbox states: end -->)", re.DOTALL
)
LIMITS = re.compile(r"(<!-- limits: begin -->\n)(.*?)(<!-- limits: end -->)", re.DOTALL)
TEST_NAMED = re.compile(r"`(tests/[\w/.]+\.(?:py|txt))(?:::(\w+))?`")
RFC_LIST = re.compile(r"RFCs:? (.*?)(?=\n\s*\n|\"\"\"|\.\s[A-Z]|\Z)", re.DOTALL)
LINK = re.compile(r"\]\(([^)#]+)(?:#[^)]*)?\)")


def commands(command: Any, path: str = "pec-bridge") -> Iterator[tuple[str, Any]]:
    """Yield every command that does something, with its full name."""
    if not isinstance(command, TyperGroup):
        yield path, command
        return
    for name, below in sorted(command.commands.items()):
        if not below.hidden:
            yield from commands(below, f"{path} {name}")


PROGRAM: Any = typer.main.get_command(build())
COMMANDS = dict(commands(PROGRAM))


@pytest.mark.parametrize("command", SET_UP)
@pytest.mark.parametrize("text", [README, ITALIAN], ids=["en", "it"])
def test_the_readme_has_both_set_up_commands_word_for_word(command: str, text: str) -> None:
    assert command in text.splitlines()


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_in_the_readme_and_has_a_help_text(name: str) -> None:
    assert f"`{name}`" in README
    assert COMMANDS[name].help


@pytest.mark.parametrize("text", [README, ITALIAN], ids=["en", "it"])
def test_every_command_in_the_readme_exists(text: str) -> None:
    named = re.findall(r"^\| `(pec-bridge [a-z ]+)` \|", text, re.MULTILINE)
    assert sorted(named) == sorted(COMMANDS)


def test_the_italian_readme_has_the_same_settings_and_promises() -> None:
    italian = REFERENCE.search(ITALIAN)
    assert italian is not None
    assert tomllib.loads(italian[1]) == tomllib.loads(reference())
    bold = re.compile(r"^- \*\*", re.MULTILINE)
    assert len(bold.findall(ITALIAN)) == len(bold.findall(README))


@pytest.mark.parametrize("path", documents(), ids=lambda path: path.name)
def test_what_is_written_from_the_code_is_what_the_code_says(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == documents()[path], "python -m tests.reference"


HEADER = re.compile(r"\bX-(?:Pec|PEC|Ricevuta|Trasporto|Riferimento|Verifica|Queue)[\w-]*")


def test_every_header_of_our_own_is_documented() -> None:
    written = {
        header
        for folder in ("mime", "smtpserver", "outbox")
        for path in (TOP / "bridge" / folder).rglob("*.py")
        for header in HEADER.findall(path.read_text(encoding="utf-8"))
    }
    documented = set(HEADER.findall((TOP / "docs" / "erp.md").read_text(encoding="utf-8")))
    assert written - documented == set()


@pytest.mark.parametrize(
    "name", ["office.md", "it/ufficio.md", "erp.md"], ids=["office", "ufficio", "erp"]
)
def test_every_keyword_is_explained_to_whoever_meets_it(name: str) -> None:
    text = (TOP / "docs" / name).read_text(encoding="utf-8")
    assert [keyword for keyword in KEYWORDS if f"`{keyword}`" not in text] == []


def test_the_offices_guides_use_the_pages_own_words() -> None:
    english = (TOP / "docs" / "office.md").read_text(encoding="utf-8")
    italian = (TOP / "docs" / "it" / "ufficio.md").read_text(encoding="utf-8")
    shown = [STATES_SHOWN[one].words for one in ("queued", "dispatching", "submitted")]
    shown += [ACCEPTED.words, DELIVERED.words]
    for words in shown:
        assert words in english
        assert catalogue("it").gettext(words) in italian


MENTIONED = re.compile(
    r"(?P<before>`|^[ \t>]*|exec |Usage: )pec-bridge(?P<words>(?: (?:[a-z]+|--?[a-z-]+|[A-Z]+))+)",
    re.MULTILINE,
)
PROSE = re.compile(r"pec-bridge (?P<word>[a-z]+)")


def texts(tree: ast.AST) -> Iterator[str]:
    """Yield every text in a source, however it is put together; X for what is filled in."""
    parts = {
        id(child)
        for node in ast.walk(tree)
        if isinstance(node, ast.JoinedStr | ast.BinOp)
        for child in ast.iter_child_nodes(node)
    }
    for node in ast.walk(tree):
        if id(node) not in parts and (text := joined(node)) is not None:
            yield text


def joined(node: ast.AST) -> str | None:
    """Return a literal's text, also of an f-string and of a sum of such; None for all else."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, ast.JoinedStr):
        return "".join(joined(one) or "X" for one in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        sides = joined(node.left), joined(node.right)
        return None if sides == (None, None) else "".join(one or "X" for one in sides)
    return None


def mentioned(text: str) -> Iterator[list[str]]:
    """Yield the words behind ``pec-bridge`` wherever a text names a command."""
    for found in MENTIONED.finditer(text):
        if (words := found["words"].split())[0].strip("X"):  # else the command is filled in
            yield words
    first = {name.split()[1] for name in COMMANDS}
    for found in PROSE.finditer(text):
        if found["word"] in first:
            yield PROSE_WORDS.findall(text[found.start() : found.start() + 80])[0].split()[1:]


PROSE_WORDS = re.compile(r"^pec-bridge(?: (?:[a-z]+|--[a-z-]+|[A-Z]+))+")


def wrong(words: list[str]) -> str | None:
    """Say what is wrong with a command as a text names it."""
    for length in (2, 1):
        command = COMMANDS.get(" ".join(["pec-bridge", *words[:length]]))
        if command is not None:
            options = {"--help", *(option for one in command.params for option in one.opts)}
            named = [word for word in words[length:] if word.startswith("--")]
            unknown = [word for word in named if word not in options and "sendmail" not in words]
            return f"{words[:length]} has no {unknown}" if unknown else None
    if set(words) <= options_of(PROGRAM):
        return None
    groups = {name.split()[1] for name in COMMANDS if name.count(" ") == 2}
    return None if words[0] in groups and len(words) == 1 else f"there is no command {words}"


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        ("Check it (`pec-bridge examine`).", 1),
        ("    pec-bridge queue resolve X --sent CODE\n    pec-bridge queue end X", 1),
        ("see `pec-bridge queue list --stat held`", 1),
        ("Another pec-bridge is using it", 0),
        ("run pec-bridge queue shown", 1),
        ("`pec-bridge XX`", 0),
    ],
)
def test_commands_in_texts_are_recognised(text: str, faults: int) -> None:
    assert len({wrong(words) for words in mentioned(text)} - {None}) == faults


def test_every_command_that_the_program_names_exists() -> None:
    for path in sorted((TOP / "bridge").rglob("*.py")):
        for text in texts(ast.parse(path.read_text(encoding="utf-8"))):
            for words in mentioned(text):
                assert wrong(words) is None, f"{path.name}: {text}"


@pytest.mark.parametrize(
    "name",
    [
        *("README.md", "README.it.md", "SECURITY.md", "CONTRIBUTING.md"),
        *(f"docs/{one.name}" for one in TOP.glob("docs/*") if one.is_file()),
    ],
)
def test_every_command_that_the_documents_name_exists(name: str) -> None:
    for words in mentioned((TOP / name).read_text(encoding="utf-8")):
        assert wrong(words) is None, words


ADMINISTRATION = ("mailbox", "token", "wallet", "usage", "export")


@pytest.mark.parametrize("name", [one for one in COMMANDS if one.split()[1] in ADMINISTRATION])
def test_every_command_of_administration_is_in_its_document(name: str) -> None:
    assert f"| `{name}` |" in (TOP / "docs" / "administration.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["README.md", "README.it.md", "docs/administration.md"])
def test_every_option_that_a_document_names_exists(name: str) -> None:
    text = (TOP / name).read_text(encoding="utf-8")
    every = {option for one in (PROGRAM, *COMMANDS.values()) for option in options_of(one)}
    assert set(re.findall(r"`(--[a-z-]+)", text)) <= every
    for command, rest in re.findall(r"^\| `(pec-bridge [a-z ]+)` \|(.*)$", text, re.MULTILINE):
        assert set(re.findall(r"`(--[a-z-]+)", rest)) <= options_of(COMMANDS[command]), command


def test_every_state_of_a_mailbox_is_in_the_document() -> None:
    text = (TOP / "docs" / "administration.md").read_text(encoding="utf-8")
    told = section(text, "4. Form and activation").partition("| state | means |")[2]
    cells = re.findall(r"^\| ([a-z_`, ]+) \|", told, re.MULTILINE)
    named = {state for cell in cells for state in re.findall(r"`([a-z_]+)`", cell)}
    assert named == {one.value for one in MailboxState if one is not MailboxState.UNKNOWN}


def options_of(command: Any) -> set[str]:
    """Return every option of a command as it is typed."""
    return {"--help", *(one for p in command.params for one in (*p.opts, *p.secondary_opts))}


def reference() -> str:
    found = REFERENCE.search(README)
    assert found is not None
    return found[1]


def at(table: dict[str, object], path: tuple[str, ...]) -> dict[str, object]:
    """Return the table at a path; of an array of tables all that its entries have, the first's."""
    value: object = table
    for name in path:
        assert isinstance(value, dict)
        value = value[name]
        if isinstance(value, list):
            value = {key: said for entry in reversed(value) for key, said in entry.items()}
    assert isinstance(value, dict)
    return value


@pytest.mark.parametrize("path", TABLES, ids=".".join)
def test_every_setting_is_in_the_reference(path: tuple[str, ...]) -> None:
    documented = at(tomllib.loads(reference()), path)
    settings = {field.name for field in dataclasses.fields(TABLES[path])}
    assert set(documented) == settings


def test_the_reference_is_a_configuration_that_works() -> None:
    try:
        parse(reference())
    except ConfigError as error:
        pytest.fail(str(error))


@pytest.mark.parametrize("path", TABLES, ids=".".join)
def test_the_reference_shows_the_defaults(path: tuple[str, ...]) -> None:
    documented = at(tomllib.loads(reference()), path)
    for field in dataclasses.fields(TABLES[path]):
        default = str(field.default) if isinstance(field.default, Path) else field.default
        if isinstance(default, str | int | float):
            assert documented[field.name] == default, field.name


def test_the_architecture_shows_the_outbox_states_of_the_code() -> None:
    found = STATES.search(ARCHITECTURE)
    assert found is not None
    assert found[2] == states.table(), "run python -m tests.test_docs"


def test_the_limits_are_those_of_the_code() -> None:
    found = LIMITS.search((TOP / "docs" / "limits.md").read_text(encoding="utf-8"))
    assert found is not None
    assert found[2] == limits.table(), "run python -m tests.test_docs"


def test_the_architecture_names_the_layers_that_are_checked() -> None:
    contracts = PROJECT["tool"]["importlinter"]["contracts"]
    checked = [contract for contract in contracts if contract["type"] == "layers"]
    assert checked
    for contract in checked:
        told = section(ARCHITECTURE, contract["name"].capitalize())
        assert re.findall(r"^\d+\. `([^`]+)`", told, re.MULTILINE) == contract["layers"]


def test_the_architecture_says_why_each_library_was_chosen() -> None:
    libraries = section(ARCHITECTURE, "Libraries")
    for requirement in PROJECT["project"]["dependencies"]:
        name = re.match(r"[\w-]+", requirement)
        assert name is not None
        assert f"**{name[0]}**" in libraries


def test_the_invariants_are_numbered_and_each_names_a_test() -> None:
    invariants = re.split(r"^(?=\d+\. )", section(ARCHITECTURE, "Invariants"), flags=re.MULTILINE)
    numbers = [int(text.split(".")[0]) for text in invariants[1:]]
    assert numbers == list(range(1, len(numbers) + 1))
    for text in invariants[1:]:
        assert TEST_NAMED.search(text), text


@pytest.mark.parametrize(
    "name",
    [
        "README.md",
        "CONTRIBUTING.md",
        "docs/ARCHITECTURE.md",
        "docs/quirks.md",
        "docs/glossary.md",
        "docs/rfcs.md",
        "docs/limits.md",
        "docs/SECURITY.md",
    ],
)
def test_every_test_that_is_named_exists(name: str) -> None:
    text = (TOP / name).read_text(encoding="utf-8")
    for path, function in TEST_NAMED.findall(text):
        assert (TOP / path).is_file(), path
        source = (TOP / path).read_text(encoding="utf-8")
        assert not function or re.search(rf"def {function}\b", source), f"{path}::{function}"


def test_what_sync_calls_things_is_in_the_glossary() -> None:
    """The words that its theory introduces are told there, and what is told there is used."""
    words = re.findall(r"^\| ([\w ,]+) \| .* \| .*`", GLOSSARY, re.MULTILINE)
    told = {word for several in words for word in several.split(", ")}
    introduced = set(re.findall(r"\*([a-z ]+)\*", sync.__doc__ or "")) | {"twin", "row", "doubt"}
    assert len(introduced) > 12
    plain = {
        word.removeprefix("in ").rstrip("s").replace("drifting", "drift") for word in introduced
    }
    assert plain - {word.rstrip("s") for word in told} == set()
    package = TOP / "bridge" / "sync"
    source = "\n".join(one.read_text(encoding="utf-8") for one in package.glob("*.py"))
    assert {word for word in told if word.split()[0] not in source} == set()


def test_each_thing_an_attacker_can_or_cannot_do_names_a_test() -> None:
    text = (TOP / "docs" / "SECURITY.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("| can")]
    assert len(rows) > 20
    for row in rows:
        assert TEST_NAMED.search(row), row


def cited(source: str) -> set[str]:
    """Return the numbers of the RFCs that a text names, alone or in a list of several."""
    numbers = set(re.findall(r"RFC (\d+)", source))
    for listed in RFC_LIST.findall(source):
        numbers |= set(re.findall(r"(?<![§.\d])\b\d{3,4}\b(?!\.\d)", listed))
    return numbers


def test_lists_of_rfcs_are_understood() -> None:
    text = "RFCs: 5322 §3.4, §4.4 (groups); 822\n(names). Not 1234.\n\nAnd RFC 2045 §6."
    assert cited(text) == {"5322", "822", "2045"}


@pytest.mark.parametrize("folder", ["bridge", "docs"])
def test_every_rfc_that_is_cited_is_listed(folder: str) -> None:
    listed = set(re.findall(r"^\| (\d+) \| (?:Yes|Partial|No) \|", RFCS, re.MULTILINE))
    for path in (TOP / folder).rglob("*"):
        if path.suffix in (".py", ".md"):
            missing = cited(path.read_text(encoding="utf-8")) - listed
            assert not missing, f"{path.name} cites {sorted(missing)}"


def test_every_rfc_that_is_supported_names_a_test() -> None:
    rows = re.findall(r"^\| (\d+) \| (Yes|Partial) \|(.*)$", RFCS, re.MULTILINE)
    assert rows
    for number, _, rest in rows:
        assert TEST_NAMED.search(rest), f"RFC {number}"


def test_the_changelog_keeps_its_form() -> None:
    versions = re.findall(r"^## \[([^\]]+)\]", CHANGELOG, re.MULTILINE)
    assert versions[0] == "Unreleased" or versions[0] == __version__
    kinds = set(re.findall(r"^### (\w+)", CHANGELOG, re.MULTILINE))
    assert kinds <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


@pytest.mark.parametrize(
    "path",
    [
        "README.md",
        "README.it.md",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "SECURITY.md",
        *(one.relative_to(TOP).as_posix() for one in TOP.glob("docs/**/*.md")),
    ],
)
def test_links_between_documents_lead_somewhere(path: str) -> None:
    text = (TOP / path).read_text(encoding="utf-8")
    for target in LINK.findall(text):
        if "://" not in target:
            assert ((TOP / path).parent / target).exists(), target


def section(text: str, title: str) -> str:
    """Return what stands under a second-level heading."""
    found = re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    assert found is not None, title
    return found[1]


if __name__ == "__main__":
    page = TOP / "docs" / "ARCHITECTURE.md"
    page.write_text(
        STATES.sub(lambda found: found[1] + states.table() + found[3], ARCHITECTURE),
        encoding="utf-8",
    )
    page = TOP / "docs" / "limits.md"
    page.write_text(
        LIMITS.sub(
            lambda found: found[1] + limits.table() + found[3], page.read_text(encoding="utf-8")
        ),
        encoding="utf-8",
    )
