"""Every request of the two administration hosts, and every answer of the simulator, conforms."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from random import Random

import httpx
import pytest
from openapi_core.exceptions import OpenAPIError

from bridge.api.connection import ApiConnection, Basic
from bridge.api.errors import ApiError
from bridge.api.mailbox_schema import NewUser, Space
from bridge.api.mailboxes import MailboxClient
from bridge.api.token_schema import NewToken
from bridge.api.tokens import TokenClient
from bridge.registration.fields import BY_NAME, FIELDS, FormField
from bridge.registration.whole import check
from bridge.simulator import SEQUENCE_READING, AdminOperation, Simulator
from tests.described import MAILBOXES, TOKENS, Judged, description
from tests.fakes import FakeClock
from tests.registration.test_whole import DOCUMENT, GOOD, TODAY

CALLBACK = {"callback_url": "https://www.example.it/pec", "callback_data": {"order": "42"}}
MORE = {
    **DOCUMENT,
    **CALLBACK,
    "sottotipo_cliente": "X",
    "sottotipo_cliente_altro": "apicoltura",
    "autorinnovo": True,
    "cellulare": "3331234567",
    "comune_nascita_richiedente": "Roma",
    "callback_method": "JSON",
    "callback_field": "data",
}
VALUES = check(GOOD | DOCUMENT | CALLBACK, TODAY).values
BOX = "a@legalmail.it"
PDF = b"%PDF-1.4 form and document"


class World:
    """Both clients against the simulator, with the description in between."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.simulator = Simulator(SEQUENCE_READING, clock, Random(1))
        self.admin = self.simulator.administration
        inner = httpx.ASGITransport(app=self.simulator.app)
        self.mailboxes = MailboxClient(
            ApiConnection(
                "https://pec.openapi.it",
                self.simulator.token,
                clock=clock,
                transport=Judged(inner, MAILBOXES),
            ),
            clock,
        )
        self.tokens = TokenClient(
            ApiConnection(
                "https://oauth.openapi.com",
                Basic(self.admin.email, self.admin.api_key),
                clock=clock,
                transport=Judged(inner, TOKENS),
            ),
            clock,
        )


@pytest.fixture
def world(clock: FakeClock) -> World:
    return World(clock)


async def test_a_mailbox_from_its_registration_to_its_end(world: World) -> None:
    client = world.mailboxes
    assert await client.mailboxes() == ()
    assert await client.is_free("azienda@pecmassiva.com")
    made = await client.register(VALUES)
    assert not await client.is_free("azienda@pecmassiva.com")
    assert (await client.form(made.id)).startswith(b"%PDF-")
    assert (await client.activate(made.id, (PDF,))).state_text == "in_evasione"
    await world.clock.advance(world.admin.registry.processing_s)
    active = await client.mailbox(made.id)
    assert (active.state_text, active.callback_url) == ("evasa", CALLBACK["callback_url"])
    renewed = await client.renew(made.id, 2)
    assert active.expires_on is not None
    assert renewed.expires_on is not None
    assert (renewed.expires_on - active.expires_on).days == 2 * 365
    (listed,) = await client.mailboxes()
    assert (listed.id, listed.expires_on) == (made.id, renewed.expires_on)
    assert (await client.revoke(made.id)).state_text == "revocata"


async def test_a_mailbox_that_can_grow(world: World) -> None:
    client = world.mailboxes
    kind = {"casella_pec": "a@testcert.legalmail.it", "tipo_casella": "STANDARD"}
    made = await client.register(check(GOOD | kind, TODAY, sandbox=True).values)
    world.admin.registry.move(made.id, "evasa")
    assert (await client.add_space(made.id, Space(disk="2048", history="+1024"))).disk_space == 2048
    assert (await client.convert(made.id, "GOLD")).kind == "GOLD"
    user = NewUser("Luca", "Bianchi", "prima utenza", "l@example.it")
    (added,) = (await client.add_user(made.id, user)).users
    assert (added.name, added.email) == ("Luca", "l@example.it")
    world.admin.registry.boxes[made.id].spaces["spazio_conservazione"] = 512
    larger = await client.add_space(made.id, Space(archive="+512"))
    assert larger.archive_space == 1024


