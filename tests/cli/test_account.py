"""``account``: from nothing to an account that works, and back; secrets where nobody reads them."""

from __future__ import annotations

import imaplib
import stat
import tomllib
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random

import pytest

from bridge.app.bridge import Bridge
from bridge.cli.account_facts import has_credentials
from bridge.cli.daemon import SettingsFrom
from bridge.clock import SystemClock
from bridge.config import Account, Api, Config, SecretSource, load
from bridge.credentials import Secrets, resolve, resolve_all
from bridge.credentials.local import is_hash, read_hash
from bridge.simulator import SimulatorServer
from bridge.store.sqlite import SqliteStore
from tests.cli.administered import Administered, administered
from tests.cli.conftest import Command, Done
from tests.running import ADDRESS, PASSWORD, apart, simulated


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bridge.credentials.local.LOG2_N", 8)


@pytest.fixture
async def world(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Administered]:
    async with administered(command, tmp_path, monkeypatch) as made:
        yield made


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


async def added(world: Administered, *words: object, typed: str = f"{PASSWORD}\n") -> Done:
    return await world.run("account", "add", *words, typed=typed)


@pytest.mark.parametrize("root", [False, True])
async def test_a_first_account_with_nothing_there(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, root: bool
) -> None:
    monkeypatch.setattr("bridge.app.accounts.is_root", lambda: root)
    simulator = simulated(messages=3)
    config = tmp_path / "etc" / "config.toml"
    async with SimulatorServer(simulator.app) as server:
        world = Administered(command, simulator, config, monkeypatch)
        done = await added(
            world,
            *(ADDRESS, "--api", server.url, "--json"),
            typed=f"{simulator.token}\n{PASSWORD}\n",
        )
        facts = done.json
        again = await world.run("account", "test", "--json")
    assert facts["tried"]["messages"] == 3
    file = load(config)
    secrets = resolve_all(file, {})
    assert secrets.token.reveal() == simulator.token
    assert secrets.accounts[0].password.reveal() == PASSWORD
    assert read_hash(secrets.accounts[0].local_password.reveal()).fits(facts["new_local_password"])
    folder = config.parent / "secrets"
    assert {mode(one) for one in folder.iterdir()} == {0o600}
    assert (mode(folder), mode(config)) == (0o700, 0o644)
    assert (file.config.api.token.credential is not None) is root
    assert PASSWORD not in config.read_text()
    full = facts["tried"]["full_percent"]
    assert again.json == [
        {"address": ADDRESS, "works": True, "error": None, "messages": 3, "full_percent": full}
    ]


async def test_the_configuration_keeps_its_comments_and_the_rest(world: Administered) -> None:
    text = "# Ours.\n" + world.config.read_text() + "\n[prices]  # net\npec = 0.04\n"
    world.config.write_text(text)
    world.config.chmod(0o640)
    assert (await added(world, ADDRESS)).code == 0
    after = world.config.read_text()
    assert after.startswith(text)
    assert mode(world.config) == 0o640
    (account,) = tomllib.loads(after)["account"]
    assert account["address"] == ADDRESS
    assert "username" not in account


async def test_what_the_api_refuses_is_not_written(world: Administered) -> None:
    before = world.config.read_text()
    done = await added(world, ADDRESS, typed="wrong\n")
    assert done.code == 1
    assert "The API refused the token or the mailbox password" in done.err
    assert "wrong" not in done.err + done.out
    assert world.config.read_text() == before
    assert not (world.config.parent / "secrets").exists()
    done = await added(world, ADDRESS, "--untested", typed="wrong\n")
    assert done.code == 0
    assert "was not tried" in done.out
    tried = await world.run("account", "test")
    assert tried.code == 1
    assert "fails" in tried.out


