"""Metrics and health: who may read them, and that Prometheus can."""

from __future__ import annotations

import asyncio
import base64
from datetime import datetime, timedelta
from typing import Any

import pytest
import structlog.testing
from prometheus_client.parser import text_string_to_metric_families

from bridge.store.web import AttemptSummary
from bridge.web.lag import LAG_EVERY_S, LAG_OF_S, LoopLag
from bridge.web.metrics import of_attempts, of_expiries
from tests.fakes import FakeClock
from tests.web.conftest import ADMINISTRATORS, ANNA, PASSWORDS, STATUS, Site
from tests.web.test_entrance import set_administrator

AT, LATER = "2026-01-15T08:30:00.000Z", "2026-03-15T08:30:00.000Z"
ACCOUNT: dict[str, Any] = {
    "address": ANNA,
    "last_sync": AT,
    "error": None,
    "waiting": {"since": AT},
    "plan": {"used": 7, "limit": 3500},
    "requests": {"used": 3, "remaining": None},
    "quota": {"usage_bytes": 10, "limit_bytes": 0, "percent": None},
}
ALARM = {"account": ANNA, "kind": 'x"\n', "acknowledged_at": None}

HOOK: dict[str, Any] = {
    "name": "erp",
    "account": None,
    "waiting": 3,
    "dead": 1,
    "oldest_at": AT,
    "delivered": 9,
    "failed": 4,
    "died": 1,
}
TOLD = {"hooks": [HOOK], "alarms_out": [{"way": "mail", "error": "No"}]}


def told(made: Site) -> None:
    made.done.answers |= {
        "status": lambda _arguments: {
            **STATUS,
            "accounts": [ACCOUNT],
            "alarms": [ALARM] * 2,
            **TOLD,
        },
        "sent counts": lambda _arguments: {"queued": 2, "submitted": 5},
        "expiry list": lambda _arguments: {
            "looked_at": AT,
            "mailboxes": [{"address": ANNA, "expires_on": "2026-02-14", "renews_itself": False}],
            "tokens": [{"name": "", "ending": "9af", "expires_at": AT}],
            "credit_eur": 12.5,
            "reasons": [],
        },
    }


def sample(text: str, name: str, **labels: str) -> float:
    found = [
        one.value
        for family in text_string_to_metric_families(text)
        for one in family.samples
        if one.name == name and one.labels == labels
    ]
    assert len(found) == 1, (name, labels, text)
    return found[0]


async def test_prometheus_reads_what_is_so(made: Site) -> None:
    told(made)
    made.services.answered.update(ok=3, unauthorized=1)
    made.services.requested.update({"200": 5, "not sent": 2})
    text = (await made.browser().get("/metrics")).text
    assert sample(text, "pec_bridge_http_answers_total", problem="unauthorized") == 1
    assert sample(text, "pec_bridge_api_requests_total", result="not sent") == 2
    assert sample(text, "pec_bridge_messages", account=ANNA, state="queued") == 2
    assert sample(text, "pec_bridge_plan_used", account=ANNA) == 7
    assert sample(text, "pec_bridge_mailbox_days_left", account=ANNA) == 30
    assert sample(text, "pec_bridge_credit_euro") == 12.5
    assert sample(text, "pec_bridge_alarms", account=ANNA, kind='x"\n', acknowledged="no") == 2
    assert sample(text, "pec_bridge_oldest_waiting_seconds", account=ANNA) == 1800
    assert sample(text, "pec_bridge_hook_waiting", hook="erp", account="") == 3
    assert sample(text, "pec_bridge_hook_oldest_seconds", hook="erp", account="") == 1800
    tries = "pec_bridge_hook_deliveries_total"
    assert sample(text, tries, hook="erp", account="", outcome="delivered") == 9
    assert sample(text, "pec_bridge_alarms_out_failing", way="mail") == 1
    assert "pec_bridge_requests_remaining{" not in text
    assert PASSWORDS[ANNA] not in text


