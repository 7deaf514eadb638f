from __future__ import annotations

import copy
import os
import pickle
import stat
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import pytest

from bridge.config import ConfigError, SecretSource, load, parse
from bridge.credentials import (
    Secret,
    SecretFault,
    resolve,
    resolve_all,
)
from bridge.credentials.source import COMMAND_READER, open_to_others
from tests.costs.measure import peak


def test_a_secret_does_not_show_itself() -> None:
    @dataclass
    class Holder:
        secret: Secret

    secret = Secret("hush-hush")
    shown = [repr(secret), str(secret), f"{secret}", "%s" % secret, repr(Holder(secret))]  # noqa: UP031
    assert not [text for text in shown if "hush" in text]
    assert secret.reveal() == "hush-hush"
    for write in (pickle.dumps, copy.deepcopy):
        with pytest.raises(TypeError):
            write(secret)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"hush", "hush"),
        (b"hush\n", "hush"),
        (b"hush\r\n", "hush"),
        ("pàss wörd\n".encode(), "pàss wörd"),
    ],
)
def test_file_credential_and_command(tmp_path: Path, content: bytes, text: str) -> None:
    path = tmp_path / "secret"
    path.write_bytes(content)
    environment = {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    command = (sys.executable, "-c", f"import sys; sys.stdout.buffer.write({content!r})")
    for source in (
        SecretSource(file=path),
        SecretSource(credential="secret"),
        SecretSource(command=command),
    ):
        assert resolve(source, environment).reveal() == text


@pytest.mark.parametrize(
    ("mode", "owner", "deed"),
    [
        (0o600, 1000, None),
        (0o400, 1000, None),
        (0o700, 1000, None),
        (0o640, 1000, "read"),
        (0o604, 1000, "read"),
        (0o620, 1000, "change"),
        (0o602, 1000, "change"),
        (0o777, 1000, "change"),
        (0o601, 1000, "read"),
        (0o640, 0, None),
        (0o660, 0, "change"),
        (0o644, 0, "read"),
    ],
)
def test_whose_file_is_open_to_others(mode: int, owner: int, deed: str | None) -> None:
    status = os.stat_result((stat.S_IFREG | mode, 0, 0, 1, owner, 0, 0, 0, 0, 0))
    fault = open_to_others(Path("/etc/it's"), status)
    if deed is None:
        assert fault is None
    else:
        assert fault is not None
        assert f"others may {deed} (mode {mode:04o})" in fault
        assert """chmod 600 '/etc/it'"'"'s'""" in fault


def test_a_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text("hush")
    path.chmod(0o644)
    with pytest.raises(SecretFault, match=r"others may read .*chmod 600") as fault:
        resolve(SecretSource(file=path))
    assert "hush" not in str(fault.value)
    environment = {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    assert resolve(SecretSource(credential="secret"), environment).reveal() == "hush"
    path.chmod(0o600)
    assert resolve(SecretSource(file=path)).reveal() == "hush"


def test_environment() -> None:
    assert resolve(SecretSource(env="X"), {"X": "hush"}).reveal() == "hush"
    with pytest.raises(SecretFault, match=r"\$X, which is not set"):
        resolve(SecretSource(env="X"), {})


@pytest.mark.parametrize(
    "content",
    [b"", b"\n", b" hush", b"hush\n\n", b"hu\nsh", b"hush\x00", b"hush\xff", b"hush" * 20_000],
    ids=["empty", "newline", "blank", "two newlines", "lines", "NUL", "not UTF-8", "long"],
)
def test_texts_that_are_no_secret(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "secret"
    path.write_bytes(content)
    with pytest.raises(SecretFault) as fault:
        resolve(SecretSource(file=path))
    assert "hush" not in str(fault.value)


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        (SecretSource(file=Path("/nowhere/x")), "No such file"),
        (SecretSource(credential="x"), "CREDENTIALS_DIRECTORY"),
        (SecretSource(command=("/nowhere/x",)), "cannot run"),
        (SecretSource(command=(sys.executable, "-c", "exit('hush')")), "ended with status 1"),
    ],
)
def test_sources_that_fail(source: SecretSource, sentence: str) -> None:
    with pytest.raises(SecretFault, match=sentence) as fault:
        resolve(source, {})
    assert "hush" not in str(fault.value)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("program", "sentence"),
    [
        ("while True: print('hush' * 1000)", "is longer than 65536 bytes"),
        ("print('hush' * 50_000); import time; time.sleep(99)", "is longer than 65536 bytes"),
        ("import time; time.sleep(99)", "took longer than 1 s"),
        ("import os, time; print('hush'); os.close(1); time.sleep(99)", "took longer than 1 s"),
        (
            "import subprocess, time; subprocess.Popen(['sleep', '3']); time.sleep(99)",
            "took longer than 1 s",
        ),
    ],
    ids=["without end", "long, then asleep", "silent", "a secret, then asleep", "with a child"],
)
def test_a_command_without_end_is_ended(
    monkeypatch: pytest.MonkeyPatch, program: str, sentence: str
) -> None:
    monkeypatch.setattr("bridge.credentials.source.COMMAND_TIMEOUT_S", 1.0)
    source = SecretSource(command=(sys.executable, "-c", program))
    began_s = time.monotonic()
    with peak() as held, pytest.raises(SecretFault, match=sentence) as fault:
        resolve(source, {})
    assert "hush" not in str(fault.value)
    assert held.size_bytes < 1024**2
    assert time.monotonic() - began_s < 10
    for thread in threading.enumerate():
        if thread.name == COMMAND_READER:
            thread.join(10)


