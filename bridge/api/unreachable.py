"""Why a host could not be reached, in words, from what the HTTP client raised. Pure.

What counts is the deepest cause: httpx tells a name that nobody knows, a closed port and a
certificate that has expired by one and the same class. Every cause that is told apart is one row
of ``CAUSES``. No text of an exception is passed on but the TLS library's own reasons.
"""

from __future__ import annotations

import errno
import socket
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import httpx

from bridge.language import Sentence, say


@dataclass(frozen=True, slots=True)
class Cause:
    """Exceptions of one class for which ``holds``, and what they mean.

    ``words`` go on after the host's name; ``{detail}`` in them stands for the library's reason.
    """

    exception: type[BaseException]
    words: Sentence
    holds: Callable[[BaseException], bool] = lambda _error: True


def _numbered(*names: str) -> Callable[[BaseException], bool]:
    """Return what holds for errors with one of these numbers, where the system has them."""
    modules = (errno, socket)
    numbers = {getattr(module, name, None) for module in modules for name in names} - {None}
    return lambda error: getattr(error, "errno", None) in numbers


def _verified(*codes: int) -> Callable[[BaseException], bool]:
    """Return what holds for certificates refused for one of these reasons (X509_V_ERR_*)."""
    return lambda error: getattr(error, "verify_code", None) in codes


def _reasoned(*reasons: str) -> Callable[[BaseException], bool]:
    return lambda error: getattr(error, "reason", None) in reasons


_REFUSED = ssl.SSLCertVerificationError

CAUSES: tuple[Cause, ...] = (
    Cause(httpx.ConnectTimeout, say("did not take the connection in time")),
    Cause(_REFUSED, say("shows a certificate that has expired"), _verified(10)),
    Cause(
        _REFUSED,
        say("shows a certificate that is not valid yet; is this machine's clock right?"),
        _verified(9),
    ),
    Cause(_REFUSED, say("shows a certificate of another name"), _verified(62, 63, 64)),
    Cause(
        _REFUSED,
        say(
            "shows a certificate that nobody trusted here has signed (something on the way "
            "that looks "
            "into TLS, or an authority of your own?)"
        ),
        _verified(2, 18, 19, 20, 21, 24),
    ),
    Cause(_REFUSED, say("shows a certificate that cannot be relied on: {detail}")),
    Cause(
        ssl.SSLError,
        say("does not speak TLS there"),
        _reasoned("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE"),
    ),
    Cause(ssl.SSLError, say("agrees on no TLS: {detail}")),
    Cause(httpx.ProxyError, say("is behind a proxy that does not let this through")),
    Cause(
        socket.gaierror,
        say("is a name that nobody knows; check it and this machine's DNS"),
        _numbered("EAI_NONAME", "EAI_NODATA"),
    ),
    Cause(
        socket.gaierror,
        say("is a name that no name server answers for just now; check this machine's DNS"),
        _numbered("EAI_AGAIN"),
    ),
    Cause(socket.gaierror, say("is a name that cannot be looked up; check this machine's DNS")),
    Cause(ConnectionRefusedError, say("refuses the connection; nothing listens there")),
    Cause(ConnectionError, say("broke the connection off while it was made")),
    Cause(TimeoutError, say("did not take the connection in time")),
    Cause(
        OSError,
        say("is out of reach: this machine has no way to it; check its network"),
        _numbered(
            "ENETUNREACH",
            "EHOSTUNREACH",
            "ENETDOWN",
            "EHOSTDOWN",
            "EADDRNOTAVAIL",
        ),
    ),
    Cause(
        OSError,
        say("may not be connected to; a firewall here forbids it"),
        _numbered("EACCES", "EPERM"),
    ),
    Cause(
        OSError,
        say("cannot be connected to: too many files are open here"),
        _numbered("EMFILE", "ENFILE"),
    ),
)
"""First match wins, over all causes of an error: of several addresses the one that tells most."""


def why_unreachable(error: BaseException) -> Sentence | None:
    """Return what kept a connection from coming about, to go after the host's name.

    None if that is not known.
    """
    raised = tuple(_causes(error))
    for cause in CAUSES:
        for one in raised:
            if isinstance(one, cause.exception) and cause.holds(one):
                return cause.words.filled_with(detail=_detail(one))
    return None


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error, what it came from, and all of a group, once each."""
    waiting, seen = [error], set[int]()
    while waiting:
        one = waiting.pop(0)
        if id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        # httpcore raises its errors "from None"; any other context is somebody else's trouble.
        cause = one.__cause__ or (one.__context__ if one.__suppress_context__ else None)
        if cause is not None:
            waiting.append(cause)
        if isinstance(one, BaseExceptionGroup):
            waiting += one.exceptions


def _detail(error: BaseException) -> str:
    """Return the TLS library's reason, as words."""
    told = getattr(error, "verify_message", None) or getattr(error, "reason", None)
    return str(told).lower().replace("_", " ") if told else type(error).__name__


def shown_host(url: str) -> str:
    """Return the host of a URL, with its port unless that is the usual one."""
    parts = httpx.URL(url)
    return parts.netloc.decode("ascii", "replace")
