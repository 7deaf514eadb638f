"""The manual pages against the commands: each is there with its options, and in this version."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import typer

from bridge import __version__
from tests.manual import FOLDER, pages
from tests.test_docs import COMMANDS

AGAIN = "Write them anew: python -m tests.manual"


def kept() -> dict[str, str]:
    """Return each page that is kept, as a reader sees its words."""
    return {path.name: plain(path.read_text(encoding="utf-8")) for path in FOLDER.glob("*.1")}


def plain(page: str) -> str:
    return re.sub(r"\s+", " ", page.replace("\\-", "-").replace("\\&", "").replace("\\e", "\\"))


def test_there_is_a_page_for_each_name_and_no_other() -> None:
    assert kept().keys() == pages().keys(), AGAIN


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_described_with_its_options(name: str) -> None:
    page = kept()["-".join(name.split()[:2]) + ".1"]
    command: Any = COMMANDS[name]
    assert f".B {name} " in page, AGAIN
    assert plain(" ".join(command.help.split())) in page.replace(" .PP ", " "), AGAIN
    context = typer.Context(command, info_name=name)
    for parameter in command.get_params(context):
        for word in (*parameter.opts, *parameter.secondary_opts):
            assert parameter.hidden or not word.startswith("-") or word in page, AGAIN


def test_the_whole_names_each_page_and_this_version() -> None:
    whole = kept()["pec-bridge.1"]
    for file, page in kept().items():
        assert f'"pec-bridge {__version__}"' in page, AGAIN
        assert file == "pec-bridge.1" or f".BR {file.removesuffix('.1')} (1)" in whole, AGAIN


def test_the_wheel_installs_them() -> None:
    project = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text())
    shared = project["tool"]["hatch"]["build"]["targets"]["wheel"]["shared-data"]
    assert shared == {"docs/man": "share/man/man1"}


def test_roff_takes_no_text_for_its_own() -> None:
    for page in pages().values():
        for line in page.splitlines():
            if line.startswith((".", "'")):
                assert re.match(r"\.(TH|SH|TP|TQ|PP|B|BR|nf|fi)\b", line)
            assert not re.search(r"\\(?![-&e])", line)
