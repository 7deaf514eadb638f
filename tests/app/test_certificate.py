from __future__ import annotations

import hashlib
import os
import socket
import ssl
import stat
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from bridge.app.certificate import (
    CertificateFault,
    given_identity,
    make,
    own_identity,
    own_names,
)


def shake_hands(server: ssl.SSLContext, trusted: Path, host: str) -> bytes:
    """Let a client that trusts only ``trusted`` connect in memory; return what it was shown."""
    client = ssl.create_default_context(cafile=str(trusted))
    pipes = [ssl.MemoryBIO() for _ in range(2)]
    ends = [
        client.wrap_bio(pipes[0], pipes[1], server_hostname=host),
        server.wrap_bio(pipes[1], pipes[0], server_side=True),
    ]
    while ends:
        try:
            ends[0].do_handshake()
        except ssl.SSLWantReadError:
            ends.reverse()
        else:
            shown = ends[0].getpeercert(binary_form=True)
            if shown:
                return shown
            ends.reverse()
    raise AssertionError


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tls") / "tls.pem"
    make(path, own_names(["pec.example"]))
    return path


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "::1", "pec.example"])
def test_clients_can_trust_it_under_every_name(made: Path, host: str) -> None:
    identity = given_identity(made, made)
    shown = shake_hands(identity.context, made, host)
    assert hashlib.sha256(shown).hexdigest() == identity.fingerprint.replace(":", "").lower()


def test_every_name_and_address_that_is_listened_on_is_in_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: "here")
    monkeypatch.setattr(socket, "getfqdn", lambda: "here.example")
    found = [(2, 1, 6, "", ("10.0.0.7", 0)), (10, 1, 6, "", ("fe80::7%eth0", 0, 0, 2))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_: found)
    always = ["localhost", "127.0.0.1", "::1", "here", "here.example"]
    assert own_names(["127.0.0.1", "::1"]) == always
    assert own_names(["mail.example", "10.0.0.8"]) == [*always, "mail.example", "10.0.0.8"]
    assert own_names(["0.0.0.0"]) == [*always, "10.0.0.7", "fe80::7"]


def test_old_versions_of_tls_are_not_spoken(made: Path) -> None:
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.set_ciphers("DEFAULT@SECLEVEL=0")
    client.check_hostname, client.verify_mode = False, ssl.CERT_NONE
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        client.minimum_version = client.maximum_version = ssl.TLSVersion.TLSv1_1
    server = given_identity(made, made).context
    assert server.minimum_version is ssl.TLSVersion.TLSv1_2
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    asking, answering = client.wrap_bio(back, there), server.wrap_bio(there, back, server_side=True)
    with pytest.raises(ssl.SSLWantReadError):
        asking.do_handshake()
    with pytest.raises(ssl.SSLError, match="UNSUPPORTED_PROTOCOL"):
        answering.do_handshake()


def test_it_is_made_once_and_is_nobody_elses(tmp_path: Path) -> None:
    first = own_identity(tmp_path)
    (path,) = tmp_path.iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert own_identity(tmp_path).fingerprint == first.fingerprint


NOW = datetime.now(UTC)


def faults(certificate: Path, key: Path) -> list[tuple[str, str]]:
    with pytest.raises(CertificateFault) as error:
        given_identity(certificate, key)
    return [(one.setting, one.sentence) for one in error.value.faults]


def test_each_file_is_blamed_for_its_own_fault(tmp_path: Path, made: Path) -> None:
    junk, none = tmp_path / "junk.pem", tmp_path / "none.pem"
    junk.write_text("junk")
    assert faults(none, made) == [
        ("certificate", f"{none} cannot be used: No such file or directory")
    ]
    assert faults(made, none) == [("key", f"{none} cannot be used: No such file or directory")]
    assert faults(made, tmp_path) == [("key", f"{tmp_path} cannot be used: Is a directory")]
    assert faults(junk, made)[0][0] == "certificate"
    assert faults(made, junk)[0][0] == "key"
    assert [setting for setting, _ in faults(junk, none)] == ["certificate", "key"]


def test_a_key_of_another_certificate(tmp_path: Path, made: Path) -> None:
    other = tmp_path / "other.pem"
    make(other, [])
    assert faults(made, other) == [
        ("key", f"{other} is not the key of the certificate {made}"),
    ]


def test_a_key_with_a_password(tmp_path: Path, made: Path) -> None:
    key = serialization.load_pem_private_key(made.read_bytes(), None)
    locked = tmp_path / "locked.pem"
    locked.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"hush"),
        )
    )
    ((setting, sentence),) = faults(made, locked)
    assert (setting, "password" in sentence) == ("key", True)


@pytest.mark.parametrize("damaged", ["certificate", "key"])
def test_a_damaged_file_is_told_from_a_good_one(tmp_path: Path, made: Path, damaged: str) -> None:
    name = "CERTIFICATE" if damaged == "certificate" else "PRIVATE KEY"
    bad = tmp_path / "bad.pem"
    bad.write_text(f"-----BEGIN {name}-----\nAAAA\n-----END {name}-----\n")
    found = faults(bad, made) if damaged == "certificate" else faults(made, bad)
    assert [setting for setting, _ in found] == [damaged]


@pytest.mark.parametrize(
    ("made_at", "said"),
    [(NOW - timedelta(days=4_000), "has expired"), (NOW + timedelta(days=9), "not valid yet")],
    ids=["expired", "not yet"],
)
def test_a_certificate_outside_its_time(tmp_path: Path, made_at: datetime, said: str) -> None:
    path = tmp_path / "old.pem"
    make(path, ["localhost"], made_at)
    ((setting, sentence),) = faults(path, path)
    assert setting == "certificate"
    assert said in sentence


def test_our_own_that_cannot_be_made(tmp_path: Path) -> None:
    with pytest.raises(CertificateFault, match="cannot be made"):
        own_identity(tmp_path / "no such folder")


@pytest.mark.parametrize("name", ["nt.py", "ssl.py", "dataclasses.py", "cryptography.py"])
def test_nothing_is_run_from_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    hostile = tmp_path / "hostile"
    (hostile / "bridge").mkdir(parents=True)
    (hostile / name).write_text("open('was run', 'w').close(); raise SystemExit(1)")
    monkeypatch.chdir(hostile)
    monkeypatch.setattr(sys, "path", ["", ".", *filter(os.path.isabs, sys.path)])
    assert own_identity(tmp_path).fingerprint
    assert not (hostile / "was run").exists()