@pytest.mark.parametrize(
    ("peer", "url", "headers", "status"),
    [
        ("127.0.0.1", "http://127.0.0.1:1180", {}, 200),
        ("::1", "http://[::1]:1180", {}, 200),
        ("127.0.0.1", "http://127.0.0.1:1180", {"X-Forwarded-For": "10.0.0.1"}, 401),
        ("127.0.0.1", "http://127.0.0.1:1180", {"Forwarded": "for=10.0.0.1"}, 401),
        ("127.0.0.1", "http://127.0.0.1:1180", {"X-Forwarded-Proto": "https"}, 401),
        ("127.0.0.1", "http://127.0.0.1:1180", {"Via": "1.1 proxy"}, 401),
        ("127.0.0.1", "http://127.0.0.1:1180", {"X-Real-IP": "10.0.0.1"}, 401),
        ("10.0.0.1", "https://10.0.0.2:1180", {}, 401),
        ("10.0.0.1", "https://10.0.0.2:1180", {"Authorization": "Basic x"}, 401),
        ("10.0.0.1", "https://10.0.0.2:1180", {"Authorization": "admin"}, 200),
        ("10.0.0.1", "https://10.0.0.2:1180", {"Authorization": "anna"}, 401),
        ("10.0.0.1", "http://10.0.0.2:1180", {"Authorization": "admin"}, 401),
    ],
)
async def test_who_may_read(
    made: Site, peer: str, url: str, headers: dict[str, str], status: int
) -> None:
    told(made)
    set_administrator(made, by=timedelta(minutes=-1))
    logins = {"admin": ("admin", ADMINISTRATORS), "anna": (ANNA, PASSWORDS[ANNA])}
    if (login := logins.get(headers.get("Authorization", ""))) is not None:
        word = base64.b64encode(":".join(login).encode()).decode()
        headers = {"Authorization": f"Basic {word}"}
    answer = await made.browser(peer=peer, url=url).get("/metrics", headers=headers)
    assert answer.status_code == status
    assert (ANNA in answer.text) == (status == 200)


async def test_health_and_readiness(made: Site) -> None:
    stranger = made.browser(peer="10.0.0.1", url="http://10.0.0.2:1180")
    assert (await stranger.get("/healthz")).text == "ok\n"
    assert (await stranger.get("/readyz")).text == "ready\n"
    made.services.perform = None
    assert [(await stranger.get(path)).status_code for path in ("/healthz", "/readyz")] == [
        200,
        503,
    ]
    made.services.perform = made.done
    await made.store.close()
    assert [(await stranger.get(path)).status_code for path in ("/healthz", "/readyz")] == [
        200,
        503,
    ]


async def test_figures_are_worked_out_once_a_second_however_many_ask(made: Site) -> None:
    told(made)
    looked: list[Any] = []
    status = made.done.answers["status"]

    def look(arguments: Any) -> Any:
        looked.append(arguments)
        return status(arguments)

    made.done.answers["status"] = look
    browser = made.browser()
    answers = await asyncio.gather(*(browser.get("/metrics") for _ in range(20)))
    assert {one.status_code for one in answers} == {200}
    assert len(looked) == 1
    await made.clock.advance(1)
    await browser.get("/metrics")
    assert len(looked) == 2


async def test_a_store_that_fails_is_no_traceback(made: Site) -> None:
    told(made)
    await made.store.close()
    with structlog.testing.capture_logs() as logs:
        answer = await made.browser().get("/metrics")
    assert (answer.status_code, logs) == (503, [])


def test_a_name_that_the_service_says_twice_is_one_series() -> None:
    tokens = [{"name": "pec", "ending": "9af", "expires_at": at} for at in (LATER, AT)]
    mailboxes = [{"address": ANNA, "expires_on": on} for on in ("2026-02-14", "2026-02-10")]
    found = {"mailboxes": mailboxes, "tokens": tokens, "credit_eur": None}
    families = of_expiries(found, datetime.fromisoformat(AT))
    values = {one.name: [sample.value for sample in one.samples] for one in families}
    assert values["pec_bridge_token_seconds_left"] == [0.0]
    assert values["pec_bridge_mailbox_days_left"] == [26]


async def test_the_longest_wait_of_the_loop_is_that_of_the_last_minute_whoever_asks() -> None:
    class Late(FakeClock):
        late_s = 0.2

        async def sleep(self, duration_s: float) -> None:
            late_s, self.late_s = self.late_s, 0.0
            await super().sleep(duration_s + late_s)

    clock = Late()
    lag = LoopLag(clock)

    task = asyncio.ensure_future(lag.run())
    await clock.advance(2)
    assert [lag.longest_s() for _ in range(2)] == [pytest.approx(0.2)] * 2
    await clock.advance(LAG_OF_S)
    assert lag.longest_s() == pytest.approx(0.0)
    assert len(lag._late) <= LAG_OF_S / LAG_EVERY_S + 1
    task.cancel()


def test_requests_without_an_answer_have_a_name() -> None:
    attempts = (AttemptSummary(200, 2, 3.0, 4.0), AttemptSummary(None, 1, 30.0, 30.0))
    made, longest, mean = of_attempts(attempts)
    assert [one.labels["status"] for one in made.samples] == ["200", "none"]
    assert [one.value for one in longest.samples] == [3.0, 30.0]
    assert [one.value for one in mean.samples] == [2.0, 30.0]
