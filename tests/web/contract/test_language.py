"""Whatever a request does wrong is said in the language of the settings."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from bridge.store.base import StoreFailed
from bridge.web.problem import ProblemKind
from tests.english import english_in, words
from tests.web.contract.conftest import AZIENDA, Office, Program


@dataclass(frozen=True, slots=True)
class Wrong:
    """A request that cannot be answered; ``query`` goes behind the path."""

    method: str
    path: str
    query: dict[str, str] = field(default_factory=dict)
    content: str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    key: bool = True


JSON = {"Content-Type": "application/json"}
WRONG = (
    Wrong("GET", "nowhere"),
    Wrong("GET", "sends/%ff"),
    Wrong("GET", "sends/x", key=False),
    Wrong("GET", "sends/x"),
    Wrong("PATCH", "sends"),
    Wrong("GET", "sends", {"limit": "0"}),
    Wrong("GET", "sends", {"limit": "100000"}),
    Wrong("GET", "sends", {"limit": "many"}),
    Wrong("GET", "sends", {"since": "yesterday"}),
    Wrong("GET", "sends", {"state": "nonsense"}),
    Wrong("GET", "sends", {"reference": ""}),
    Wrong("GET", "sends", {"nonsense": "1"}),
    Wrong("GET", "events", {"after": "99999"}),
    Wrong("GET", "events", {"wait": "soon"}),
    Wrong("POST", "sends/x/resolve", content="{", headers=JSON),
    Wrong("POST", "sends/x/resolve", content="[]", headers=JSON),
    Wrong("POST", "sends/x/resolve", content="{}", headers=JSON),
    Wrong("POST", "sends/x/resolve", content='{"action": "sent", "version": 1}', headers=JSON),
    Wrong("POST", "sends/x/resolve", content='{"action": 1, "version": true}', headers=JSON),
    Wrong(
        "POST",
        "sends/x/resolve",
        content='{"action": "drop", "force": true, "version": 1}',
        headers=JSON,
    ),
    Wrong("POST", "sends/x/retry", content="a", headers={"Content-Type": "text/plain"}),
    Wrong("POST", "sends/x/retry", content="a" * 70_000, headers=JSON),
    Wrong("POST", "sends/x/retry", headers={"Origin": "https://attacker.example"}),
    Wrong("GET", "sends", headers={"Host": "attacker.example"}),
)


async def said(program: Program, wrong: Wrong) -> str:
    answer = await program.request(
        wrong.method,
        f"/api/v1/{wrong.path}",
        params=wrong.query or None,
        content=wrong.content,
        headers=wrong.headers,
    )
    assert answer.status_code >= 400
    body = answer.json()
    faults = " ".join(one["what"] for one in body.get("errors", ()))
    return f"{body['title']} | {body['detail']} | {faults}"


@pytest.mark.parametrize("wrong", WRONG, ids=lambda one: f"{one.method} {one.path} {one.query}")
async def test_a_wrong_request_is_refused_in_italian(office: Office, wrong: Wrong) -> None:
    program = await office.erp(write=True) if wrong.key else office.program()
    office.speaks[0] = "it"
    refusal = await said(program, wrong)
    assert english_in(refusal) == set(), refusal
    office.speaks[0] = "en"
    assert await said(program, wrong) != refusal


async def test_a_key_that_may_not_decide_is_told_so_in_italian(office: Office) -> None:
    office.speaks[0] = "it"
    wrong = Wrong("POST", "sends/x/retry", content="{}", headers=JSON)
    refusal = await said(await office.erp(), wrong)
    assert english_in(refusal) == set(), refusal


async def test_what_fails_behind_it_is_told_in_italian(office: Office) -> None:
    async def fails(*_: object) -> None:
        raise StoreFailed("x")

    office.speaks[0] = "it"
    program = await office.erp()
    office.services.perform = fails
    answer = (await program.get("/api/v1/sends")).json()
    assert english_in(f"{answer['title']} {answer['detail']}") == set(), answer


def test_the_kinds_of_problems_are_sentences_of_the_catalogue() -> None:
    for kind in ProblemKind:
        assert kind.value.meaning.pattern, kind


def test_english_is_told_from_italian() -> None:
    assert {"mailboxes", "refused"} <= english_in("Mailboxes are refused")
    assert english_in("Una casella si rinnova da 1 a 10 anni.") == set()
    assert words("`pec-bridge token list` a/b --account [api] x@y") == set()
    assert AZIENDA.partition("@")[0] not in words(AZIENDA)
