from __future__ import annotations

from datetime import UTC, datetime

import httpx
import pytest

from bridge.api.errors import (
    RETRY_AFTER_LIMIT_S,
    ApiError,
    NotFound,
    NotSent,
    OutcomeUnknown,
    Refused,
    from_answer,
    from_exception,
    retry_after_s,
)

NOW = datetime(2026, 1, 15, 9, 0, tzinfo=UTC)

EXCEPTIONS = [
    (httpx.ConnectError("x"), NotSent),
    (httpx.ConnectTimeout("x"), NotSent),
    (httpx.PoolTimeout("x"), NotSent),
    (httpx.ProxyError("x"), NotSent),
    (httpx.UnsupportedProtocol("x"), NotSent),
    (httpx.WriteError("x"), OutcomeUnknown),
    (httpx.WriteTimeout("x"), OutcomeUnknown),
    (httpx.ReadError("x"), OutcomeUnknown),
    (httpx.ReadTimeout("x"), OutcomeUnknown),
    (httpx.CloseError("x"), OutcomeUnknown),
    (httpx.RemoteProtocolError("x"), OutcomeUnknown),
    (httpx.LocalProtocolError("x"), OutcomeUnknown),
    (httpx.DecodingError("x"), OutcomeUnknown),
    (httpx.TooManyRedirects("x"), OutcomeUnknown),
    (TimeoutError(), OutcomeUnknown),
    (OSError("x"), OutcomeUnknown),
    (RuntimeError("x"), OutcomeUnknown),
]


@pytest.mark.parametrize(
    ("error", "kind"), EXCEPTIONS, ids=[type(error).__name__ for error, _ in EXCEPTIONS]
)
def test_what_is_known_after_an_exception(error: Exception, kind: type[ApiError]) -> None:
    failure = from_exception(error)
    assert type(failure) is kind
    assert failure.status is None
    assert type(error).__name__ in failure.reason
    assert failure.__cause__ is None
    assert failure.__context__ is None


@pytest.mark.parametrize(
    ("status", "code", "kind", "detail"),
    [
        (200, None, Refused, None),
        (201, None, Refused, None),
        (400, None, Refused, None),
        (403, None, Refused, None),
        (404, None, NotFound, None),
        (413, None, Refused, None),
        (422, None, Refused, None),
        (408, None, OutcomeUnknown, None),
        (409, None, OutcomeUnknown, None),
        (425, None, OutcomeUnknown, None),
        (444, None, OutcomeUnknown, None),
        (499, None, OutcomeUnknown, None),
        (401, None, NotSent, "credentials"),
        (402, None, NotSent, "payment"),
        (429, None, NotSent, "rate"),
        (301, None, OutcomeUnknown, None),
        (304, None, OutcomeUnknown, None),
        (500, None, OutcomeUnknown, None),
        (503, None, OutcomeUnknown, None),
        (599, None, OutcomeUnknown, None),
        (777, None, OutcomeUnknown, None),
        # Q15: a code in a failure means that a message was made.
        (200, "2020082610003492", OutcomeUnknown, "2020082610003492"),
        (400, "2020082610003492", OutcomeUnknown, "2020082610003492"),
        (401, "2020082610003492", OutcomeUnknown, "2020082610003492"),
        (500, "2020082610003492", OutcomeUnknown, "2020082610003492"),
    ],
)
def test_what_is_known_after_an_answer(
    status: int, code: str | None, kind: type[ApiError], detail: str | None
) -> None:
    failure = from_answer(status, message="a\n reason", code=code, answer="{…}")
    assert type(failure) is kind
    assert failure.status == status
    assert failure.answer == "{…}"
    assert failure.reason.endswith(f"(HTTP {status}: a reason).")
    if isinstance(failure, NotSent):
        assert failure.kind == detail
    if isinstance(failure, OutcomeUnknown):
        assert failure.code == detail


def test_retry_after_reaches_the_error() -> None:
    failure = from_answer(429, message="", retry_after_s=7.0)
    assert isinstance(failure, NotSent)
    assert failure.retry_after_s == 7.0


def test_an_error_keeps_a_bounded_answer() -> None:
    failure = from_answer(500, message="m" * 10_000, answer="a" * 10_000)
    assert len(failure.answer) == 2_000
    assert len(failure.reason) < 500


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("0", 0.0),
        (" 30 ", 30.0),
        ("9" * 400, RETRY_AFTER_LIMIT_S),
        ("Thu, 15 Jan 2026 09:01:30 GMT", 90.0),
        ("Thu, 15 Jan 2026 10:01:30 +0100", 90.0),
        ("Thu, 15 Jan 2026 09:01:30", 90.0),
        ("Thu, 15 Jan 2026 08:00:00 GMT", 0.0),
        ("Thu, 15 Jan 2099 08:00:00 GMT", RETRY_AFTER_LIMIT_S),
        ("Thu, 99 Jan 2026 08:00:00 GMT", None),
    ],
)
def test_retry_after(value: str | None, expected: float | None) -> None:
    assert retry_after_s(value, NOW) == expected
