"""The certificate of our own servers: the given one, or a self-signed one made once.

The self-signed one lives under ``data_dir`` (key and certificate in one file, 0600) and stays for
ten years: a mail client stores an exception for exactly this certificate, so a new one is an
alarm to its user. The package that makes it weighs megabytes, so a process of its own does it:
this very file, run as ``python -P certificate.py FILE NAME…``. It imports from where we do and
never from the working directory, which may be anybody's (CWE-427).

Failure: ``CertificateFault``, with a sentence for the certificate and one for its key.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from bridge.language import Sentence, listed, say

if TYPE_CHECKING:
    from bridge.config import Config

FILE_NAME = "tls.pem"
EVERY_ADDRESS = frozenset({"0.0.0.0", "::"})  # noqa: S104 - settings to compare
LIFETIME_DAYS = 3650


_OF_A_FILE = {
    "certificate": say("The certificate {sentence}."),
    "key": say("The key {sentence}."),
}


@dataclass(frozen=True, slots=True)
class Unusable:
    """What is wrong with one of the two files, as a sentence that may follow its setting's name."""

    setting: Literal["certificate", "key"]
    sentence: str


class CertificateFault(Exception):
    """A certificate and its key cannot be used; the text says which of them and why."""

    def __init__(self, *faults: Unusable) -> None:
        super().__init__(
            listed(
                "\n",
                (_OF_A_FILE[one.setting].filled_with(sentence=one.sentence) for one in faults),
            )
        )
        self.faults = faults


@dataclass(frozen=True, slots=True)
class Identity:
    """What our servers show: a TLS context and the certificate's SHA-256, as ``AA:BB:…``."""

    context: ssl.SSLContext
    fingerprint: str
    certificate: Path
    key: Path

    def put_into(self, context: ssl.SSLContext) -> None:
        """Show this certificate to whoever begins TLS with ``context`` from here on.

        Raises:
            OSError: the files are no longer what was loaded.
        """
        context.load_cert_chain(self.certificate, self.key, password=_no_password)


def given_identity(certificate: Path, key: Path) -> Identity:
    """Load an administrator's certificate (with its chain) and key; blocks.

    Raises:
        CertificateFault: they cannot be read or used, or do not belong together; or the
            certificate's time is over or still to come.
    """
    identity = _load(certificate, key)
    if why := _outside_its_time(identity.context, certificate):
        raise CertificateFault(Unusable("certificate", why))
    return identity


def own_identity(data_dir: Path, hosts: Iterable[str] = ()) -> Identity:
    """Load the self-signed certificate under ``data_dir``, making it the first time; blocks.

    ``hosts`` is where our servers listen, for the names in it.

    Raises:
        CertificateFault: it cannot be made or read.
    """
    path = data_dir / FILE_NAME
    if not path.exists():
        make_own(data_dir, hosts)
    return _load(path, path)


def make_own(data_dir: Path, hosts: Iterable[str]) -> None:
    """Make the self-signed certificate, also in the place of one that is there; blocks.

    Raises:
        CertificateFault: it cannot be made.
    """
    _make_apart(data_dir / FILE_NAME, own_names(hosts))


def own_names(hosts: Iterable[str]) -> list[str]:
    """Return the names and addresses by which clients reach who listens on ``hosts``."""
    names = ["localhost", "127.0.0.1", "::1", socket.gethostname(), socket.getfqdn()]
    for host in hosts:
        names += _own_addresses() if host in EVERY_ADDRESS else [host.partition("%")[0]]
    return [name for name in dict.fromkeys(names) if name]


def _own_addresses() -> list[str]:
    """Return this machine's addresses, as far as its own name tells them."""
    try:
        found = socket.getaddrinfo(socket.gethostname(), None)
    except OSError:
        return []
    return [str(address[0]).partition("%")[0] for *_, address in found]


def listening_hosts(config: Config) -> list[str]:
    """Return where servers with these settings listen, each host once."""
    return list(dict.fromkeys(one.host for one in (*config.imap.listen, *config.smtp.listen)))


def _make_apart(path: Path, names: list[str]) -> None:
    """Have a process of its own make the certificate; see the module for what it may import."""
    places = (place for place in sys.path if Path(place).is_absolute())
    try:
        done = subprocess.run(  # noqa: S603 - ourselves
            [sys.executable, "-P", __file__, str(path.absolute()), *names],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(places)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
        )
    except OSError as error:
        why = error.strerror or str(error)
    else:
        if done.returncode == 0:
            return
        why = done.stderr.strip().rpartition("\n")[2]
    raise CertificateFault(
        Unusable("certificate", say("{path} cannot be made: {why}", path=path, why=why))
    )


