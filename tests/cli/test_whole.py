"""Every fault of a configuration in one round, in its file and outside it."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.app.certificate import make
from bridge.cli.whole import whole_settings
from bridge.config import ConfigError

GOOD = """\
[api]
token = { file = "token" }
[tls]
certificate = "server.pem"
key = "key.pem"
[[account]]
address = "a@pec.example"
password = { file = "password" }
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    for name in ("token", "password"):
        (tmp_path / name).write_text("hush")
    make(tmp_path / "server.pem", ["localhost"])
    (tmp_path / "key.pem").write_bytes((tmp_path / "server.pem").read_bytes())
    path = tmp_path / "config.toml"
    path.write_text(GOOD)
    return path


def told(path: Path) -> list[str]:
    """Return "line: key" of each fault."""
    with pytest.raises(ConfigError) as error:
        whole_settings(path)
    return [fault.where.removeprefix(f"{path}:") for fault in error.value.faults]


def test_a_good_one(config: Path) -> None:
    file, secrets = whole_settings(config)
    assert file.config.account[0].address == "a@pec.example"
    assert secrets.token.reveal() == "hush"


def test_secrets_and_both_tls_files_at_once(config: Path) -> None:
    for name in ("token", "password", "server.pem", "key.pem"):
        (config.parent / name).unlink()
    assert told(config) == [
        "2: api.token",
        "8: account[1].password",
        "4: tls.certificate",
        "5: tls.key",
    ]


def test_beside_faults_of_the_file_itself(config: Path) -> None:
    for name in ("token", "server.pem", "key.pem"):
        (config.parent / name).unlink()
    text = GOOD.replace("[tls]", "[send]\nplan = 3\n[tls]").replace("a@pec.example", "nobody")
    config.write_text(text + '[[account]]\naddress = "b@pec.example"\npassword = "itself"\n')
    assert told(config) == [
        "4: send.plan",
        "9: account[1].address",
        "13: account[2].password",
        "2: api.token",
        "6: tls.certificate",
        "7: tls.key",
    ]


def test_the_key_alone_is_blamed_for_the_key(config: Path) -> None:
    config.write_text(GOOD.replace('key = "key.pem"', 'key = "absent.pem"'))
    assert told(config) == ["5: tls.key"]


def test_one_file_for_both_has_one_fault(config: Path) -> None:
    config.write_text(GOOD.replace("server.pem", "absent.pem").replace("key.pem", "absent.pem"))
    assert told(config) == ["4: tls.certificate"]


def test_authorities_that_cannot_be_used_and_a_proxys_login(config: Path) -> None:
    lines = 'proxy = "http://p.example:3128"\nproxy_login = { file = "p" }\nca_file = "ca.pem"\n'
    config.write_text(GOOD.replace("[tls]", f"{lines}[tls]"))
    assert told(config) == ["4: api.proxy_login", "5: api.ca_file"]
    (config.parent / "p").write_text("us:hush")
    (config.parent / "ca.pem").write_bytes((config.parent / "server.pem").read_bytes())
    file, secrets = whole_settings(config)
    assert file.config.api.ca_file == config.parent / "ca.pem"
    assert secrets.proxy_login is not None
    assert secrets.proxy_login.reveal() == "us:hush"
