"""``/metrics`` for Prometheus, ``/healthz`` and ``/readyz`` for whoever starts and watches us.

Health says that the process answers, readiness that its listeners are open and its store can be
read; neither says anything else, so anybody may ask. The metrics hold addresses and counts: they
are given to this machine, and elsewhere to the administrator (basic authentication, over TLS). What
comes through a proxy on this machine counts as elsewhere, if the proxy says that it is one.

They are worked out once a second at the most, whoever asks: without end costs no more than that.

Figures of the last hour are gauges of that hour, for they come out of the store and outlive a
restart; nothing is counted a second time in memory. Only what leaves no trace in the store is
counted since the start: answers to programs, and requests to the API by what came of them.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from bridge.language import say
from bridge.net.address import is_loopback
from bridge.operations.control import OperationFailed
from bridge.store.base import ReadTransaction, StoreFailed
from bridge.store.web import AttemptSummary
from bridge.web.lag import LoopLag
from bridge.web.language import for_people
from bridge.web.people import ADMINISTRATOR
from bridge.web.services import WebServices

HOUR = timedelta(hours=1)
SAME_FOR_S = 1.0
FORWARDED = frozenset({"forwarded", "via", "x-real-ip"})
FORWARDED_PREFIX = "x-forwarded-"

Sessions = Callable[[], Mapping[str, int]]
"""Gives how many are connected by each protocol."""


class Monitoring:
    """See the module.

    Args:
        services: what is told of.
        lag: of the loop.
        sessions: how many are connected.
    """

    def __init__(self, services: WebServices, lag: LoopLag, sessions: Sessions) -> None:
        self._services = services
        self._lag = lag
        self._sessions = sessions
        self._turn = asyncio.Lock()
        self._text = b""
        self._text_at_s = -SAME_FOR_S

    def routes(self) -> list[BaseRoute]:
        """Return its routes."""
        return [
            Route("/healthz", _health),
            Route("/readyz", self._ready),
            Route("/metrics", self._metrics),
        ]

    async def _ready(self, request: Request) -> Response:
        async def work(tx: ReadTransaction) -> None:
            await tx.newest_attempt_end()

        try:
            await self._services.store.read(work)
        except StoreFailed:
            return for_people(request, say("The store cannot be read."), 503)
        if self._services.perform is None:
            return for_people(request, say("The bridge is starting."), 503)
        return PlainTextResponse("ready\n")

    async def _metrics(self, request: Request) -> Response:
        if not await self._may_read(request):
            return for_people(
                request,
                say("Ask from the machine itself, or as the administrator over https."),
                401,
                {"WWW-Authenticate": 'Basic realm="pec-bridge metrics", charset="UTF-8"'},
            )
        try:
            text = await self._recent()
        except (OperationFailed, StoreFailed):
            return PlainTextResponse("The store cannot be read.\n", 503)
        return Response(text, media_type=CONTENT_TYPE_PLAIN_0_0_4)

    async def _may_read(self, request: Request) -> bool:
        peer = request.client.host if request.client else ""
        is_through_proxy = any(
            name in FORWARDED or name.startswith(FORWARDED_PREFIX) for name in request.headers
        )
        if is_loopback(peer) and not is_through_proxy:
            return True
        given = _basic(request.headers.get("authorization", ""))
        if given is None or not (request.url.scheme == "https" or is_loopback(peer)):
            return False
        return await self._services.logins.enter("web", peer, *given) == ADMINISTRATOR

    async def _recent(self) -> bytes:
        clock = self._services.clock
        async with self._turn:
            if clock.monotonic() - self._text_at_s >= SAME_FOR_S:
                self._text = await self._made()
                self._text_at_s = clock.monotonic()
            return self._text

    async def _made(self) -> bytes:
        services = self._services
        now = services.clock.now()
        status = await services.do("status")
        counts = {
            one["address"]: await services.do("sent counts", {"account": one["address"]})
            for one in status["accounts"]
        }
        try:
            expiries = await services.do("expiry list")
        except OperationFailed:
            expiries = None

        async def work(tx: ReadTransaction) -> Sequence[AttemptSummary]:
            return await tx.attempts_ended(now - HOUR)

        attempts = await services.store.scan(work)
        registry = CollectorRegistry(auto_describe=False)
        families = (
            *of_status(status, now),
            *of_hooks(status, now),
            *of_counts(counts),
            *of_attempts(attempts),
            *of_expiries(expiries, now),
            *of_process(self._lag.longest_s(), self._sessions()),
            of_answers(services.answered),
            of_requests(services.requested),
        )
        registry.register(_Once(families))
        return generate_latest(registry)


async def _health(_request: Request) -> Response:
    return PlainTextResponse("ok\n")


class _Once(Collector):
    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        return self._families


def _basic(header: str) -> tuple[str, str] | None:
    """Read basic authentication (RFC 7617); None if it is none."""
    scheme, _, given = header.partition(" ")
    if scheme.casefold() != "basic":
        return None
    try:
        name, colon, password = base64.b64decode(given, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return (name, password) if colon else None


def _gauge(name: str, words: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"pec_bridge_{name}", words, labels=labels)


def _seconds(at: str) -> float:
    return datetime.fromisoformat(at).timestamp()


def of_status(status: Mapping[str, Any], now: datetime) -> Iterator[Metric]:
    """Yield what ``status`` says."""
    info = _gauge("info", "The version that runs; always 1.", "version")
    info.add_metric([status["version"]], 1)
    yield info
    if status["since"]:
        since = _gauge("start_time_seconds", "When the bridge started, since 1970.")
        since.add_metric([], _seconds(status["since"]))
        yield since
    by_account = {
        "oldest_waiting_seconds": _gauge(
            "oldest_waiting_seconds", "Age of what waits longest to be sent.", "account"
        ),
        "last_sync_time_seconds": _gauge(
            "last_sync_time_seconds", "When the inbox was last known to be read whole.", "account"
        ),
        "obstacle": _gauge("obstacle", "1 if something keeps an account from working.", "account"),
        "plan_used": _gauge("plan_used", "Sends counted in the plan's period.", "account"),
        "plan_limit": _gauge("plan_limit", "Sends that the plan allows.", "account"),
        "requests_used": _gauge("requests_used", "Requests of the day.", "account"),
        "requests_remaining": _gauge("requests_remaining", "Requests left of the day.", "account"),
        "quota_used_bytes": _gauge("quota_used_bytes", "What the mailbox holds.", "account"),
        "quota_limit_bytes": _gauge("quota_limit_bytes", "What it may hold.", "account"),
    }
    for one in status["accounts"]:
        for name, value in _of_account(one, now):
            if value is not None:
                by_account[name].add_metric([one["address"]], value)
    yield from by_account.values()
    alarms = _gauge("alarms", "Alarms that are raised.", "account", "kind", "acknowledged")
    raised: dict[tuple[str, str, str], int] = {}
    for alarm in status["alarms"]:
        key = alarm["account"], alarm["kind"], "no" if alarm["acknowledged_at"] is None else "yes"
        raised[key] = raised.get(key, 0) + 1
    for labels, count in raised.items():
        alarms.add_metric(labels, count)
    yield alarms


def _of_account(one: Mapping[str, Any], now: datetime) -> Iterator[tuple[str, float | None]]:
    waiting, quota, requests = one["waiting"], one["quota"], one["requests"]
    age_s = now.timestamp() - _seconds(waiting["since"]) if waiting else 0.0
    yield "oldest_waiting_seconds", age_s
    yield "last_sync_time_seconds", _seconds(one["last_sync"]) if one["last_sync"] else None
    yield "obstacle", 1.0 if one["error"] else 0.0
    yield "plan_used", one["plan"]["used"]
    yield "plan_limit", one["plan"]["limit"]
    yield "requests_used", requests["used"]
    yield "requests_remaining", requests["remaining"]
    yield "quota_used_bytes", quota and quota["usage_bytes"]
    yield "quota_limit_bytes", quota and (quota["limit_bytes"] or None)


def of_counts(counts: Mapping[str, Mapping[str, int]]) -> Iterator[Metric]:
    """Yield how many messages of each account are in each state."""
    messages = _gauge("messages", "Messages by state.", "account", "state")
    for account, states in counts.items():
        for state, count in states.items():
            messages.add_metric([account, state], count)
    yield messages


def of_hooks(status: Mapping[str, Any], now: datetime) -> Iterator[Metric]:
    """Yield how those stand who are told of events and alarms."""
    labels = ("hook", "account")
    waiting = _gauge("hook_waiting", "Events that a hook is still to be told.", *labels)
    dead = _gauge("hook_dead", "Events that were given up.", *labels)
    oldest = _gauge("hook_oldest_seconds", "Age of what a hook was not told for longest.", *labels)
    tries = CounterMetricFamily(
        "pec_bridge_hook_deliveries", "Tries to tell, by outcome.", labels=[*labels, "outcome"]
    )
    for one in status["hooks"]:
        values = [one["name"], one["account"] or ""]
        waiting.add_metric(values, one["waiting"])
        dead.add_metric(values, one["dead"])
        since = one["oldest_at"]
        oldest.add_metric(values, now.timestamp() - _seconds(since) if since else 0)
        for outcome in ("delivered", "failed", "died"):
            tries.add_metric([*values, outcome], one[outcome])
    failing = _gauge("alarms_out_failing", "1 if alarms cannot be told outside.", "way")
    for way in status["alarms_out"]:
        failing.add_metric([way["way"]], 1 if way["error"] else 0)
    yield from (waiting, dead, oldest, tries, failing)


def of_attempts(attempts: Sequence[AttemptSummary]) -> Iterator[Metric]:
    """Yield what became of the requests to send of the last hour."""
    made = _gauge("send_attempts", "Requests to send of the last hour, by HTTP status.", "status")
    longest = _gauge("send_longest_seconds", "The longest of them.", "status")
    mean = _gauge("send_mean_seconds", "How long they took on average.", "status")
    for one in attempts:
        labels = ["none" if one.status is None else str(one.status)]
        made.add_metric(labels, one.count)
        longest.add_metric(labels, one.longest_s)
        mean.add_metric(labels, one.sum_s / one.count)
    yield from (made, longest, mean)


def of_expiries(found: Mapping[str, Any] | None, now: datetime) -> Iterator[Metric]:
    """Yield what is left of mailboxes, tokens and credit, as far as the service told."""
    if found is None:
        return
    mailbox = _gauge("mailbox_days_left", "Days until a mailbox ends.", "account")
    ends: dict[str, float] = {}
    for one in found["mailboxes"]:
        if one["expires_on"]:
            days = (datetime.fromisoformat(one["expires_on"]).date() - now.date()).days
            _keep_least(ends, one["address"], days)
    for address, left_days in ends.items():
        mailbox.add_metric([address], left_days)
    token = _gauge("token_seconds_left", "How long a token in use lasts.", "token")
    lasts: dict[str, float] = {}
    for one in found["tokens"]:
        if one["expires_at"]:
            name = one["name"] or one["ending"]
            _keep_least(lasts, name, _seconds(one["expires_at"]) - now.timestamp())
    for name, left_s in lasts.items():
        token.add_metric([name], left_s)
    credit = _gauge("credit_euro", "Credit at the service.")
    if found["credit_eur"] is not None:
        credit.add_metric([], found["credit_eur"])
    yield from (mailbox, token, credit)


def _keep_least(found: dict[str, float], name: str, value: float) -> None:
    """Keep one value for each name: the service may say a name twice, a series may not."""
    found[name] = min(value, found.get(name, value))


def of_process(lag_s: float, sessions: Mapping[str, int]) -> Iterator[Metric]:
    """Yield how this process does."""
    lag = _gauge("loop_lag_seconds", "The longest wait of the event loop in a minute.")
    lag.add_metric([], lag_s)
    connected = _gauge("connections", "Who is connected.", "protocol")
    for protocol, count in sessions.items():
        connected.add_metric([protocol], count)
    yield from (lag, connected)


def of_answers(answered: Mapping[str, int]) -> Metric:
    """Return what became of programs' requests since the start."""
    answers = CounterMetricFamily(
        "pec_bridge_http_answers",
        "Answers to programs since the start, by the name of the problem; ok for none.",
        labels=["problem"],
    )
    for problem, count in answered.items():
        answers.add_metric([problem], count)
    return answers


def of_requests(requested: Mapping[str, int]) -> Metric:
    """Return what came of requests to the API since the start."""
    requests = CounterMetricFamily(
        "pec_bridge_api_requests",
        "Requests to the API since the start, by HTTP status; not sent, or unknown, without one.",
        labels=["result"],
    )
    for result, count in requested.items():
        requests.add_metric([result], count)
    return requests