def _load(certificate: Path, key: Path) -> Identity:
    pem, key_pem = _read("certificate", certificate), _read("key", key)
    faults = [one for one in (pem, key_pem) if isinstance(one, Unusable)]
    if certificate == key:
        del faults[1:]  # one file, one fault
    if faults or isinstance(pem, Unusable):
        raise CertificateFault(*faults)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(certificate, key, password=_no_password)
    except ssl.SSLError as error:
        raise CertificateFault(_blame(error, certificate, key)) from None
    except OSError as error:
        sentence = _UNUSABLE.filled_with(path=certificate, strerror=error.strerror or error)
        raise CertificateFault(Unusable("certificate", sentence)) from None
    except _Encrypted:
        sentence = say("{path} is encrypted: it must not have a password", path=key)
        raise CertificateFault(Unusable("key", sentence)) from None
    return Identity(context, _fingerprint(pem), certificate, key)


def _read(setting: Literal["certificate", "key"], path: Path) -> str | Unusable:
    """Return the text of a PEM file, or what is wrong with it at first sight."""
    try:
        pem = path.read_text("ascii", "replace")
    except OSError as error:
        return Unusable(
            setting,
            _UNUSABLE.filled_with(path=path, strerror=error.strerror or error),
        )
    if setting == "key":
        held = "PRIVATE KEY-----" in pem
        return (
            pem
            if held
            else Unusable(
                setting,
                say("{path} cannot be used: it holds no private key in PEM form", path=path),
            )
        )
    try:
        _fingerprint(pem)
    except ValueError:
        return Unusable(
            setting, say("{path} cannot be used: it holds no certificate in PEM form", path=path)
        )
    return pem


def _blame(error: ssl.SSLError, certificate: Path, key: Path) -> Unusable:
    """Tell which of the two files OpenSSL could not use."""
    reason = error.reason or ""
    if "MISMATCH" in reason:
        return Unusable(
            "key",
            say(
                "{key} is not the key of the certificate {certificate}",
                key=key,
                certificate=certificate,
            ),
        )
    if reason in _CERTIFICATE_TOO_WEAK:
        return Unusable(
            "certificate",
            say(
                "{certificate} cannot be used: it is too weak for TLS ({reason})",
                certificate=certificate,
                reason=reason,
            ),
        )
    if _loads_alone(certificate):
        return Unusable(
            "key", say("{key} cannot be used: it is damaged or of no known kind", key=key)
        )
    return Unusable(
        "certificate", say("{certificate} cannot be used: it is damaged", certificate=certificate)
    )


_CERTIFICATE_TOO_WEAK = frozenset({"EE_KEY_TOO_SMALL", "CA_KEY_TOO_SMALL", "CA_MD_TOO_WEAK"})


def _loads_alone(certificate: Path) -> bool:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(certificate)
    except ssl.SSLError:
        return False
    return True


_UNUSABLE = say("{path} cannot be used: {strerror}")
_OUTSIDE_ITS_TIME = {
    9: say("{path} is not valid yet (or this machine's clock is wrong)"),
    10: say("{path} has expired: mail programs refuse it"),
}
"""By OpenSSL's verification error (``X509_V_ERR_CERT_…``)."""


def _outside_its_time(server: ssl.SSLContext, certificate: Path) -> Sentence | None:
    """Let a client that trusts exactly this certificate meet it; what it says of its dates."""
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname = False
    client.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    client.load_verify_locations(certificate)
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    asking = client.wrap_bio(back, there)
    answering = server.wrap_bio(there, back, server_side=True)
    with contextlib.suppress(ssl.SSLError):
        _do_or_wait(asking)
        _do_or_wait(answering)
        try:
            _do_or_wait(asking)
        except ssl.SSLCertVerificationError as error:
            known = _OUTSIDE_ITS_TIME.get(error.verify_code)
            return known and known.filled_with(path=certificate)
    return None


def _do_or_wait(end: ssl.SSLObject) -> None:
    with contextlib.suppress(ssl.SSLWantReadError):
        end.do_handshake()


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


class _Encrypted(Exception):
    """The key wants a password."""


def _no_password() -> str:
    raise _Encrypted


def make(path: Path, names: list[str], made_at: datetime | None = None) -> None:
    """Make a self-signed certificate for this machine and write it to ``path`` at once.

    An EC key (P-256), valid for ``names``, which may be addresses, from a day before ``made_at``
    (None for now).
    """
    from ipaddress import ip_address

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "pec-bridge")])
    now = made_at or datetime.now(UTC)  # this process has no clock to be handed
    hosts: list[x509.GeneralName] = []
    for name in names:
        try:
            hosts.append(x509.IPAddress(ip_address(name)))
        except ValueError:
            hosts += [x509.DNSName(name)] if name.isascii() else []
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


def identity_of(config: Config) -> Identity:
    """Return the certificate that the settings name, or else one of our own; blocks.

    Raises:
        CertificateFault: it cannot be had.
    """
    tls = config.tls
    if tls.certificate is not None and tls.key is not None:
        return given_identity(tls.certificate, tls.key)
    return own_identity(config.data_dir, listening_hosts(config))
