"""What a request may be, who may ask, and how a refusal is said."""

from __future__ import annotations

import asyncio
import json
from urllib.parse import quote, urlencode

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.limits import API_PAGE_EVENTS, API_PAGE_SENDS, API_WAIT_S, WEB_BODY_BYTES
from bridge.operations.control import OperationFailed
from bridge.store.base import StoreFailed
from bridge.web.problem import ProblemKind
from tests.web.contract.conftest import AZIENDA, STUDIO, Office, basic, named

BIG = 2**63 - 1


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("sends", {"limit": "0"}),
        ("sends", {"limit": str(API_PAGE_SENDS + 1)}),
        ("sends", {"limit": "9" * 5000}),
        ("sends", {"limit": "-1"}),
        ("sends", {"limit": "1.0"}),
        ("sends", {"limit": " 1"}),
        ("sends", {"limit": "\u0661"}),
        ("sends", {"limit": ""}),
        ("sends", {"limit": "1_0"}),
        ("sends", {"cursor": str(BIG + 1)}),
        ("sends", {"cursor": "abc"}),
        ("sends", {"state": "nonsense"}),
        ("sends", {"state": ""}),
        ("sends", {"reference": ""}),
        ("sends", {"since": "2026-01-31"}),
        ("sends", {"since": "2026-01-31T09:00:00"}),
        ("sends", {"since": "2026-02-31T09:00:00Z"}),
        ("sends", {"since": "1769850000"}),
        ("sends", {"nonsense": "1"}),
        ("sends/x", {"wait": str(int(API_WAIT_S) + 1)}),
        ("sends/x", {"until": "never"}),
        ("sends/x/receipts", {"limit": "1"}),
        ("events", {"limit": str(API_PAGE_EVENTS + 1)}),
        ("events", {"after": "-1"}),
        ("events", {"after": str(BIG + 1)}),
        ("events", {"wait": "1e9"}),
    ],
)
async def test_what_is_out_of_bounds_is_refused(
    office: Office, path: str, query: dict[str, str]
) -> None:
    answer = await (await office.erp()).get(f"/api/v1/{path}", params=query)
    assert named(answer) == (400, "bad-request")
    (error,) = answer.json()["errors"]
    assert error["where"] == next(iter(query))
    assert len(answer.text) < 500


@pytest.mark.parametrize(
    ("path", "query"),
    [
        (
            "sends",
            {"limit": str(API_PAGE_SENDS), "cursor": str(BIG), "since": "0001-01-01T00:00:00Z"},
        ),
        ("sends", {"cursor": "0", "since": "9999-12-31T23:59:59.999999999+23:59"}),
        ("events", {"limit": str(API_PAGE_EVENTS), "after": "0"}),
    ],
)
async def test_what_is_just_within_is_answered(
    office: Office, path: str, query: dict[str, str]
) -> None:
    await office.rig.submit("Prova")
    assert await (await office.erp()).ask(path, **query)


async def test_a_parameter_given_twice_is_refused(office: Office) -> None:
    answer = await (await office.erp()).get("/api/v1/events?after=1&after=2")
    assert named(answer) == (400, "bad-request")


BODIES = [
    ("cancel", "[]"),
    ("cancel", "{"),
    ("cancel", '{"version": "0"}'),
    ("cancel", '{"version": -1}'),
    ("cancel", '{"version": true}'),
    ("cancel", '{"version": 1e400}'),
    ("cancel", '{"nonsense": 1}'),
    ("cancel", "[" * 20_000),
    ("cancel", "\ufeff{}"),
    ("cancel", '"\\ud800"'),
    ("retry", "{}"),
    ("retry", '{"version": null}'),
    ("resolve", '{"version": 0}'),
    ("resolve", '{"version": 0, "action": "nonsense"}'),
    ("resolve", '{"version": 0, "action": "sent"}'),
    ("resolve", '{"version": 0, "action": "sent", "code": ""}'),
    ("resolve", '{"version": 0, "action": "resend", "code": "2026011510000099"}'),
    ("resolve", '{"version": 0, "action": "drop", "force": true}'),
    ("resolve", '{"version": 0, "action": "resend", "force": "yes"}'),
    ("resolve", '{"action": "resend", "force": true}'),
]


