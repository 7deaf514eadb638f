"""Every operation of the administration hosts through its command: done, refused, or lost.

``REFUSALS`` are the errors that the service's descriptions list, each with what its sentence must
tell to do next. Where ``happens`` is given, the simulated service comes to refuse by its own
rules; else the answer is ordered, and quotes the secrets that it was asked with.
"""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bridge.registration.whole import check
from bridge.simulator import AdminOperation, Failure, FixedAnswer, Phase
from bridge.simulator.purse import AdminPrices
from tests.cli.administered import FLAGS, Administered, administered
from tests.cli.conftest import Command, Done
from tests.described import MAILBOXES, TOKENS, description
from tests.operations.test_pdf import made
from tests.registration.test_whole import GOOD, TODAY

pytestmark = pytest.mark.slow

DO = AdminOperation
LEGALMAIL = {"casella_pec": "a@legalmail.it", "tipo_casella": "STANDARD"}
USER = ("--name", "Luca", "--surname", "Bianchi", "--description", "prima", "--email", "l@e.it")

COMMANDS: dict[AdminOperation, tuple[str, ...]] = {
    DO.DOMAIN: ("mailbox", "domain", "legalmail.it"),
    DO.CHECK: ("mailbox", "check", "libera@pecmassiva.com"),
    DO.LIST: ("mailbox", "list"),
    DO.REGISTER: ("mailbox", "register", *FLAGS, "--yes"),
    DO.SHOW: ("mailbox", "show", "ID"),
    DO.REVOKE: ("mailbox", "revoke", "ID"),
    DO.ACTIVATE: ("mailbox", "activate", "ID", "SIGNED", "--yes"),
    DO.SPACE: ("mailbox", "space", "ID", "--disk", "+1024", "--yes"),
    DO.CONVERT: ("mailbox", "convert", "ID", "GOLD", "--yes"),
    DO.RENEW: ("mailbox", "renew", "ID", "--yes"),
    DO.USER: ("mailbox", "users", "ID", *USER, "--yes"),
    DO.FORM: ("mailbox", "form", "ID", "-o", "FORM"),
    DO.TOKEN_CREATE: ("token", "create", "--yes"),
    DO.TOKEN_LIST: ("token", "list"),
    DO.TOKEN_SHOW: ("token", "show", "prova"),
    DO.TOKEN_UPDATE: ("token", "renew", "prova"),
    DO.TOKEN_DELETE: ("token", "revoke", "prova", "--yes"),
    DO.WALLET: ("wallet",),
    DO.TRANSACTIONS: ("wallet",),
}
ELSEWHERE = {DO.STATS, DO.SCOPES, DO.SUBSCRIPTIONS}
"""``usage`` shows the first (``test_usage``), ``running_out`` looks at the last, nothing asks for
the other."""

AFTER_A_LOSS = {
    DO.REGISTER: "`pec-bridge mailbox list` shows whether azienda@pecmassiva.com is there",
    DO.ACTIVATE: "says in_evasione if it was",
    DO.SPACE: "shows the space there is",
    DO.CONVERT: "shows of which kind it is",
    DO.RENEW: "shows when it expires (before: 20",
    DO.USER: "shows who is there",
    DO.REVOKE: "says revocata if it was",
    DO.TOKEN_CREATE: "`pec-bridge token list` shows it if it was",
    DO.TOKEN_UPDATE: "`pec-bridge token show` tells when it expires now",
    DO.TOKEN_DELETE: "`pec-bridge token list` does not show it any more if it was done",
}
"""Where the sentence sends a person when the answer to a change was lost."""

PAID = {DO.REGISTER, DO.SPACE, DO.CONVERT, DO.RENEW, DO.USER}


