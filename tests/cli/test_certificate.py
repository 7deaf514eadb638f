"""``certificate``: what is given out is the certificate alone; a new one is made when asked for."""

from __future__ import annotations

import hashlib
import ssl
import stat
from pathlib import Path

import pytest

from bridge.app.certificate import make
from tests.cli.conftest import Command


@pytest.fixture
def started(config: Path) -> Path:
    """Return a configuration whose bridge has run once, on the loopback addresses then."""
    (config.parent / "data").mkdir()
    make(config.parent / "data" / "tls.pem", ["localhost", "127.0.0.1"])
    return config


def test_names_times_and_fingerprint(command: Command, started: Path) -> None:
    facts = command("certificate", "show", "--json", "--config", started).json
    der = ssl.PEM_cert_to_DER_cert(
        (started.parent / "data" / "tls.pem").read_text().split("KEY-----\n")[-1]
    )
    assert facts["fingerprint"].replace(":", "").lower() == hashlib.sha256(der).hexdigest()
    assert facts["names"] == ["localhost", "127.0.0.1"]
    assert (facts["self_signed"], facts["not_named"]) == (True, [])
    shown = command("certificate", "show", "--config", started).out
    assert "valid_until: 20" in shown
    assert " CE" in shown  # local time


def test_no_byte_of_the_key_is_given_out(command: Command, started: Path, tmp_path: Path) -> None:
    pem = command("certificate", "export", "--config", started).out
    assert pem.startswith("-----BEGIN CERTIFICATE-----")
    assert pem.endswith("-----END CERTIFICATE-----\n")
    assert "KEY" not in pem
    for flags, name in ((), "a.pem"), (("--der",), "a.cer"):
        done = command("certificate", "export", "-o", tmp_path / name, *flags, "--config", started)
        assert done.code == 0, done.err
    assert (tmp_path / "a.pem").read_text() == pem
    assert (tmp_path / "a.cer").read_bytes() == ssl.PEM_cert_to_DER_cert(pem)
    again = command("certificate", "export", "-o", tmp_path / "a.pem", "--config", started)
    assert (again.code, "--force overwrites it" in again.err) == (1, True)


def test_a_new_one_has_the_names_that_are_missing(command: Command, started: Path) -> None:
    started.write_text(started.read_text() + '[imap]\nlisten = ["mail.pec.example:1143"]\n')
    shown = command("certificate", "show", "--config", started)
    assert "mail.pec.example do not find that name" in shown.err
    before = command("certificate", "show", "--json", "--config", started).json
    after = command("certificate", "renew", "--yes", "--json", "--config", started).json
    assert "mail.pec.example" in after["names"]
    assert after["not_named"] == []
    assert after["fingerprint"] != before["fingerprint"]
    path = started.parent / "data" / "tls.pem"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_where_there_is_none(command: Command, config: Path) -> None:
    for what in ("show", "export", "renew"):
        done = command("certificate", what, "--config", config)
        assert (done.code, done.out) == (1, "")
        assert "It is made when the bridge first starts" in done.err
    assert not (config.parent / "data").exists()


@pytest.mark.parametrize(
    "content", ["", "-----BEGIN CERTIFICATE-----\nhush\n-----END CERTIFICATE-----\n"]
)
def test_one_that_is_damaged(command: Command, started: Path, content: str) -> None:
    (started.parent / "data" / "tls.pem").write_text(content)
    done = command("certificate", "show", "--config", started)
    assert done.code == 1
    assert "damaged" in done.err or "holds no certificate" in done.err


def test_an_administrators_own_is_his_to_renew(command: Command, started: Path) -> None:
    given = '[tls]\ncertificate = "data/tls.pem"\nkey = "data/tls.pem"\n'
    started.write_text(started.read_text() + given)
    done = command("certificate", "renew", "--yes", "--config", started)
    assert (done.code, "is yours to renew" in done.err) == (1, True)