async def test_a_registration_may_have_every_field_there_is(world: World) -> None:
    values = check(GOOD | MORE, TODAY)
    assert values.faults == ()
    assert set(values.values) == set(BY_NAME)
    made = await world.mailboxes.register(values.values)
    form = (PDF, PDF)  # as other kinds of mailboxes want it
    kind = {"casella_pec": BOX, "tipo_casella": "STANDARD"}
    other = await world.mailboxes.register(check(GOOD | kind, TODAY).values)
    assert len((await world.mailboxes.activate(other.id, form)).documents) == 2
    assert made.callback_url == MORE["callback_url"]


@pytest.mark.parametrize(
    "field", [one for one in FIELDS if one.choices], ids=lambda one: str(one.name)
)
async def test_every_choice_of_a_field_is_one_of_the_description(
    world: World, field: FormField
) -> None:
    """The judge refuses the request of one that is not."""
    for choice in field.choices:
        world.admin.registry.boxes.clear()
        world.admin.purse.credit_eur = 500.0
        await world.mailboxes.register({**VALUES, "casella_pec": BOX, field.name: choice})


PRESERVATION = {"PATCH /pec/{id}/conservazione", "GET /pec/{id}/modulo_conservazione"}
NO_COMMAND = {
    MAILBOXES: {
        *PRESERVATION,
        "GET /comunica_pec",
        "POST /comunica_pec",
        "GET /comunica_pec/{id}",
        "PATCH /comunica_pec/{id}",
        "GET /comunica_pec/{id}/procura_registro_imprese",
    },
    TOKENS: {
        "GET /callbacks",
        "GET /callbacks/{id}",
        "GET /errors",
        "GET /scopes",
        "GET /scopes/{id}",
        "GET /stats",
        "GET /stats/apis",
        "GET /stats/ips",
        "GET /subscriptions/{id}",
    },
}
"""What is done in the service's console: legal preservation, telling the register of companies."""


@pytest.mark.parametrize("name", NO_COMMAND)
def test_every_operation_of_the_description_is_called_here_or_left_out_by_name(name: str) -> None:
    described = {
        f"{method.upper()} {path}"
        for path, methods in description(name)["paths"].items()
        for method in methods
    }
    ours = {one.value for one in CALLS if one.by_account == (name == TOKENS)}
    assert ours | NO_COMMAND[name] == described
    assert not ours & NO_COMMAND[name]


async def test_domains(world: World) -> None:
    assert await world.mailboxes.is_certified("legalmail.it")
    assert not await world.mailboxes.is_certified("example.it")


async def test_tokens_and_the_wallet(world: World) -> None:
    client = world.tokens
    scopes = ("POST:ws.pecmassiva.com/send", "GET:ws.pecmassiva.com/inbox")
    made = await client.create(NewToken("prova", scopes, 86_400))
    assert (made.name, made.scopes) == ("prova", scopes)
    assert made.secret not in repr(made)
    assert await client.tokens() == (await client.token(made.secret),)
    longer = await client.extend(made.secret, 2 * 86_400)
    assert longer.expires_at == datetime(2026, 1, 17, 9, tzinfo=UTC)
    await client.revoke(made.secret)
    assert await client.tokens() == ()
    world.admin.purse.top_up(25.5)
    assert (await client.wallet()).credit_eur == 525.5
    (movement,) = await client.transactions(10)
    assert movement.amount_eur == 25.5
    usage = await client.usage("ws.pecmassiva.com", "2026-01")
    assert (usage.whole.total, set(usage.scopes)) == (0, {"POST:ws.pecmassiva.com/send"})