@dataclass(frozen=True, slots=True)
class World:
    """A service with a mailbox that can do everything, and a token called prova."""

    administered: Administered
    folder: Path
    id: str

    @property
    def admin(self) -> Any:
        return self.administered.admin

    @property
    def box(self) -> Any:
        return self.admin.registry.boxes[self.id]

    def move(self, state: str) -> None:
        self.admin.registry.move(self.id, state)

    def secrets(self, operation: AdminOperation) -> list[str]:
        """Return what a request for the operation holds and nobody may see."""
        if not operation.by_account:
            return [self.administered.simulator.token]
        pair = f"{self.admin.email}:{self.admin.api_key}"
        secrets = [self.admin.api_key, base64.b64encode(pair.encode()).decode()]
        if "{token}" in operation.value:
            secrets += list(self.admin.tokens.issued)
        return secrets

    async def run(self, words: tuple[str, ...], operation: AdminOperation) -> Done:
        """Run a command as a script would, and see to it that it shows no secret at all."""
        places = {"ID": self.id, "SIGNED": self.folder / "signed.pdf", "FORM": self.folder / "f"}
        said = [places.get(word, word) for word in words]
        typed = f"{self.box.address}\n" if operation is DO.REVOKE else ""
        run = self.administered.account if operation.by_account else self.administered.run
        done = await run(*said, typed=typed)
        for hidden in self.every_secret():
            assert hidden not in done.out + done.err
        assert "Traceback" not in done.err
        return done

    def every_secret(self) -> set[str]:
        issued = self.admin.tokens.issued.values()
        made = {text for one in issued for text in (one.token, one.refresh)}
        return {*self.secrets(DO.LIST), *self.secrets(DO.WALLET), *made}

    def count(self, operation: AdminOperation) -> int:
        return self.administered.calls().count(operation)


