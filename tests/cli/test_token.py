"""``token`` and ``wallet``: least rights, secrets that are shown nowhere, files of mode 0600."""

from __future__ import annotations

import stat
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bridge.simulator import AdminOperation, Failure, Phase
from tests.cli.administered import Administered, administered
from tests.cli.conftest import Command

SENDING = [
    "DELETE:127.0.0.1/inbox",
    "GET:127.0.0.1/inbox",
    "GET:127.0.0.1/quota",
    "GET:127.0.0.1/send",
    "POST:127.0.0.1/send",
]
ADMIN = [
    "GET:127.0.0.1/domini_pec",
    "GET:127.0.0.1/pec",
    "GET:127.0.0.1/verifica_pec",
    "PATCH:127.0.0.1/pec",
    "POST:127.0.0.1/pec",
]


@pytest.fixture
async def world(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Administered]:
    async with administered(command, tmp_path, monkeypatch) as found:
        yield found


def add(world: Administered, table: str, *lines: str) -> None:
    text = world.config.read_text()
    added = "".join(f"{line}\n" for line in lines)
    if f"[{table}]\n" in text:
        world.config.write_text(text.replace(f"[{table}]\n", f"[{table}]\n{added}"))
    else:
        world.config.write_text(f"{text}[{table}]\n{added}")


def secrets_of(world: Administered) -> list[str]:
    issued = world.admin.tokens.issued.values()
    return [world.admin.api_key, *(text for one in issued for text in (one.token, one.refresh))]


async def test_create_puts_a_token_with_the_least_rights_into_its_file(world: Administered) -> None:
    path = world.config.parent / "token"
    path.chmod(0o644)
    done = await world.account("token", "create", "--name", "prova", "--yes", "--json")
    (issued,) = world.admin.tokens.issued.values()
    assert sorted(issued.scopes) == SENDING
    assert path.read_text() == f"{issued.token}\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert done.json["scopes"] == issued.scopes
    for secret in secrets_of(world):
        assert secret not in done.out + done.err


@pytest.mark.parametrize(
    ("settings", "words", "scopes"),
    [
        (("sync", 'delete = "never"'), (), SENDING[1:]),
        (("send", 'check_domains = "warn"'), (), [*SENDING, ADMIN[0]]),
        (None, ("--may-delete-receipts",), ["DELETE:127.0.0.1/send", *SENDING]),
        (None, ("--admin",), [*SENDING, *ADMIN]),
        (("api", 'admin_token = { file = "admin" }'), ("--admin",), ADMIN),
        (
            ("api", 'admin_token = { file = "admin" }'),
            ("--admin", "--may-revoke"),
            ["DELETE:127.0.0.1/pec", *ADMIN],
        ),
        (("api", 'admin_token = { file = "admin" }'), (), SENDING),
    ],
    ids=["never", "domains", "receipts", "both", "admin", "revoke", "sending"],
)
async def test_the_rights_are_those_that_the_configuration_needs(
    world: Administered,
    settings: tuple[str, str] | None,
    words: tuple[str, ...],
    scopes: list[str],
) -> None:
    if settings is not None:
        add(world, *settings)
    assert (await world.account("token", "create", *words, "--yes")).code == 0
    (issued,) = world.admin.tokens.issued.values()
    assert sorted(issued.scopes) == sorted(scopes)
    name = "admin" if "--admin" in words and settings is not None else "token"
    assert (world.config.parent / name).read_text() == f"{issued.token}\n"


async def test_domains_are_looked_up_with_the_admin_token_where_there_is_one(
    world: Administered,
) -> None:
    add(world, "send", 'check_domains = "warn"')
    add(world, "api", 'admin_token = { file = "admin" }')
    assert (await world.account("token", "create", "--yes")).code == 0
    (issued,) = world.admin.tokens.issued.values()
    assert sorted(issued.scopes) == SENDING


async def test_create_asks_first(world: Administered) -> None:
    done = await world.account("token", "create", typed="n\n")
    assert done.code == 1
    assert "POST:127.0.0.1/send" in done.err
    assert world.calls() == []


async def test_without_a_file_for_it_no_token_is_made(world: Administered) -> None:
    text = world.config.read_text().replace('{ file = "token" }', '{ env = "PEC_TOKEN" }')
    world.config.write_text(text)
    done = await world.account("token", "create", "--yes")
    assert (done.code, "say where with --to" in done.err) == (2, True)
    done = await world.account("token", "create", "--yes", "--to", "/nowhere/token")
    assert (done.code, "Nothing was asked for" in done.err) == (1, True)
    assert world.calls() == []
    assert (
        await world.account("token", "create", "-y", "--to", world.config.parent / "t")
    ).code == 0


