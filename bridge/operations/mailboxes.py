"""``mailbox``: addresses looked up; mailboxes registered, activated, renewed and ended.

What costs money or cannot be undone is two operations: ``mailbox prepare`` checks everything that
can be checked here and returns the question to ask, and the operation itself, which does it once.
When its answer is lost the outcome is unknown, and the sentence says where to look.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Awaitable, Mapping
from pathlib import PurePath
from typing import Any, TypeVar

from bridge.api.errors import ApiError, NotSent, OutcomeUnknown
from bridge.api.mailbox_schema import HostedMailbox, MailboxState
from bridge.api.mailboxes import MailboxClient
from bridge.clock import ROME, Clock
from bridge.config import Prices
from bridge.language import listed, say
from bridge.operations.accounts import Methods
from bridge.operations.control import OperationFailed, Progress
from bridge.operations.cost import cost_of_years, unpriced
from bridge.operations.mailbox_arguments import (
    kind_of,
    one_pdf,
    read_argument,
    space_in_words,
    space_of,
    user_of,
    years_of,
)
from bridge.operations.mailbox_words import MEANINGS, account_lines, facts, whole_facts
from bridge.operations.pdf import PdfFault, inspect
from bridge.registration import choices, values
from bridge.registration.whole import Checked, check

T = TypeVar("T")

WATCH_FIRST_S = 60.0
WATCH_LONGEST_S = 1800.0
WATCH_GROWTH = 1.5


class MailboxOperations:
    """See the module.

    Args:
        client: the mailbox host.
        clock: for ages, and between two looks.
        prices: what a year costs.
        sandbox: whether the host is the service's sandbox.
        known: addresses that are configured already, in small letters.
        secrets_folder: where the passwords of mailboxes are kept.
    """

    def __init__(
        self,
        client: MailboxClient,
        clock: Clock,
        prices: Prices,
        *,
        sandbox: bool,
        known: frozenset[str],
        secrets_folder: PurePath,
    ) -> None:
        self._client = client
        self._clock = clock
        self._prices = prices
        self._sandbox = sandbox
        self._known = known
        self._folder = secrets_folder

    def methods(self) -> Methods:
        """Return the operations by name."""
        return {
            "mailbox check": self._check,
            "mailbox domain": self._domain,
            "mailbox list": self._list,
            "mailbox show": self._show,
            "mailbox form": self._form,
            "mailbox prepare": self._prepare,
            "mailbox register": self._register,
            "mailbox activate": self._activate,
            "mailbox renew": self._renew,
            "mailbox space": self._space,
            "mailbox convert": self._convert,
            "mailbox add user": self._add_user,
            "mailbox revoke": self._revoke,
        }

    async def _check(self, arguments: Mapping[str, Any], _progress: Progress) -> Any:
        found = []
        for address in arguments["addresses"]:
            box = read_argument(say("the address"), values.box, address)
            found.append({"address": box, "free": await self._client.is_free(box)})
        return found

    async def _domain(self, arguments: Mapping[str, Any], _progress: Progress) -> Any:
        domain = str(arguments["domain"]).strip().rpartition("@")[2].lower()
        return {"domain": domain, "certified": await self._client.is_certified(domain)}

    async def _list(self, _arguments: Mapping[str, Any], _progress: Progress) -> Any:
        return [facts(mailbox) for mailbox in await self._client.mailboxes()]

    async def _show(self, arguments: Mapping[str, Any], _progress: Progress) -> Any:
        return self._whole(await self._client.mailbox(str(arguments["id"])))

    def _whole(self, mailbox: HostedMailbox) -> dict[str, Any]:
        """Return all facts, with the lines for the configuration that does not have it yet."""
        is_new = mailbox.address.casefold() not in self._known
        is_wanted = mailbox.state is MailboxState.ACTIVE and is_new
        lines = account_lines(mailbox.address, self._folder) if is_wanted else None
        return {**whole_facts(mailbox), "configuration": lines}

    async def _form(self, arguments: Mapping[str, Any], _progress: Progress) -> Any:
        content = await self._client.form(str(arguments["id"]))
        try:
            pdf = await asyncio.to_thread(inspect, content)
        except PdfFault as fault:
            raise OperationFailed(
                say("What the service sent {fault}; nothing was saved.", fault=fault)
            ) from None
        return {"pages": pdf.pages, "pdf": base64.b64encode(content).decode()}

    # --- what is asked before it is done ---------------------------------------------------

    async def _prepare(self, arguments: Mapping[str, Any], _progress: Progress) -> Any:
        """Check an operation named ``do`` and return the question to ask, its cost, doubts."""
        does = {
            "register": self._ask_register,
            "activate": self._ask_activate,
            "renew": self._ask_renew,
            "space": self._ask_paid,
            "convert": self._ask_paid,
            "add user": self._ask_paid,
            "revoke": self._ask_revoke,
        }
        return await does[str(arguments["do"])](arguments)

    async def _ask_register(self, arguments: Mapping[str, Any]) -> Any:
        checked = self._checked(arguments)
        kind, box = str(checked.values["tipo_casella"]), checked.values["casella_pec"]
        renews = say("It renews itself each year, at the price of that day, from the wallet.")
        return {
            "question": say("Register {box} ({kind}) for a year?", box=box, kind=kind),
            "cost": cost_of_years(self._prices, kind),
            "doubts": [doubt.said for doubt in checked.doubts],
            "values": dict(checked.values),
            "note": renews if checked.values["autorinnovo"] else None,
        }

    def _checked(self, arguments: Mapping[str, Any]) -> Checked:
        """Check a registration; nothing was sent.

        Raises:
            OperationFailed: with every fault, one a line.
        """
        today = self._clock.now().astimezone(ROME).date()
        checked = check(arguments["values"], today, sandbox=self._sandbox)
        if checked.faults:
            lines = listed("\n", (listed("", ("  ", fault.said)) for fault in checked.faults))
            raise OperationFailed(
                say("Nothing was sent; the registration has faults:\n{lines}", lines=lines)
            )
        return checked

    async def _ask_activate(self, arguments: Mapping[str, Any]) -> Any:
        pdfs = [base64.b64decode(one) for one in arguments["pdfs"]]
        names = [str(name) for name in arguments["names"]]
        content, pages = await asyncio.to_thread(one_pdf, pdfs, names)
        mailbox = await self._client.mailbox(str(arguments["id"]))
        doubts = []
        if pages == 1:
            doubts = [say("It is a single page: is the identity document in it, too?")]
        return {
            "question": say(
                "Hand in this PDF (pages: {pages}) for {address}?",
                pages=pages,
                address=mailbox.address,
            ),
            "cost": None,
            "doubts": doubts,
            "pdf": base64.b64encode(content).decode(),
        }

    async def _ask_renew(self, arguments: Mapping[str, Any]) -> Any:
        years = years_of(arguments)
        mailbox = await self._client.mailbox(str(arguments["id"]))
        until = mailbox.expires_on.isoformat() if mailbox.expires_on else say("unknown")
        spoken = say("1 year") if years == 1 else say("{years} years", years=years)
        doubts = []
        if mailbox.renews_itself:
            doubts = [say("It renews itself (autorinnovo): this would be one more year.")]
        return {
            "question": say(
                "Renew {address} (expires on: {until}) for {spoken}?",
                address=mailbox.address,
                until=until,
                spoken=spoken,
            ),
            "cost": cost_of_years(self._prices, mailbox.kind, years),
            "doubts": doubts,
        }

    async def _ask_paid(self, arguments: Mapping[str, Any]) -> Any:
        does = {
            "space": lambda: say("space: {words}", words=space_in_words(space_of(arguments))),
            "convert": lambda: say("convert to {kind}", kind=kind_of(arguments)),
            "add user": lambda: say("a further user {email}", email=user_of(arguments).email),
        }
        what = does[str(arguments["do"])]()
        mailbox = await self._client.mailbox(str(arguments["id"]))
        if mailbox.kind not in choices.CONVERTIBLE:
            raise OperationFailed(
                say(
                    "{address} is a {kind} mailbox: the service has no further space, "
                    "conversion or users for that kind. Nothing was done.",
                    address=mailbox.address,
                    kind=mailbox.kind,
                )
            )
        question = say(
            "{address} ({kind}), {what}: go on?",
            address=mailbox.address,
            kind=mailbox.kind,
            what=what,
        )
        return {"question": question, "cost": unpriced(), "doubts": []}

    async def _ask_revoke(self, arguments: Mapping[str, Any]) -> Any:
        mailbox = await self._client.mailbox(str(arguments["id"]))
        return {
            "question": say(
                "Revoke {address}? It stops sending and receiving at once, and what was paid for "
                "it is not paid back.",
                address=mailbox.address,
            ),
            "cost": None,
            "doubts": [],
            "address": mailbox.address,
        }

    # --- what is done once ---------------------------------------------------------------------

    async def _register(self, arguments: Mapping[str, Any], _progress: Progress) -> Any:
        checked = self._checked(arguments)
        box = checked.values["casella_pec"]
        mailbox = await _once(
            self._client.register(checked.values),
            say(
                "`pec-bridge mailbox list` shows whether {box} is there, `pec-bridge "
                "wallet` whether it was paid. Register it again only if it is not "
                "there an hour later",
                box=box,
            ),
        )
        return self._whole(mailbox)

    async def _activate(self, arguments: Mapping[str, Any], _progress: Progress) -> Any:
        id, content = str(arguments["id"]), base64.b64decode(arguments["pdf"])
        await asyncio.to_thread(one_pdf, [content], [say("The file")])
        mailbox = await _once(
            self._client.activate(id, (content,)),
            say(
                "`pec-bridge mailbox show {id}` says in_evasione if it was. Hand it in "
                "again only if it says registrata or documenti_errati",
                id=id,
            ),
        )
        return self._whole(mailbox)

    async def _renew(self, arguments: Mapping[str, Any], _progress: Progress) -> Any:
        id = str(arguments["id"])
        before = await self._client.mailbox(id)
        until = before.expires_on.isoformat() if before.expires_on else say("unknown")
        mailbox = await _once(
            self._client.renew(id, years_of(arguments)),
            say(
                "`pec-bridge mailbox show {id}` shows when it expires (before: "
                "{until}), `pec-bridge wallet` whether it was paid. Renew again only "
                "if the day has not moved an hour later",
                id=id,
                until=until,
            ),
        )
        return {**self._whole(mailbox), "expired_on_before": until}

    async def _space(self, arguments: Mapping[str, Any], _progress: Progress) -> Any:
        id = str(arguments["id"])
        advice = say("`pec-bridge mailbox show {id}` shows the space there is", id=id)
        return self._whole(await _once(self._client.add_space(id, space_of(arguments)), advice))

    async def _convert(self, arguments: Mapping[str, Any], _progress: Progress) -> Any:
        id = str(arguments["id"])
        advice = say("`pec-bridge mailbox show {id}` shows of which kind it is", id=id)
        return self._whole(await _once(self._client.convert(id, kind_of(arguments)), advice))

    async def _add_user(self, arguments: Mapping[str, Any], _progress: Progress) -> Any:
        id = str(arguments["id"])
        advice = say("`pec-bridge mailbox users {id}` shows who is there", id=id)
        return self._whole(await _once(self._client.add_user(id, user_of(arguments)), advice))

    async def _revoke(self, arguments: Mapping[str, Any], _progress: Progress) -> Any:
        id, typed = str(arguments["id"]), str(arguments["address"]).strip()
        mailbox = await self._client.mailbox(id)
        if typed.casefold() != mailbox.address.casefold():
            raise OperationFailed(
                say(
                    "The mailbox {id} is {address}, not {typed}: nothing was revoked.",
                    id=id,
                    address=mailbox.address,
                    typed=typed or say("(nothing)"),
                )
            )
        advice = say("`pec-bridge mailbox show {id}` says revocata if it was", id=id)
        return self._whole(await _once(self._client.revoke(id), advice))


async def watch(
    client: MailboxClient, clock: Clock, id: str
) -> AsyncIterator[HostedMailbox | ApiError]:
    """Look at a mailbox until it has come to an end of its way, less and less often.

    Gives it whenever its state is a new one, and each error that another look may mend; an error
    that no look mends is raised.
    """
    pause_s, state = WATCH_FIRST_S, None
    while True:
        try:
            mailbox = await client.mailbox(id)
        except ApiError as error:
            if not _may_pass(error):
                raise
            yield error
        else:
            if mailbox.state_text != state:
                state, pause_s = mailbox.state_text, WATCH_FIRST_S
                yield mailbox
            if MEANINGS[mailbox.state].is_end:
                return
        await clock.sleep(pause_s)
        pause_s = min(pause_s * WATCH_GROWTH, WATCH_LONGEST_S)


def _may_pass(error: ApiError) -> bool:
    if isinstance(error, NotSent):
        return error.kind in ("unreachable", "rate")
    return isinstance(error, OutcomeUnknown)


async def _once(work: Awaitable[T], advice: str) -> T:
    """Await what was begun once; when its outcome is unknown, say where to look."""
    try:
        return await work
    except OutcomeUnknown as error:
        raise OperationFailed(
            say(
                "{reason} Whether it was done is not known, and it was not repeated. {advice}.",
                reason=error.reason,
                advice=advice,
            )
        ) from None
    except NotSent as error:
        raise OperationFailed(say("{reason} Nothing was done.", reason=error.reason)) from None