@pytest.mark.parametrize(("action", "body"), BODIES)
async def test_a_body_that_is_none_decides_nothing(office: Office, action: str, body: str) -> None:
    office.rig.start()
    id = await office.uncertain()
    erp = await office.erp(write=True)
    before = await erp.ask(f"sends/{id}")
    answer = await erp.post(
        f"/api/v1/sends/{id}/{action}",
        content=body.encode(),
        headers={"Content-Type": "application/json"},
    )
    assert named(answer) == (400, "bad-request")
    assert answer.json()["errors"]
    assert await erp.ask(f"sends/{id}") == before


async def test_a_whole_number_may_be_written_with_a_point(office: Office) -> None:
    id = await office.rig.submit("Prova")
    erp = await office.erp(write=True)
    assert (await erp.decide(f"{id}/cancel", version=0.0)).json()["state"] == "cancelled"
    assert named(await erp.decide(f"{id}/retry", version=1.5)) == (400, "bad-request")


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""]
)
async def test_a_body_is_json_or_refused(office: Office, kind: str) -> None:
    """What a form of another site's page can send is none of these."""
    id = await office.rig.submit("Prova")
    erp = await office.erp(write=True)
    answer = await erp.post(
        f"/api/v1/sends/{id}/cancel", content=b"{}", headers={"Content-Type": kind}
    )
    assert named(answer) == (415, "unsupported-media-type")
    assert (await erp.ask(f"sends/{id}"))["state"] == "queued"


async def test_a_body_too_long_is_refused(office: Office) -> None:
    id = await office.rig.submit("Prova")
    erp = await office.erp(write=True)
    body = b" " * (WEB_BODY_BYTES + 1)

    async def pieces() -> object:
        yield body  # without its length

    for content in (body, pieces()):
        answer = await erp.post(
            f"/api/v1/sends/{id}/cancel",
            content=content,  # type: ignore[arg-type]  # an async generator, which httpx takes
            headers={"Content-Type": "application/json"},
        )
        assert named(answer) == (413, "body-too-long")


# -- who may ask -----------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["sends", "sends/x", "sends/x/receipts", "events"])
async def test_without_a_key_nothing_is_told(office: Office, path: str) -> None:
    key = (await office.key())["key"]
    wrong = key[:-1] + ("A" if key[-1] != "A" else "B")
    known = await office.erp("other")
    assert (await known.get("/api/v1/events")).status_code == 200
    for headers in (
        {},
        {"Authorization": "Bearer"},
        {"Authorization": f"Bearer {wrong}"},
        {"Authorization": f"Bearer {key}x"},
        {"Authorization": f"Basic {key}"},
        {"Authorization": key},
        {"Cookie": f"key={key}"},
        basic(AZIENDA, key),
        basic("admin", "di chi amministra"),
    ):
        answer = await office.program().get(f"/api/v1/{path}?key={key}", headers=headers)
        assert named(answer) == (401, "unauthorized")
        assert answer.headers["WWW-Authenticate"].startswith("Bearer ")


async def test_a_key_to_look_decides_nothing(office: Office) -> None:
    id = await office.rig.submit("Prova")
    erp = await office.erp()
    for action in ("cancel", "retry", "resolve"):
        assert named(await erp.decide(f"{id}/{action}")) == (403, "read-only")
        assert named(await erp.decide(f"nonsense/{action}")) == (403, "read-only")
    assert (await erp.ask(f"sends/{id}"))["state"] == "queued"


async def test_a_revoked_key_opens_nothing_any_more(office: Office) -> None:
    made = await office.key()
    erp = office.program(made["key"])
    await erp.ask("events")
    await office.do("apikey revoke", which=made["id"])
    assert await erp.problem("events") == (401, "unauthorized")


async def test_a_key_whose_account_left_the_settings_opens_nothing(office: Office) -> None:
    erp = await office.erp("studio", STUDIO)
    await erp.ask("events")
    office.services.people.take_over(
        None,  # type: ignore[arg-type]  # no password is asked for
        {office.rig.accounts[0]: AZIENDA},
    )
    assert await erp.problem("events") == (401, "unauthorized")


