"""The certificate of our own servers: the given one, or a self-signed one made once.

The self-signed one lives under ``data_dir`` (key and certificate in one file, 0600) and stays for
ten years: a mail client stores an exception for exactly this certificate, so a new one is an
alarm to its user. The package that makes it weighs megabytes, so a process of its own does it.

Run as ``python -m bridge.certificate FILE NAME…`` it makes one.
"""

from __future__ import annotations

import hashlib
import os
import socket
import ssl
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

FILE_NAME = "tls.pem"
LIFETIME_DAYS = 3650


class CertificateFault(Exception):
    """A certificate or key cannot be used; the text says which and why."""


@dataclass(frozen=True, slots=True)
class Identity:
    """What our servers show: a TLS context and the certificate's SHA-256, as ``AA:BB:…``."""

    context: ssl.SSLContext
    fingerprint: str


def given_identity(certificate: Path, key: Path) -> Identity:
    """Load an administrator's certificate (with its chain) and key; blocks.

    Raises:
        CertificateFault: they cannot be read or do not belong together.
    """
    return _load(certificate, key)


def own_identity(data_dir: Path) -> Identity:
    """Load the self-signed certificate under ``data_dir``, making it the first time; blocks.

    Raises:
        CertificateFault: it cannot be made or read.
    """
    path = data_dir / FILE_NAME
    if not path.exists():
        names = list(dict.fromkeys(["localhost", socket.gethostname(), socket.getfqdn()]))
        command = [sys.executable, "-m", __name__, str(path), *filter(None, names)]
        done = subprocess.run(command, capture_output=True, text=True)  # noqa: S603 - ourselves
        if done.returncode != 0:
            last = done.stderr.strip().rpartition("\n")[2]
            raise CertificateFault(f"The certificate {path} cannot be made: {last}")
    return _load(path, path)


def _load(certificate: Path, key: Path) -> Identity:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(certificate, key, password=_no_password)
        pem = certificate.read_text("ascii", "replace")
    except OSError as error:  # ssl.SSLError is one
        why = error.strerror or "it is damaged, or the key is another's"
        raise CertificateFault(f"The certificate {certificate} cannot be used: {why}") from None
    except ValueError:
        raise CertificateFault(f"The key {key} must not have a password.") from None
    return Identity(context, _fingerprint(pem))


def fingerprint(path: Path) -> str | None:
    """Return the SHA-256 of the first certificate in ``path``, None if there is none yet."""
    try:
        return _fingerprint(path.read_text("ascii", "replace"))
    except (OSError, ValueError):
        return None


def _fingerprint(pem: str) -> str:
    begin, end = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
    first = pem[pem.index(begin) : pem.index(end) + len(end)]
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(first)).digest().hex(":").upper()


def _no_password() -> str:
    raise ValueError("the key is encrypted")


def make(path: Path, names: list[str]) -> None:
    """Make a self-signed certificate for this machine and write it to ``path`` at once.

    An EC key (P-256), valid for ``names`` and the loopback addresses.
    """
    from datetime import UTC, datetime, timedelta
    from ipaddress import ip_address

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "pec-bridge")])
    now = datetime.now(UTC)  # this process has no clock to be handed
    hosts: list[x509.GeneralName] = [x509.DNSName(name) for name in names if name.isascii()]
    hosts += [x509.IPAddress(ip_address(address)) for address in ("127.0.0.1", "::1")]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=LIFETIME_DAYS))
        .add_extension(x509.SubjectAlternativeName(hosts), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )
    content = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ) + certificate.public_bytes(serialization.Encoding.PEM)
    draft = path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    file = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(file, "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    draft.replace(path)


if __name__ == "__main__":
    make(Path(sys.argv[1]), sys.argv[2:])