async def test_a_lost_answer_leaves_the_old_token_and_says_what_to_do(world: Administered) -> None:
    before = (world.config.parent / "token").read_text()
    world.admin.faults.fail(AdminOperation.TOKEN_CREATE, Phase.AFTER, Failure.RESET)
    done = await world.account("token", "create", "--name", "prova", "--yes")
    assert (done.code, done.out) == (1, "")
    assert "token list` shows it if it was: revoke it then (prova)" in done.err
    assert (world.config.parent / "token").read_text() == before
    assert world.calls() == [AdminOperation.TOKEN_CREATE]


async def test_list_and_show_tell_tokens_apart_without_showing_them(world: Administered) -> None:
    await world.account("token", "create", "--name", "uno", "--yes")
    other = world.config.parent / "other"
    await world.account("token", "create", "--name", "due", "--yes", "--to", other)
    found = (await world.account("token", "list", "--json")).json
    assert [(one["name"], one["in_use"]) for one in found] == [("uno", True), ("due", False)]
    assert {one["ending"] for one in found} == {
        one.token[-6:] for one in world.admin.tokens.issued.values()
    }
    for words in (("list",), ("show",), ("show", "due"), ("show", found[1]["ending"])):
        for form in ((), ("--json",)):
            done = await world.account("token", *words, *form)
            assert done.code == 0
            for secret in secrets_of(world):
                assert secret not in done.out + done.err


async def test_renew_prolongs_the_same_token(world: Administered) -> None:
    await world.account("token", "create", "--days", "30", "--yes")
    before = (world.config.parent / "token").read_text()
    done = (await world.account("token", "renew", "--days", "365", "--json")).json
    assert done["days_left"] >= 364
    assert done["expires_at"] > done["expired_at_before"]
    assert (world.config.parent / "token").read_text() == before


async def test_revoke_names_asks_and_warns_of_the_one_in_use(world: Administered) -> None:
    await world.account("token", "create", "--name", "uno", "--yes")
    done = await world.account("token", "revoke", "uno", typed="n\n")
    assert (done.code, "This configuration uses it" in done.err) == (1, True)
    assert len(world.admin.tokens.issued) == 1
    assert (await world.account("token", "revoke", "uno", "--yes", "--json")).json["revoked"]
    assert world.admin.tokens.issued == {}


async def test_a_name_that_several_tokens_have_is_not_guessed(world: Administered) -> None:
    for name in ("a", "b"):
        to = world.config.parent / name
        await world.account("token", "create", "--name", "uguale", "--yes", "--to", to)
    done = await world.account("token", "revoke", "uguale", "--yes")
    assert (done.code, "name one by its end" in done.err) == (1, True)
    assert len(world.admin.tokens.issued) == 2


@pytest.mark.parametrize("words", [("show", "x"), ("renew", "x"), ("revoke", "x", "-y"), ("show",)])
async def test_a_token_that_is_not_there_is_one_sentence(
    world: Administered, words: tuple[str, ...]
) -> None:
    done = await world.account("token", *words)
    assert (done.code, done.out, done.err.count("\n")) == (1, "", 1)
    assert "`pec-bridge token list`" in done.err


async def test_wallet_shows_credit_and_movements(world: Administered) -> None:
    await world.registered()
    found = (await world.account("wallet", "--json")).json
    assert (found["credit_eur"], found["pecs"]) == (401.0, 8020)
    assert [one["amount_eur"] for one in found["transactions"]] == [-99.0]
    done = await world.account("wallet")
    assert "credit: 401.00 EUR (enough for 8,020 PECs)" in done.out


async def test_a_wrong_key_is_said_and_not_shown(world: Administered) -> None:
    done = await world.run("wallet", typed="titolare@example.it\nchiave-sbagliata\n")
    assert (done.code, "e-mail or the API key is wrong" in done.err) == (1, True)
    assert "chiave-sbagliata" not in done.err


async def test_without_a_key_nothing_is_asked_for(world: Administered) -> None:
    for words in (("wallet",), ("token", "list"), ("token", "create", "-y")):
        done = await world.run(*words, typed="titolare@example.it\n")
        assert (done.code, "API key is needed" in done.err) == (2, True)
    assert world.calls() == []


async def test_a_configured_key_is_not_asked_for(world: Administered) -> None:
    (world.config.parent / "key").write_text(world.admin.api_key)
    add(world, "api", f'email = "{world.admin.email}"', 'api_key = { file = "key" }')
    assert (await world.run("wallet")).code == 0


def test_a_key_without_its_email_is_a_fault(command: Command, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text('[api]\ntoken = { env = "A" }\napi_key = { env = "B" }\n')
    done = command("wallet", "--config", config)
    assert (done.code, "needs email beside api_key" in done.err) == (2, True)
