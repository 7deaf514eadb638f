"""``account settings``: files for mail programs, from what is configured or what runs."""

from __future__ import annotations

import plistlib
import tomllib
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from bridge.config import Config, load
from tests.cli.administered import Administered, administered
from tests.cli.conftest import Command
from tests.running import ADDRESS, PASSWORD, running, simulated


@pytest.fixture
async def world(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Administered]:
    monkeypatch.setattr("bridge.credentials.local.LOG2_N", 8)
    async with administered(command, tmp_path, monkeypatch) as made:
        done = await made.run("account", "add", ADDRESS, "--json", typed=f"{PASSWORD}\n")
        assert done.code == 0
        yield made


async def test_each_form_is_written_to_a_file(world: Administered, tmp_path: Path) -> None:
    for form in ("thunderbird", "outlook", "apple"):
        file = tmp_path / form
        done = await world.run("account", "settings", ADDRESS, "--format", form, "-o", file)
        assert (done.code, done.out) == (0, "")
        assert b"1143" in file.read_bytes()
        assert PASSWORD.encode() not in file.read_bytes()
    assert ET.fromstring((tmp_path / "thunderbird").read_bytes()).tag == "clientConfig"
    assert plistlib.loads((tmp_path / "apple").read_bytes())["PayloadType"] == "Configuration"
    again = await world.run("account", "settings", ADDRESS, "--format", "apple", "-o", file)
    assert again.code == 1
    assert "--force" in again.err
    assert "srv" in (await world.run("account", "settings", ADDRESS, "--format", "x")).err


async def test_what_only_this_machine_reaches_is_not_published(world: Administered) -> None:
    done = await world.run("account", "settings", ADDRESS, "--format", "srv")
    assert done.out == "; Other machines do not reach this bridge: there is nothing to publish.\n"
    unknown = await world.run("account", "settings", "x@y.it", "--format", "srv")
    assert "There is no account x@y.it" in unknown.err


async def test_ports_that_are_free_ones_are_those_of_the_bridge_that_runs(
    world: Administered,
) -> None:
    text = world.config.read_text()
    listen = '[imap]\nlisten = ["127.0.0.1:0"]\n[smtp]\nlisten = ["127.0.0.1:0"]\n'
    assert not {"imap", "smtp"} & tomllib.loads(text).keys()
    world.config.write_text(text + listen)
    words = ("account", "settings", ADDRESS, "--format", "thunderbird")
    done = await world.run(*words)
    assert done.code == 1
    assert "It is not known where the bridge listens" in done.err
    data_dir = load(world.config).config.data_dir

    def there(config: Config) -> Config:
        return replace(config, data_dir=data_dir)

    async with running(data_dir, simulated(), change=there) as up:
        done = await world.run(*words)
        assert f"<port>{up.port('imap')}</port>" in done.out
        assert f"<port>{up.port('smtp')}</port>" in done.out