def test_a_command_runs_in_the_configurations_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    etc, elsewhere = tmp_path / "etc", tmp_path / "elsewhere"
    for folder, text in ((etc, "hush"), (elsewhere, "forged")):
        folder.mkdir()
        (folder / "secret").write_text(text)
    program = f"{sys.executable} -c 'print(open(\\\"secret\\\").read())'"
    config = etc / "config.toml"
    config.write_text(CONFIG.replace('{ env = "TOKEN" }', f'{{ command = "{program}" }}'))
    monkeypatch.chdir(elsewhere)
    secrets = resolve_all(load(config), {"A": "a", "B": "b", "LOCAL": "l"})
    assert secrets.token.reveal() == "hush"


def test_bytes_in_the_environment_that_are_no_text_are_refused() -> None:
    with pytest.raises(SecretFault, match="is not UTF-8 text"):
        resolve(SecretSource(env="X"), {"X": "h\udce0sh"})


def test_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    source = SecretSource(keyring="pec/azienda/1")
    ring = {("pec", "azienda/1"): "hush"}
    monkeypatch.setitem(
        sys.modules, "keyring", SimpleNamespace(get_password=lambda *key: ring.get(key))
    )
    assert resolve(source).reveal() == "hush"
    ring.clear()
    with pytest.raises(SecretFault, match="not in the keyring"):
        resolve(source)
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(SecretFault, match="not installed"):
        resolve(source)


CONFIG = """
[api]
token = { env = "TOKEN" }
[[account]]
address = "a@pec.example"
password = { env = "A" }
[[account]]
address = "b@pec.example"
password = { env = "B" }
local_password = { env = "LOCAL" }
"""


def test_all_secrets_of_a_configuration() -> None:
    secrets = resolve_all(parse(CONFIG), {"TOKEN": "t", "A": "a", "B": "b", "LOCAL": "l"})
    assert secrets.token.reveal() == "t"
    assert [account.password.reveal() for account in secrets.accounts] == ["a", "b"]
    assert [account.local_password.reveal() for account in secrets.accounts] == ["a", "l"]


def test_all_missing_secrets_at_once() -> None:
    with pytest.raises(ConfigError) as error:
        resolve_all(parse(CONFIG, name="c.toml"), {"A": "hush"})
    assert [line.split(": ")[:2] for line in str(error.value).splitlines()] == [
        ["c.toml:3", "api.token"],
        ["c.toml:9", "account[2].password"],
        ["c.toml:10", "account[2].local_password"],
    ]


def test_a_hash_that_is_none_is_a_fault() -> None:
    environment = {"TOKEN": "t", "A": "a", "B": "b", "LOCAL": "$scrypt$ln=15,r=8,p=1$hush$hush"}
    with pytest.raises(
        ConfigError, match=r"account\[2\].local_password: is no scrypt hash"
    ) as error:
        resolve_all(parse(CONFIG), environment)
    assert "hush" not in str(error.value)
