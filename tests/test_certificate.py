from __future__ import annotations

import hashlib
import ssl
import stat
from pathlib import Path

import pytest

from bridge.certificate import CertificateFault, given_identity, make, own_identity


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
    make(path, ["localhost", "pec.example"])
    return path


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "::1", "pec.example"])
def test_clients_can_trust_it_under_every_name(made: Path, host: str) -> None:
    identity = given_identity(made, made)
    shown = shake_hands(identity.context, made, host)
    assert hashlib.sha256(shown).hexdigest() == identity.fingerprint.replace(":", "").lower()


def test_it_is_made_once_and_is_nobody_elses(tmp_path: Path) -> None:
    first = own_identity(tmp_path)
    (path,) = tmp_path.iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert own_identity(tmp_path).fingerprint == first.fingerprint


def test_what_cannot_be_used(tmp_path: Path, made: Path) -> None:
    other = tmp_path / "other.pem"
    make(other, [])
    junk = tmp_path / "junk.pem"
    junk.write_text("junk")
    with pytest.raises(CertificateFault, match="No such file"):
        given_identity(tmp_path / "none.pem", made)
    with pytest.raises(CertificateFault, match="cannot be used"):
        given_identity(junk, made)
    with pytest.raises(CertificateFault, match="cannot be used"):
        given_identity(made, junk)
    with pytest.raises(CertificateFault, match="cannot be made"):
        own_identity(tmp_path / "no such folder")