@pytest.mark.parametrize(
    ("peer", "url", "is_taken"),
    [
        ("127.0.0.1", "http://127.0.0.1:1180", True),
        ("::1", "http://[::1]:1180", True),
        ("192.168.1.7", "https://192.168.1.2:1180", True),
        ("192.168.1.7", "http://192.168.1.2:1180", False),
        ("192.168.1.7", "http://127.0.0.1:1180", False),
    ],
)
async def test_a_key_is_taken_in_clear_on_this_machine_only(
    office: Office, peer: str, url: str, is_taken: bool
) -> None:
    key = (await office.key())["key"]
    for shown in (key, None):
        program = office.program(shown, peer=peer, url=url)
        answer = await program.get("/api/v1/events", headers={"X-Forwarded-Proto": "https"})
        if is_taken:
            assert answer.status_code == (200 if shown else 401)
        else:
            assert named(answer) == (403, "in-clear")
    (kept,) = await office.do("apikey list")
    assert (kept["used_at"] is not None) == is_taken


async def test_who_guesses_keys_waits_and_all_protocols_count_together(office: Office) -> None:
    key = (await office.key())["key"]
    other = office.program("pec_aaaaaaaaaaaa_" + "A" * 43)
    for _ in range(12):
        answer = asyncio.ensure_future(other.get("/api/v1/events"))
        await office.rig.pass_time(5)
        assert named(await answer) == (401, "unauthorized")
    guard = office.services.logins.guard
    assert guard.pause_s("127.0.0.1", STUDIO) > 0
    assert guard.pause_s("127.0.0.2", AZIENDA) == 0
    mine = office.program(key)
    begun_s = office.clock.monotonic()
    answer = asyncio.ensure_future(mine.get("/api/v1/events"))
    await office.rig.quiet()
    assert not answer.done()
    await office.rig.pass_time(5)
    assert (await answer).status_code == 200
    assert office.clock.monotonic() > begun_s
    assert (await mine.get("/api/v1/events")).status_code == 200  # used from here: no wait


async def test_whoever_guesses_a_secret_of_an_account_is_slowed_at_the_account(
    office: Office,
) -> None:
    key = (await office.key())["key"]
    guessing = office.program(key[:-43] + "A" * 43, peer="127.0.0.9")
    for _ in range(12):
        answer = asyncio.ensure_future(guessing.get("/api/v1/events"))
        await office.rig.pass_time(5)
        assert named(await answer) == (401, "unauthorized")
    assert office.services.logins.guard.pause_s("127.0.0.1", AZIENDA) > 0


async def test_a_use_is_noted_once_a_minute(office: Office) -> None:
    erp = await office.erp()
    noted = []
    for seconds in (0, 30, 31):
        await office.clock.advance(seconds)
        await erp.ask("events")
        noted.append((await office.do("apikey list"))[0]["used_at"])
    assert noted == [
        "2026-01-15T09:00:00.000Z", "2026-01-15T09:00:00.000Z", "2026-01-15T09:01:01.000Z",
    ]  # fmt: skip


async def test_no_cookie_is_set_and_no_other_site_may_read(office: Office) -> None:
    erp = await office.erp(write=True)
    id = await office.rig.submit("Prova")
    origin = {"Origin": "https://attacker.example"}
    for answer in (
        await erp.get("/api/v1/events", headers=origin),
        await erp.get("/api/v1/nonsense", headers=origin),
        await erp.get("/api/v1/openapi.json", headers=origin),
    ):
        names = {name for name in answer.headers if name.startswith(("access-control", "set-cook"))}
        assert not names
        assert answer.headers["Cache-Control"] == "no-store"
    answer = await erp.post(f"/api/v1/sends/{id}/cancel", json={}, headers=origin)
    assert named(answer) == (403, "foreign-origin")
    answer = await erp.get("/api/v1/events", headers={"Host": "attacker.example"})
    assert named(answer) == (421, "wrong-host")
    answer = await erp.options("/api/v1/events", headers=origin)  # as a browser asks before
    assert named(answer) == (403, "foreign-origin")
    assert (await erp.ask(f"sends/{id}"))["state"] == "queued"


