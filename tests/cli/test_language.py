"""Whatever a command fails with is said in the language of the settings, whole.

``WORDS`` walks the commands' own refusals, ``SETTINGS`` the faults of a configuration; what the
service refuses has its test beside the simulated service (``test_refusals``).
"""

from __future__ import annotations

import io
import re
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from bridge.app.lock import DataLock
from bridge.config import language_of
from bridge.config.values import TABLES
from bridge.registration.fields import BY_NAME
from bridge.store.sqlite.connection import FILE_NAME as DATABASE
from tests.cli.administered import administered
from tests.cli.conftest import Command, Done
from tests.english import english_in
from tests.running import ADDRESS
from tests.selected import some

ITALIAN = '[display]\nlanguage = "it"\n'

WORDS: tuple[tuple[str, ...], ...] = (
    ("status",),
    ("drain",),
    ("reload",),
    ("quota",),
    ("queue", "show", "X"),
    ("queue", "cancel", "X"),
    ("queue", "retry", "X"),
    ("queue", "resolve", "X"),
    ("queue", "resolve", "X", "--drop", "--force"),
    ("queue", "resolve", "X", "--drop"),
    ("queue", "list", "--since", "ieri"),
    ("queue", "list"),
    ("queue", "pause", "b@b.example"),
    ("receipts", "show", "X"),
    ("receipts", "list"),
    ("receipts", "cleared"),
    ("receipts", "delete", "X", "--yes"),
    ("inbox", "search", "x"),
    ("sync", "--account", "b@b.example"),
    ("outcome", "X"),
    ("outcome", "X", "--wait"),
    ("sends",),
    ("events", "--after", "99"),
    ("events", "--follow"),
    ("usage", "--month", "2026-01", "--year", "2026"),
    ("usage", "--month", "2026-13"),
    ("archive", "search", "x"),
    ("archive", "show", "X"),
    ("archive", "show", "X", "-o", "f"),
    ("export",),
    ("export", "X"),
    ("export", "X", "y.zip"),
    ("export", "X", "-o", "x.zip"),
    ("export", "--month", "ieri", "-o", "x.zip"),
    ("export", "verify"),
    ("export", "verify", "secret"),
    ("export", "verify", "altrove"),
    ("alarm", "list"),
    ("alarm", "ack"),
    ("alarm", "ack", "X"),
    ("alarm", "ack", "--all"),
    ("alarm", "test"),
    ("account", "list"),
    ("account", "show", "b@b.example"),
    ("account", "test"),
    ("account", "remove", "b@b.example", "--yes"),
    ("account", "purge", ADDRESS),
    ("account", "purge", "b@b.example"),
    ("account", "add"),
    ("account", "add", "b"),
    ("account", "add", ADDRESS),
    ("account", "add", "b@b.example", "--from-mailbox", "1"),
    ("account", "add", "b@b.example", "--api", "https://x.example"),
    ("account", "add", "b@b.example", "--untested"),
    ("account", "settings", "b@b.example", "--format", "thunderbird"),
    ("apikey", "create", ""),
    ("apikey", "create", "x", "--account", "b@b.example"),
    ("apikey", "revoke", "x"),
    ("apikey", "list"),
    ("backup", "secret"),
    ("restore", "altrove"),
    ("restore", "secret"),
    ("certificate", "show"),
    ("certificate", "export"),
    ("certificate", "export", "-o", "secret"),
    ("certificate", "renew"),
    ("mailbox", "check", "x"),
    ("mailbox", "check", "libera@pecmassiva.com"),
    ("mailbox", "domain", "legalmail.it"),
    ("mailbox", "list"),
    ("mailbox", "show", "X"),
    ("mailbox", "form", "X", "-o", "secret"),
    ("mailbox", "activate", "X"),
    ("mailbox", "activate", "X", "secret"),
    ("mailbox", "activate", "X", "secret", "config.toml"),
    ("mailbox", "activate", "X", "altrove.pdf"),
    ("mailbox", "register", "--from", "altrove"),
    ("mailbox", "register", "--from", "secret"),
    ("mailbox", "register", "--from", "faulty.toml"),
    ("mailbox", "renew", "X", "--years", "10"),
    ("mailbox", "space", "X"),
    ("mailbox", "space", "X", "--disk", "7"),
    ("mailbox", "convert", "X", "TIN"),
    ("mailbox", "users", "X", "--name", "a"),
    ("mailbox", "revoke", "X"),
    ("token", "create", "--may-revoke"),
    ("token", "create"),
    ("token", "list"),
    ("token", "show", "x"),
    ("token", "revoke", "x"),
    ("wallet",),
    ("trace", "start"),
    ("trace", "start", "--peer", "x"),
    ("trace", "list"),
    ("webhook", "list"),
    ("webhook", "test", "x"),
    ("webhook", "redeliver"),
    ("webhook", "redeliver", "--hook", "x"),
    ("webhook", "redeliver", "7"),
    ("web", "password"),
    ("service", "install"),
)