async def test_what_cannot_be_written_leaves_nothing(
    world: Administered, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("bridge.app.accounts.SettingsFile.write", full)
    before = world.config.read_text()
    done = await added(world, ADDRESS)
    assert (done.code, "No space left on device. Nothing was changed" in done.err) == (1, True)
    assert world.config.read_text() == before
    assert not list((world.config.parent / "secrets").iterdir())


@pytest.mark.parametrize(
    ("words", "typed", "code", "said"),
    [
        ((), "", 2, "ADDRESS, or --from-mailbox"),
        (("nobody",), "", 2, "is not a mail address"),
        ((ADDRESS, "--api", "https://a.example"), "", 2, "its [api] says where the API is"),
        ((ADDRESS,), "", 2, f"Password of {ADDRESS} is needed"),
        ((ADDRESS,), "a\tb\n", 1, "control character"),
        (("--from-mailbox", "none"), "", 1, "shows the ids there are"),
    ],
)
async def test_what_is_not_understood(
    world: Administered, words: tuple[str, ...], typed: str, code: int, said: str
) -> None:
    done = await added(world, *words, typed=typed)
    assert done.code == code
    assert said in done.err
    assert "Traceback" not in done.err


async def test_an_account_is_added_once(world: Administered) -> None:
    await added(world, ADDRESS)
    done = await added(world, ADDRESS.upper())
    assert done.code == 1
    assert "is in" in done.err
    assert "account test" in done.err


async def test_from_a_mailbox_that_was_registered_here(world: Administered) -> None:
    id = await world.registered()
    done = await added(world, "--from-mailbox", id)
    assert done.code == 1
    assert "waits for the signed form" in done.err
    world.admin.registry.move(id, "evasa")
    typed = f"{world.admin.mailbox_password}\n"
    done = await added(world, "--from-mailbox", id, "--json", typed=typed)
    assert done.json["address"] == "azienda@pecmassiva.com"
    done = await added(world, ADDRESS, "--from-mailbox", id)
    assert "not azienda@pec.example" in done.err


async def test_what_is_shown_is_where_secrets_are_and_what_to_type(world: Administered) -> None:
    local = (await added(world, ADDRESS, "--json")).json["new_local_password"]
    listed = await world.run("account", "list", "--json")
    shown = await world.run("account", "show", ADDRESS)
    (facts,) = listed.json
    assert facts["password"].startswith("file ")
    assert facts["connection"]["imap"] == {"host": "localhost", "port": 1143, "security": "none"}
    for program in ("Thunderbird", "Outlook", "Apple Mail"):
        assert program in shown.out
    assert "port 1025" in shown.out
    assert not [secret for secret in (local, PASSWORD) if secret in listed.out + shown.out]


async def test_a_new_local_password_takes_the_place_of_the_old(world: Administered) -> None:
    first = (await added(world, ADDRESS, "--json")).json["new_local_password"]
    done = await world.run("account", "password", ADDRESS, "--json")
    second = done.json["new_local_password"]
    source = load(world.config).config.account[0].local_password
    assert source is not None
    kept = resolve(source, folder=world.config.parent).reveal()
    assert is_hash(kept)
    assert (read_hash(kept).fits(first), read_hash(kept).fits(second)) == (False, True)


async def test_removing_keeps_and_says_what_stays(world: Administered) -> None:
    before = tomllib.loads(world.config.read_text())
    await added(world, ADDRESS)
    asked = await world.run("account", "remove", ADDRESS, typed="n\n")
    assert asked.code == 1
    done = await world.run("account", "remove", ADDRESS, typed="y\n")
    assert done.code == 0
    assert "What stays: its mail" in done.err
    assert f"{ADDRESS}.password" in done.err
    assert tomllib.loads(world.config.read_text()) == before
    listed = await world.run("account", "list", "--json")
    assert listed.json == []
    assert (await world.run("account", "remove", ADDRESS, "--yes")).code == 1


async def test_an_account_that_a_network_sends_as_is_not_removed(world: Administered) -> None:
    await added(world, ADDRESS)
    trusted = f'\n[[smtp.trusted]]\nnetwork = "127.0.0.1/32"\naccount = "{ADDRESS}"\n'
    world.config.write_text(world.config.read_text() + trusted)
    done = await world.run("account", "remove", ADDRESS, "--yes")
    assert done.code == 1
    assert "127.0.0.1/32" in done.err


async def test_a_token_that_is_missing_is_asked_for_only_where_it_would_be_found(
    world: Administered,
) -> None:
    (world.config.parent / "token").unlink()
    done = await added(world, ADDRESS)
    assert done.code == 1
    assert "it is not there" in done.err


@pytest.mark.parametrize(
    ("sends", "place"),
    [(20, None), (200, "Ricevute/{year}-{month}"), (2000, "Ricevute/{year}-{month}/{kind}")],
)
async def test_where_receipts_go_by_how_much_is_sent(
    world: Administered, sends: int, place: str | None
) -> None:
    done = await added(world, ADDRESS, "--sends-per-day", sends)
    assert f"{2 * sends:,} receipts a day" in done.out
    document = tomllib.loads(world.config.read_text())
    assert document.get("receipts", {}).get("deliver_to") == place


async def test_where_receipts_go_already_is_left(world: Administered) -> None:
    text = world.config.read_text() + '[receipts]\ndeliver_to = "Qui"\n'
    world.config.write_text(text)
    await added(world, ADDRESS, "--sends-per-day", 2000)
    assert tomllib.loads(world.config.read_text())["receipts"] == {"deliver_to": "Qui"}


async def test_a_bridge_that_runs_takes_it_over(world: Administered) -> None:
    first = (await added(world, ADDRESS, "--json")).json
    assert "No bridge runs" in first["running"]
    ports = '[imap]\nlisten = ["127.0.0.1:0"]\n[smtp]\nlisten = ["127.0.0.1:0"]\n'
    world.config.write_text(world.config.read_text() + ports)
    source = SettingsFrom(world.config, None, False)
    bridge = Bridge(*source.read(), clock=SystemClock(), random=Random(1))
    bridge.reload_from(source)
    listening = await bridge.start()
    try:
        done = await world.run("account", "password", ADDRESS, "--json")
        assert done.json["running"] == "The running bridge has taken it over."
        port = listening.listeners[0].port
        shown = (await world.run("account", "show", ADDRESS, "--json")).json
        assert shown["connection"]["imap"]["port"] == port
        await apart(_logs_in, port, done.json["new_local_password"])
        with pytest.raises(imaplib.IMAP4.error):
            await apart(_logs_in, port, first["new_local_password"])
    finally:
        await bridge.stop()


class AtItsStart(SettingsFrom):
    """Secrets as systemd hands them out: those of the start, whatever became of the files."""

    handed_out: Secrets | None = None

    def read(self) -> tuple[Config, Secrets]:
        config, secrets = super().read()
        self.handed_out = self.handed_out or secrets
        return config, self.handed_out


async def test_a_password_that_the_bridge_cannot_have_yet_is_not_said_to_hold(
    world: Administered,
) -> None:
    first = (await added(world, ADDRESS, "--json")).json
    ports = '[imap]\nlisten = ["127.0.0.1:0"]\n[smtp]\nlisten = ["127.0.0.1:0"]\n'
    world.config.write_text(world.config.read_text() + ports)
    source = AtItsStart(world.config, None, False)
    bridge = Bridge(*source.read(), clock=SystemClock(), random=Random(1))
    bridge.reload_from(source)
    listening = await bridge.start()
    try:
        done = await world.run("account", "password", ADDRESS, "--json")
        assert "does NOT have it yet" in done.json["running"]
        assert "systemctl restart pec-bridge" in done.json["running"]
        await apart(_logs_in, listening.listeners[0].port, first["new_local_password"])
    finally:
        await bridge.stop()


@pytest.mark.parametrize(("kind", "is_so"), [("credential", True), ("file", False)])
def test_whether_systemd_hands_out_a_secret(kind: str, *, is_so: bool) -> None:
    other, file = SecretSource(env="X"), SecretSource(file=Path("x"))
    this = SecretSource(credential="x") if kind == "credential" else file
    for token, password, local in ((this, other, None), (other, this, None), (other, other, this)):
        account = Account(address=ADDRESS, password=password, local_password=local)
        assert has_credentials(Config(api=Api(token=token), account=(account,))) is is_so


def _logs_in(port: int, password: str) -> None:
    with imaplib.IMAP4("127.0.0.1", port, timeout=20) as client:
        client.login(ADDRESS, password)


async def test_purging_asks_twice_and_takes_what_was_removed_only(world: Administered) -> None:
    await added(world, ADDRESS)
    done = await world.run("account", "purge", ADDRESS, typed=f"y\n{ADDRESS}\n")
    assert (done.code, "takes it out first" in done.err) == (1, True)
    await world.run("account", "remove", ADDRESS, "--yes")
    data = world.config.parent / "data"
    done = await world.run("account", "purge", ADDRESS)
    assert (done.code, "There is no data in" in done.err, data.exists()) == (1, True, False)
    store = await SqliteStore.open(data)
    await store.write(lambda tx: tx.add_account(ADDRESS))
    await store.close()
    for typed in ("n\n", "y\nanother@pec.example\n", "y\n"):
        done = await world.run("account", "purge", ADDRESS, typed=typed)
        assert done.code != 0
        assert list((world.config.parent / "secrets").iterdir())
    done = await world.run("account", "purge", ADDRESS, typed=f"y\n{ADDRESS}\n")
    assert done.code == 0, done.err
    assert "holds 0 messages and 0 sends" in done.err
    assert not list((world.config.parent / "secrets").iterdir())
    done = await world.run("account", "purge", ADDRESS, typed=f"y\n{ADDRESS}\n")
    assert f"Nothing of {ADDRESS} is there" in done.err