# -- refusals --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "status", "allowed"),
    [
        ("GET", "/api", 404, None),
        ("GET", "/api/", 404, None),
        ("GET", "/api/v2/events", 404, None),
        ("GET", "/api/v1/events/", 404, None),
        ("GET", "/api/v1//events", 404, None),
        ("GET", "/api%2Fv1/events", 404, None),
        ("GET", "/api/v1/%0Aevents", 404, None),
        ("GET", "/api/%0D%0A", 404, None),
        ("GET", "/api/v1/sends/", 404, None),
        ("GET", "/api/v1/%FF", 400, None),
        ("GET", "/api/v1/sends/%ff%fe", 400, None),
        ("POST", "/api/v1/events", 405, "GET, HEAD"),
        ("DELETE", "/api/v1/sends/x", 405, "GET, HEAD"),
        ("GET", "/api/v1/sends/x/cancel", 405, "POST"),
        ("PATCH", "/api/v1/sends/x", 405, "GET, HEAD"),
        ("TRACE", "/api/v1/events", 405, "GET, HEAD"),
        ("OPTIONS", "/api/v1/sends/x/retry", 405, "POST"),
        ("NONSENSE", "/api/v1/nonsense", 404, None),
    ],
)
async def test_paths_and_methods_that_there_are_not(
    office: Office, method: str, path: str, status: int, allowed: str | None
) -> None:
    erp = await office.erp(write=True)
    erp.described = None  # most of these are in no description
    url = httpx.URL("http://127.0.0.1:1180").copy_with(raw_path=path.encode())
    answer = await erp.request(method, url)
    assert named(answer)[0] == status
    assert answer.headers.get("Allow") == allowed


async def test_head_is_get_without_its_body(office: Office) -> None:
    erp = await office.erp()
    erp.described = None
    assert (await erp.head("/api/v1/events")).status_code == 200
    assert (await erp.head("/api/v1/sends/x")).status_code == 404


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (RuntimeError("inside"), ProblemKind.FAILED),
        (StoreFailed("the disk is gone"), ProblemKind.STORE),
        (OperationFailed("The store failed", "store"), ProblemKind.STORE),
        (OperationFailed("The API did not answer.", "service"), ProblemKind.SERVICE),
    ],
)
async def test_what_goes_wrong_inside_is_said_and_not_shown(
    office: Office, fault: Exception, kind: ProblemKind
) -> None:
    erp = await office.erp(write=True)

    async def fail(*_given: object) -> object:
        raise fault

    office.services.perform = fail
    answer = await erp.decide("x/cancel")
    assert named(answer) == (kind.value.status, kind.value.name)
    assert "Traceback" not in answer.text
    assert "inside" not in answer.text


async def test_a_bridge_that_starts_says_so(office: Office) -> None:
    erp = await office.erp()
    office.services.perform = None
    answer = await erp.get("/api/v1/events")
    assert named(answer) == (503, "starting")
    assert answer.headers["Retry-After"] == "1"


async def test_a_store_that_cannot_note_a_use_answers_all_the_same(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    erp = await office.erp()

    async def full(*_given: object) -> object:
        raise StoreFailed("no space is left")

    monkeypatch.setattr(office.services.store, "write", full)
    assert await erp.ask("events")


async def test_answers_are_counted_by_what_became_of_them(office: Office) -> None:
    erp = await office.erp()
    for path in ("events", "events", "sends/x", "nonsense"):
        await erp.get(f"/api/v1/{path}")
    assert office.services.answered == {"ok": 2, "unknown-send": 1, "not-found": 1}


WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40) | st.sampled_from(
    ["", "0", "1", "-1", "null", "sends", "events", "cancel", "resolve", "x" * 5000]
)


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    segments=st.lists(WORDS, max_size=4),
    query=st.dictionaries(
        st.sampled_from(["after", "limit", "since", "state", "cursor", "until"]) | WORDS, WORDS
    ),
    body=st.binary(max_size=200)
    | st.dictionaries(st.sampled_from(["version", "action", "code", "force"]) | WORDS, WORDS).map(
        lambda one: json.dumps(one).encode()
    ),
    method=st.sampled_from(["GET", "POST", "PUT", "DELETE"]),
)
async def test_whatever_is_asked_is_answered_or_refused(
    office: Office, segments: list[str], query: dict[str, str], body: bytes, method: str
) -> None:
    if not office.programs:
        await office.erp(write=True)
    (erp,) = office.programs
    path = "/".join(quote(one, safe="") for one in segments)
    url = httpx.URL("http://127.0.0.1:1180", raw_path=f"/api/v1/{path}?{urlencode(query)}".encode())
    erp.described = None
    answer = await erp.request(
        method, url, content=body, headers={"Content-Type": "application/json"}
    )
    assert answer.status_code in (200, 400, 404, 405)
    assert answer.status_code == 200 or named(answer)