@pytest.fixture
async def world(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[World]:
    async with administered(command, tmp_path, monkeypatch) as found:
        admin = found.admin
        box = admin.registry.register(dict(check(GOOD | LEGALMAIL, TODAY).values))
        admin.registry.move(box.id, "evasa")
        admin.tokens.create({"name": "prova", "scopes": ["POST:ws.pecmassiva.com/send"]})
        admin.purse.charges.clear()
        (tmp_path / "signed.pdf").write_bytes(made(2))
        yield World(found, tmp_path, box.id)


@pytest.mark.parametrize("operation", COMMANDS, ids=lambda one: one.value)
async def test_each_operation_is_done_once(world: World, operation: AdminOperation) -> None:
    if operation is DO.ACTIVATE:
        world.move("registrata")
    done = await world.run(COMMANDS[operation], operation)
    assert done.code == 0, done.err
    assert done.out
    assert world.count(operation) == 1
    assert {call.status for call in world.admin.calls} <= {200, 204}
    assert len(world.admin.purse.charges) == (operation in PAID)


def test_each_operation_has_a_command() -> None:
    assert set(COMMANDS) | ELSEWHERE == set(AdminOperation)


# --- what the descriptions list ---------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Refusal:
    """One error: ``words`` begin or are in what the service says, ``step`` what we add."""

    operation: AdminOperation
    status: int
    number: int | None
    words: str
    step: str
    happens: Callable[[World], tuple[str, ...] | None] | None = None

    def __str__(self) -> str:
        return f"{self.operation.value} {self.status} {self.number}"


def at_nonsense(operation: AdminOperation) -> Callable[[World], tuple[str, ...]]:
    return lambda _: tuple("nonsense" if word == "ID" else word for word in COMMANDS[operation])


def at_nobody(operation: AdminOperation) -> Callable[[World], tuple[str, ...]]:
    return lambda _: tuple("f" * 24 if word == "ID" else word for word in COMMANDS[operation])


def without_credit(world: World) -> None:
    world.admin.registry.prices = AdminPrices(domain=0.1)
    world.admin.purse.credit_eur = 0.0


def in_state(state: str) -> Callable[[World], None]:
    return lambda world: world.move(state)


def forbid(world: World) -> None:
    world.admin.tokens.forbidden.add("POST:127.0.0.1/send")


def grow(world: World) -> tuple[str, ...]:
    world.box.given["tipo_casella"] = "GOLD"
    return ("mailbox", "convert", "ID", "SILVER", "--yes")


TOP_UP = "Top up the wallet in the service's console, then do this again."
IDS = "`pec-bridge mailbox list` shows the ids there are."
STATE = "`pec-bridge mailbox show ID` says in which state it is."
NAMES = "`pec-bridge token list` shows the tokens there are."
A_FAULT = "This is a fault of the bridge: please report it."
OWNER = "The e-mail and API key must be those of the account that owns the token."
ENABLE = "Enable the API that it is for in the service's console, then do this again."
POOR = "Insufficient Credit in Wallet"
NO_PEC = "no pec found"

REFUSALS = (
    Refusal(DO.DOMAIN, 402, 403, POOR, TOP_UP, without_credit),
    Refusal(
        DO.DOMAIN,
        406,
        401,
        "domain not valid",
        "A domain is wanted, such as legalmail.it.",
        lambda _: ("mailbox", "domain", "legalmail"),
    ),
    Refusal(DO.DOMAIN, 428, 400, "domain required", "Name the domain to look up."),
    Refusal(DO.DOMAIN, 503, 402, "service temporarily unavailable", "try again in a few minutes."),
    Refusal(
        DO.CHECK,
        406,
        208,
        "invalid casella_pec",
        "An address at one of the service's domains is wanted, such as azienda@pecmassiva.com.",
        lambda _: ("mailbox", "check", "azienda@example.it"),
    ),
    Refusal(DO.CHECK, 428, 207, "casella_pec required", "Name the address to look up."),
    Refusal(DO.REGISTER, 402, 262, POOR, TOP_UP, without_credit),
    Refusal(
        DO.REGISTER,
        404,
        326,
        "is non-existent in the system or belongs to someone else",
        "Choose the service's own domain for this kind, or register your domain first.",
        lambda _: (*COMMANDS[DO.REGISTER], "--casella-pec", "azienda@example.it"),
    ),
    Refusal(
        DO.REGISTER,
        406,
        242,
        "data_nascita_richiedente not valid, accepted format: dd/mm/yyyy",
        "Correct it (dates are dd/mm/yyyy), then register again.",
    ),
    Refusal(
        DO.REGISTER,
        428,
        224,
        "tipo_casella required",
        "Give it (the kind is --tipo-casella), then register again.",
    ),
    Refusal(DO.SHOW, 400, 201, "Wrong id", IDS, at_nonsense(DO.SHOW)),
    Refusal(DO.SHOW, 404, 202, NO_PEC, IDS, at_nobody(DO.SHOW)),
    Refusal(DO.REVOKE, 400, 301, "Wrong id", IDS),
    Refusal(DO.REVOKE, 404, 302, NO_PEC, IDS),
    Refusal(
        DO.REVOKE,
        406,
        303,
        "your pec has already been revoked",
        "There is nothing left to do: the mailbox is revoked.",
        in_state("revocata"),
    ),
    Refusal(
        DO.REVOKE,
        428,
        304,
        "you can revoke the pec only if it is active",
        f"Only an active mailbox can be revoked. {STATE}",
        in_state("registrata"),
    ),
    Refusal(DO.ACTIVATE, 400, 265, "Wrong id", IDS),
    Refusal(DO.ACTIVATE, 404, 266, NO_PEC, IDS),
    Refusal(
        DO.ACTIVATE,
        406,
        296,
        "wrong file format, pdf required",
        "Upload one PDF: `--join` makes it out of several.",
    ),
    Refusal(
        DO.ACTIVATE,
        428,
        267,
        "you can activate the pec only when it is in the 'registrata|documenti_errati' state",
        f"Only a registered mailbox, or one whose documents were wrong, can be activated. {STATE}",
        in_state("in_evasione"),
    ),
    Refusal(DO.SPACE, 400, 265, "Wrong id", IDS),
    Refusal(DO.SPACE, 402, 290, POOR, TOP_UP, without_credit),
    Refusal(DO.SPACE, 404, 266, NO_PEC, IDS),
    Refusal(
        DO.SPACE,
        406,
        325,
        "the system only takes into account multiples of 1024",
        "Give space in multiples of 1024, preservation in multiples of 512.",
    ),
    Refusal(
        DO.SPACE,
        428,
        282,
        "you must first activate the 'conservazione' service",
        "Legal preservation (conservazione) must be activated first, in the service's console.",
        lambda _: ("mailbox", "space", "ID", "--archive", "512", "--yes"),
    ),
    Refusal(DO.CONVERT, 400, 265, "Wrong id", IDS),
    Refusal(DO.CONVERT, 402, 279, POOR, TOP_UP, without_credit),
    Refusal(DO.CONVERT, 404, 266, NO_PEC, IDS),
    Refusal(
        DO.CONVERT,
        406,
        276,
        "a downgrade of the 'tipo_casella' is not allowed",
        "Only a larger kind can be chosen.",
        grow,
    ),
    Refusal(
        DO.CONVERT,
        428,
        272,
        "you can trasform your certified mail only if it has been processed",
        f"Only an active mailbox can be converted. {STATE}",
        in_state("registrata"),
    ),
    Refusal(DO.RENEW, 400, 201, "Wrong id", IDS),
    Refusal(DO.RENEW, 404, 202, NO_PEC, IDS),
    Refusal(
        DO.RENEW,
        428,
        203,
        "you can renew only evaded or revoked pec",
        f"Only an active or a revoked mailbox can be renewed. {STATE}",
        in_state("registrata"),
    ),
    Refusal(DO.USER, 400, 212, "Wrong id", IDS),
    Refusal(DO.USER, 402, 220, POOR, TOP_UP, without_credit),
    Refusal(DO.USER, 404, 213, NO_PEC, IDS),
    Refusal(
        DO.USER,
        406,
        217,
        "maximum number of users reached: 25",
        "Take a user away in the service's console first.",
        lambda world: world.box.users.extend({"nome": "Luca"} for _ in range(25)),
    ),
    Refusal(
        DO.USER,
        428,
        390,
        "this service cannot be activated on these boxes: DOMICILIODIGITALE|PECMASSIVA",
        "This kind of mailbox has one user only.",
    ),
    Refusal(DO.FORM, 400, None, "Invalid id", IDS, at_nonsense(DO.FORM)),
    Refusal(DO.FORM, 404, None, "no request matches this id:", IDS, at_nobody(DO.FORM)),
    Refusal(
        DO.FORM,
        406,
        None,
        "you cannot activate conservation if you do not first activate a pec",
        STATE,
    ),
    Refusal(DO.TOKEN_CREATE, 422, 70, "missing scopes array", A_FAULT),
    Refusal(DO.TOKEN_CREATE, 422, 80, "invalid scopes format", A_FAULT),
    Refusal(
        DO.TOKEN_CREATE, 422, 90, "Invalid scopes specified or API not enabled", ENABLE, forbid
    ),
    Refusal(DO.TOKEN_LIST, 422, 60, "Invalid Token Format", NAMES),
    Refusal(DO.TOKEN_SHOW, 404, 120, "Not Found", NAMES),
    Refusal(DO.TOKEN_SHOW, 422, 60, "Invalid Token Format", NAMES),
    Refusal(DO.TOKEN_UPDATE, 400, 150, "Token ID is required", "Name the token."),
    Refusal(DO.TOKEN_UPDATE, 401, 130, "Unauthorized", OWNER),
    Refusal(DO.TOKEN_UPDATE, 401, 140, "Unauthorized", OWNER),
    Refusal(DO.TOKEN_UPDATE, 404, 160, "Not Found", NAMES),
    Refusal(DO.TOKEN_UPDATE, 422, 100, "invalid scopes format", A_FAULT),
    Refusal(DO.TOKEN_UPDATE, 422, 110, "Invalid scopes specified or API not enabled", ENABLE),
    Refusal(DO.TOKEN_DELETE, 400, 170, "Token ID is required", "Name the token."),
    Refusal(DO.TOKEN_DELETE, 404, 180, "Not Found", NAMES),
)

MEANS_NONE = (
    Refusal(DO.LIST, 404, 200, "no pec linked to this account", "No mailbox was registered"),
    Refusal(DO.TOKEN_LIST, 404, 120, "Not Found", "This account has no tokens."),
)
"""No errors but empty lists, and a sentence."""


def order(world: World, refusal: Refusal) -> None:
    """Let the service give the answer, with the secrets of the request in its words."""
    operation = refusal.operation
    said = " ".join([refusal.words, *world.secrets(operation)])
    if refusal.number is None:
        world.admin.faults.plainly(operation, refusal.status, said)
    else:
        world.admin.faults.refuse(operation, refusal.status, said, refusal.number)


@pytest.mark.parametrize("refusal", REFUSALS, ids=str)
async def test_each_refusal_is_told_with_the_next_step(world: World, refusal: Refusal) -> None:
    words: tuple[str, ...] | None = None
    if refusal.happens is None:
        order(world, refusal)
    else:
        words = refusal.happens(world)
    done = await world.run(words or COMMANDS[refusal.operation], refusal.operation)
    assert (done.code, done.out) == (1, "")
    sentence = done.err.splitlines()[-1]
    numbered = "" if refusal.number is None else f", error {refusal.number}"
    assert refusal.words in sentence
    assert f"(HTTP {refusal.status}{numbered}). " in sentence
    assert refusal.step in sentence
    assert world.count(refusal.operation) == 1, "is not repeated"
    assert world.admin.purse.charges == []


@pytest.mark.parametrize("none", MEANS_NONE, ids=str)
async def test_what_means_none_is_an_empty_list(world: World, none: Refusal) -> None:
    order(world, none)
    done = await world.run(COMMANDS[none.operation], none.operation)
    assert (done.code, none.step in done.out) == (0, True)


@pytest.mark.parametrize("operation", [one.operation for one in MEANS_NONE], ids=str)
async def test_a_page_that_is_not_there_is_no_empty_list(
    world: World, operation: AdminOperation
) -> None:
    world.admin.faults.plainly(operation, 404, "Not Found")
    done = await world.run(COMMANDS[operation], operation)
    assert (done.code, done.out) == (1, "")
    assert "Not Found (HTTP 404)" in done.err


def listed(paths: Mapping[str, Any], operation: AdminOperation) -> set[tuple[int, int | None]]:
    """Return the errors of an operation in a description, by status and number."""
    method, _, path = operation.value.partition(" ")
    found = set()
    for status, answer in paths[path][method.lower()]["responses"].items():
        for media in (answer.get("content") or {}).values() if int(status) >= 400 else ():
            examples = [one["value"] for one in media.get("examples", {}).values()]
            for example in examples or [media.get("example") or media["schema"]["example"]]:
                number = example["error"] if isinstance(example, dict) else None
                found.add((int(status), number))
    return found


@pytest.mark.parametrize("name", [MAILBOXES, TOKENS])
def test_the_tables_have_every_error_of_the_description(name: str) -> None:
    paths = description(name)["paths"]
    for operation in COMMANDS:
        if operation.by_account == (name == TOKENS):
            ours = {
                (one.status, one.number)
                for one in (*REFUSALS, *MEANS_NONE)
                if one.operation is operation
            }
            assert ours == listed(paths, operation), operation


# --- what any host may answer -----------------------------------------------------------------


@pytest.mark.parametrize("operation", COMMANDS, ids=lambda one: one.value)
@pytest.mark.parametrize("status", [401, 403, 429])
async def test_who_is_not_let_in_is_told_why(
    world: World, operation: AdminOperation, status: int
) -> None:
    world.admin.faults.refuse(operation, status, "no", status)
    done = await world.run(COMMANDS[operation], operation)
    assert (done.code, done.out) == (1, "")
    key = "The e-mail or the API key is wrong"
    if operation is DO.REVOKE and status == 403:
        assert "--may-revoke" in done.err
    step = key if operation.by_account else "`pec-bridge token create --admin` makes one"
    sentence = done.err.splitlines()[-1]
    assert ("Wait a minute" if status == 429 else step) in sentence
    assert world.count(operation) == 1


@pytest.mark.parametrize("status", [400, 406, 409, 422, 428])
async def test_a_refusal_that_nobody_has_listed_has_a_next_step(world: World, status: int) -> None:
    world.admin.faults.refuse(DO.REGISTER, status, "campo not valid", 999)
    done = await world.run(COMMANDS[DO.REGISTER], DO.REGISTER)
    assert (done.code, done.out) == (1, "")
    sentence = done.err.splitlines()[-1]
    assert f"campo not valid (HTTP {status}, error 999). " in sentence
    unknown = "Register it again only if it is not there"  # a 409 may come from who gave up
    assert (unknown if status == 409 else "Correct what these words name") in sentence


@pytest.mark.parametrize("operation", COMMANDS, ids=lambda one: one.value)
async def test_a_host_that_is_down_is_one_sentence(world: World, operation: AdminOperation) -> None:
    config = world.administered.config
    lines = config.read_text().splitlines()
    for name in ("admin_url", "oauth_url"):
        lines = [f'{name} = "http://127.0.0.1:9"' if name in line else line for line in lines]
    config.write_text("\n".join(lines))
    done = await world.run(COMMANDS[operation], operation)
    assert (done.code, done.out) == (1, "")
    sentence = done.err.splitlines()[-1]
    assert "could not be reached" in sentence
    assert "Check the network and the address http://127.0.0.1:9, then" in sentence
    assert world.admin.calls == []


LOST: dict[str, Failure | FixedAnswer] = {
    "reset": Failure.RESET,
    "truncated": Failure.TRUNCATED,
    "failed": FixedAnswer(500, {"success": False, "message": "oops", "error": 402}),
    "gateway": FixedAnswer(504, b"<html>"),
    "gave up": FixedAnswer(408, b""),
    "nonsense": FixedAnswer(200, b"<html>"),
}


@pytest.mark.parametrize("operation", AFTER_A_LOSS, ids=lambda one: one.value)
@pytest.mark.parametrize("lost", LOST.values(), ids=LOST)
async def test_a_change_whose_answer_is_lost_is_not_repeated_and_says_where_to_look(
    world: World, operation: AdminOperation, lost: Failure | FixedAnswer
) -> None:
    if operation is DO.ACTIVATE:
        world.move("registrata")
    world.admin.faults.fail(operation, Phase.AFTER, lost)
    done = await world.run(COMMANDS[operation], operation)
    assert (done.code, done.out) == (1, "")
    sentence = done.err.splitlines()[-1]
    assert AFTER_A_LOSS[operation] in sentence
    assert "ry again in" not in sentence
    assert world.count(operation) == 1
    assert len(world.admin.purse.charges) == (operation in PAID)


@pytest.mark.parametrize(
    "operation", [one for one in COMMANDS if one not in AFTER_A_LOSS], ids=lambda one: one.value
)
@pytest.mark.parametrize("lost", ["reset", "failed", "nonsense"])
async def test_a_look_whose_answer_is_lost_may_be_taken_again(
    world: World, operation: AdminOperation, lost: str
) -> None:
    world.admin.faults.fail(operation, Phase.AFTER, LOST[lost])
    done = await world.run(COMMANDS[operation], operation)
    assert (done.code, done.out) == (1, "")
    assert "ry again " in done.err.splitlines()[-1]
    assert world.count(operation) == 1


async def test_words_that_are_cut_hold_no_half_of_a_secret(world: World) -> None:
    (token,) = world.secrets(DO.LIST)
    for before in ("x" * 190, "x" * 290, "no" + " " * 990, "no" + " " * 995):
        world.admin.faults.plainly(DO.LIST, 400, f"{before} {token}{' y' * 200}")
        done = await world.run(COMMANDS[DO.LIST], DO.LIST)
        assert (done.code, token[:6] in done.err) == (1, False)
