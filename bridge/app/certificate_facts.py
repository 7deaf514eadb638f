"""What our servers' certificate says, for people who are to trust it; and the certificate alone.

Reads the file that the settings name, or the self-signed one under ``data_dir``. The package that
reads certificates weighs megabytes; no daemon loads this.

Failure: ``OperationFailed`` with a sentence.
"""

from __future__ import annotations

import ssl
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from cryptography import x509

from bridge.app.certificate import EVERY_ADDRESS, FILE_NAME, fingerprint, listening_hosts
from bridge.clock import rfc3339
from bridge.config import Config
from bridge.language import say
from bridge.operations.control import OperationFailed

BEGIN, END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"


def certificate_path(config: Config) -> Path:
    """Return the file that holds the certificate."""
    return config.tls.certificate or config.data_dir / FILE_NAME


def certificate_pem(config: Config) -> str:
    """Return the first certificate of the file and nothing else of it, its key least of all.

    Raises:
        OperationFailed: there is none.
    """
    path = certificate_path(config)
    try:
        text = path.read_text("ascii", "replace")
    except FileNotFoundError:
        made = "" if config.tls.certificate else say(" It is made when the bridge first starts.")
        raise OperationFailed(say("{path} is not there.{made}", path=path, made=made)) from None
    except OSError as error:
        raise OperationFailed(
            say("{path} cannot be read: {strerror}.", path=path, strerror=error.strerror or error)
        ) from None
    begin, end = text.find(BEGIN), text.find(END)
    if not 0 <= begin < end:
        raise OperationFailed(say("{path} holds no certificate in PEM form.", path=path))
    return text[begin : end + len(END)] + "\n"


def certificate_der(config: Config) -> bytes:
    """Return the same in DER, as Windows and Java take it.

    Raises:
        OperationFailed: there is none.
    """
    try:
        return ssl.PEM_cert_to_DER_cert(certificate_pem(config))
    except ValueError:
        raise OperationFailed(say("{path} is damaged.", path=certificate_path(config))) from None


def certificate_facts(config: Config) -> dict[str, Any]:
    """Return names, times and fingerprint, and where we listen under no name of it.

    Raises:
        OperationFailed: there is none, or it cannot be read.
    """
    try:
        read = x509.load_der_x509_certificate(certificate_der(config))
    except ValueError:
        raise OperationFailed(say("{path} is damaged.", path=certificate_path(config))) from None
    names = _names(read)
    hosts = (host for host in listening_hosts(config) if host not in EVERY_ADDRESS)
    return {
        "file": str(certificate_path(config)),
        "self_signed": read.issuer == read.subject,
        "subject": read.subject.rfc4514_string(),
        "names": names,
        "not_named": [host for host in hosts if not _is_named(host, names)],
        "valid_from": rfc3339(read.not_valid_before_utc),
        "valid_until": rfc3339(read.not_valid_after_utc),
        "fingerprint": fingerprint(certificate_path(config)),
    }


def _names(certificate: x509.Certificate) -> list[str]:
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return []
    addresses = map(str, found.get_values_for_type(x509.IPAddress))
    return [*found.get_values_for_type(x509.DNSName), *addresses]


def _is_named(host: str, names: list[str]) -> bool:
    """Tell whether clients that connect to ``host`` find it in the certificate."""
    try:
        return str(ip_address(host)) in names
    except ValueError:
        host = host.casefold().rstrip(".")
    first, _, rest = host.partition(".")
    return any(name.casefold() in (host, f"*.{rest}" if rest and first else host) for name in names)