CALLS: dict[AdminOperation, Callable[[World], Awaitable[object]]] = {
    AdminOperation.DOMAIN: lambda world: world.mailboxes.is_certified("legalmail.it"),
    AdminOperation.CHECK: lambda world: world.mailboxes.is_free("a@pecmassiva.com"),
    AdminOperation.LIST: lambda world: world.mailboxes.mailboxes(),
    AdminOperation.REGISTER: lambda world: world.mailboxes.register(VALUES),
    AdminOperation.SHOW: lambda world: world.mailboxes.mailbox("x"),
    AdminOperation.REVOKE: lambda world: world.mailboxes.revoke("x"),
    AdminOperation.ACTIVATE: lambda world: world.mailboxes.activate("x", (PDF,)),
    AdminOperation.SPACE: lambda world: world.mailboxes.add_space("x", Space(disk="+1024")),
    AdminOperation.CONVERT: lambda world: world.mailboxes.convert("x", "GOLD"),
    AdminOperation.RENEW: lambda world: world.mailboxes.renew("x", 1),
    AdminOperation.USER: lambda world: world.mailboxes.add_user("x", NewUser("a", "b", "c", "d")),
    AdminOperation.FORM: lambda world: world.mailboxes.form("x"),
    AdminOperation.TOKEN_CREATE: lambda world: world.tokens.create(NewToken("", ("a",), 1)),
    AdminOperation.TOKEN_LIST: lambda world: world.tokens.tokens(),
    AdminOperation.TOKEN_SHOW: lambda world: world.tokens.token("x"),
    AdminOperation.TOKEN_UPDATE: lambda world: world.tokens.extend("x", 1),
    AdminOperation.TOKEN_DELETE: lambda world: world.tokens.revoke("x"),
    AdminOperation.WALLET: lambda world: world.tokens.wallet(),
    AdminOperation.TRANSACTIONS: lambda world: world.tokens.transactions(5),
    AdminOperation.SUBSCRIPTIONS: lambda world: world.tokens.subscriptions(),
    AdminOperation.STATS: lambda world: world.tokens.usage("ws.pecmassiva.com", "2026"),
}
MEANS_NONE = {
    (AdminOperation.LIST, 404),
    (AdminOperation.TOKEN_LIST, 404),
    (AdminOperation.SUBSCRIPTIONS, 404),
}
"""Not errors but empty lists."""


def errors_of(paths: dict[str, dict[str, dict[str, object]]], operation: AdminOperation) -> object:
    """Give each error that a description has for an operation: status, words, number."""
    method, _, path = operation.value.partition(" ")
    for status, answer in dict(paths[path][method.lower()])["responses"].items():  # type: ignore[attr-defined]
        for media in (answer.get("content") or {}).values():
            single = [media["example"]] if "example" in media else []
            several = [one["value"] for one in media.get("examples", {}).values()]
            for example in single + several if int(status) >= 400 else []:
                yield int(status), example
            if int(status) >= 400 and not single + several:
                yield int(status), media["schema"]["example"]


@pytest.mark.parametrize("operation", CALLS, ids=lambda one: one.value)
async def test_each_error_of_the_description_reaches_the_user(
    world: World, operation: AdminOperation
) -> None:
    paths = description(TOKENS if operation.by_account else MAILBOXES)["paths"]
    for status, example in errors_of(paths, operation):  # type: ignore[attr-defined]
        world.admin.calls.clear()
        if isinstance(example, str):
            world.admin.faults.plainly(operation, status, example)
            said, number = example, None
        else:
            said, number = example["message"], example["error"]
            world.admin.faults.refuse(operation, status, said, number)
        if (operation, status) in MEANS_NONE and number in (200, 120, 220):
            assert await CALLS[operation](world) == ()
            continue
        with pytest.raises(ApiError) as failed:
            await CALLS[operation](world)
        reason = failed.value.reason
        assert said.rstrip(":") in reason, reason
        assert failed.value.status == status
        if number is not None:
            assert f"error {number}" in reason
            assert reason.rstrip(".").count(". ") + reason.count("). ") >= 1, "has a next step"
        assert len(world.admin.calls) == 1, "is not repeated"


async def test_the_judge_notices_what_does_not_conform(clock: FakeClock) -> None:
    async def app(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"data": {"available": "perhaps"}, "success": True})

    judged = Judged(httpx.MockTransport(app), MAILBOXES)
    async with httpx.AsyncClient(transport=judged, base_url="https://pec.openapi.it") as client:
        headers = {"Authorization": "Bearer x"}
        with pytest.raises(OpenAPIError):
            await client.post("/pec", headers=headers, json={"casella_pec": "a@b.it"})
        with pytest.raises(OpenAPIError):
            await client.get("/verifica_pec/a@b.it", headers=headers)
        with pytest.raises(OpenAPIError):
            await client.get("/verifica_pec/a@b.it")