FAULTY = """\
casella_pec = "x"
tipo_casella = "TIN"
tipo_cliente = "IM"
sottotipo_cliente = "nulla"
nome_richiedente = "7"
codice_fiscale_richiedente = "RSSMRA80A01H501X"
sesso_richiedente = "Z"
data_nascita_richiedente = "31/31/1980"
nazione_nascita_richiedente = "ITALIA"
provincia_nascita_richiedente = "ZZ"
cf_piva_titolare = "1"
cap_titolare = "x"
telefono = "x"
tipo_documento = "PASSAPORTO"
callback_url = "http://x"
callback_data = "["
unbekannt = "x"
"""


@pytest.fixture
def italian(config: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a configuration in Italian, with a service that nobody reaches."""
    text = config.read_text().replace("https://api.invalid", "http://127.0.0.1:9")
    config.write_text(text + ITALIAN)
    (config.parent / "faulty.toml").write_text(FAULTY)
    monkeypatch.chdir(config.parent)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO()))
    return config


NAMES = {
    part
    for name in (
        *(field.name for table in TABLES.values() for field in fields(table)),
        *BY_NAME,
        *("name", "surname", "description", "disk", "history"),
    )
    for part in name.split("_")
}
"""What settings, fields and options are called: no words to translate."""


def english(done: Done) -> set[str]:
    """Return the English words of what was said to a person."""
    return english_in(done.err) - NAMES


@pytest.mark.parametrize("words", some(WORDS, 25), ids=" ".join)
def test_what_a_command_fails_with_is_in_italian(
    words: tuple[str, ...], italian: Path, command: Command
) -> None:
    done = command(*words, "--config", italian)
    assert english(done) == set(), done.err
    assert (done.err + done.out).strip()


SETTINGS = (
    "nonsense = 1",
    "data_dir = ",
    "x = [1",
    'x = "a\nb"',
    "x = 1\nx = 2",
    "[api]\n[api]",
    "data_dir = 1979-05-27",
    '[imap]\nlisten = ["x"]',
    '[imap]\nlisten = ["127.0.0.1:1"]\n[smtp]\nlisten = ["127.0.0.1:1"]',
    '[smtp]\nlisten = ["127.0.0.1:1143"]',
    "[send]\nrate_per_s = -1",
    '[send]\nrate_per_s = "x"',
    '[send]\nplan = "x"',
    '[send]\nwindow = "x"',
    "[sync]\ninterval = 7",
    '[archive]\nclear_at_api = "x"',
    '[archive]\nclear_at_api = "over 70%"\n[sync]\ndelete = "never"',
    '[receipts]\ndeliver_to = "{x}"',
    '[[smtp.trusted]]\nnetwork = "0.0.0.0/0"\naccount = "a@b.it"',
    '[[smtp.trusted]]\nnetwork = "10.0.0.0/8"\naccount = "b@b.example"',
    '[tls]\ncertificate = "x"',
    '[tls]\ncertificate = "secret"\nkey = "secret"',
    '[tls]\ncertificate = "altrove"\nkey = "altrove"',
    '[web]\nhosts = ["a b"]',
    '[alarms]\nto = "x"',
    f'[alarms]\nto = "{ADDRESS}"\n[alarms.smtp]\nhost = "127.0.0.1"\nport = 1025\nfrom = "x@y.it"',
    '[[alarms.webhook]]\nurl = "http://erp.example/"\nsecret = { env = "UNSET" }',
    '[[account]]\naddress = "x"\npassword = "x"',
    '[[account]]\naddress = "b@b.it"\npassword = { env = "UNSET" }',
    '[[account]]\naddress = "b@b.it"\npassword = { file = "altrove" }',
    '[[account]]\naddress = "b@b.it"\npassword = { command = ["false"] }',
    '[[account]]\naddress = "b@b.it"\npassword = { command = ["altrove"] }',
    '[[account]]\naddress = "b@b.it"\npassword = { credential = "x" }',
    '[[account]]\naddress = "b@b.it"\npassword = { keyring = "a/b" }',
    f'[[account]]\naddress = "{ADDRESS}"\npassword = {{ file = "secret" }}',
)


@pytest.mark.parametrize("more", some(SETTINGS, 12))
def test_faults_of_the_settings_are_in_italian_with_line_and_key(
    more: str, italian: Path, command: Command
) -> None:
    top = more.split("\n[")[0] if not more.startswith("[") else ""
    rest = more[len(top) :].strip("\n")
    text = italian.read_text()
    if top.startswith("data_dir"):
        text = text.replace('data_dir = "data"\n', "")
    italian.write_text(f"{top}\n{text}{rest}\n")
    done = command("serve", "--config", italian)
    assert done.code == 2
    assert f"{italian}" in done.err
    assert english(done) == set(), done.err


def test_data_that_is_in_use_is_told_in_italian(italian: Path, command: Command) -> None:
    lock = DataLock(italian.parent / "data")
    try:
        done = command("queue", "list", "--config", italian)
    finally:
        lock.release()
    assert done.code == 1
    assert english(done) == set(), done.err


def test_data_that_is_damaged_is_told_in_italian(italian: Path, command: Command) -> None:
    data = italian.parent / "data"
    data.mkdir(mode=0o700)
    (data / DATABASE).write_text("no database\n" * 1000)
    done = command("queue", "list", "--config", italian)
    assert done.code == 1
    assert english(done) == set(), done.err


def test_a_check_says_what_mends_it_in_italian(italian: Path, command: Command) -> None:
    done = command("check", "--config", italian)
    for line in done.out.splitlines():
        name, _, said = line.partition(": ")
        assert english_in(said or name) - {"failed", "warning", "skipped"} == set(), line


async def test_what_the_service_refuses_is_told_in_italian(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with administered(command, tmp_path, monkeypatch) as world:
        world.config.write_text(world.config.read_text() + ITALIAN)
        for words in (
            ("mailbox", "show", "nonsense"),
            ("mailbox", "show", "f" * 24),
            ("mailbox", "form", "nonsense", "-o", tmp_path / "f.pdf"),
        ):
            done = await world.run(*words)
            assert done.code == 1
            words_of_the_service = re.sub("(Wrong|Invalid) id|no pec found", "", done.err)
            assert english_in(words_of_the_service) - NAMES == set(), done.err
        done = await world.account("token", "show", "x")
        assert english(done) == set(), done.err
        done = await world.run("token", "list", typed="a@b.example\nwrong\n")
        assert done.code == 1
        assert "E-mail" in done.err or "e-mail" in done.err


def test_a_language_is_read_where_nothing_else_can_be(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    for text, language in (
        ('[display]\nlanguage = "it"\n[', "it"),
        ("[display]\n  language='en'\nx", "en"),
        ('display.language = "it"', "it"),
        ('[display]\nlanguage = "xx"', "both"),
        ("", "both"),
        ('\ufeff[display]\nlanguage = "it"', "it"),
    ):
        path.write_text(text)
        assert language_of(path) == language, text
    path.write_bytes(b'\xff\xfe\n[display]\nlanguage = "it"\n')
    assert language_of(path) == "it"
    assert language_of(tmp_path / "altrove") == "en"
