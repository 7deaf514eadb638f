"""The operations of the two administration hosts, the record of their calls, and faults on order.

``AdminFaults`` is a queue as ``fault.Faults`` is, in small: a rule strikes the next calls of its
operation, before they are processed (the call did nothing), or after (it did, and the caller does
not learn of it), or instead of processing with an answer of the rule's own.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from bridge.simulator.fault import Failure, FixedAnswer, Phase


class AdminOperation(Enum):
    """The operations that are simulated, by method and path."""

    DOMAIN = "GET /domini_pec/{dominio}"
    CHECK = "GET /verifica_pec/{pec}"
    LIST = "GET /pec"
    REGISTER = "POST /pec"
    SHOW = "GET /pec/{id}"
    REVOKE = "DELETE /pec/{id}"
    ACTIVATE = "PATCH /pec/{id}/attivazione"
    SPACE = "PATCH /pec/{id}/modifica"
    CONVERT = "PATCH /pec/{id}/trasformazione"
    RENEW = "GET /pec/{id}/rinnovo"
    USER = "POST /pec/{id}/multiutenza"
    FORM = "GET /pec/{id}/modulo_attivazione"
    TOKEN_CREATE = "POST /tokens"  # noqa: S105 - a path
    TOKEN_LIST = "GET /tokens"  # noqa: S105 - a path
    TOKEN_SHOW = "GET /tokens/{token}"  # noqa: S105 - a path
    TOKEN_UPDATE = "PATCH /tokens/{token}"  # noqa: S105 - a path
    TOKEN_DELETE = "DELETE /tokens/{token}"  # noqa: S105 - a path
    SCOPES = "GET /scopes"
    WALLET = "GET /wallet"
    TRANSACTIONS = "GET /wallet/transactions"
    STATS = "GET /stats/apis/{domain}"
    SUBSCRIPTIONS = "GET /subscriptions"

    @property
    def by_account(self) -> bool:
        """Whether the account's e-mail and key open it, rather than a token."""
        return self in _BY_ACCOUNT

    @property
    def scope(self) -> str:
        """The permission it takes, without the host: method and first segment."""
        method, _, path = self.value.partition(" ")
        return f"{method}:{path.split('/')[1]}"


_BY_ACCOUNT = frozenset(
    {
        AdminOperation.TOKEN_CREATE,
        AdminOperation.TOKEN_LIST,
        AdminOperation.TOKEN_SHOW,
        AdminOperation.TOKEN_UPDATE,
        AdminOperation.TOKEN_DELETE,
        AdminOperation.SCOPES,
        AdminOperation.WALLET,
        AdminOperation.TRANSACTIONS,
        AdminOperation.STATS,
        AdminOperation.SUBSCRIPTIONS,
    }
)


class NotDone(Exception):
    """An operation says no: the description's status, words and number.

    Args:
        status: of the HTTP answer.
        message: the description's words.
        number: the description's number of the error; None for none.
        plain: answered as plain text, as the forms' hosts do.
    """

    def __init__(self, status: int, message: str, number: int | None, *, plain: bool = False):
        super().__init__(message)
        self.status = status
        self.message = message
        self.number = number
        self.plain = plain


@dataclass(slots=True)
class AdminCall:
    """One request as it came in; ``status`` or ``failure`` say how it ended, when it has."""

    operation: AdminOperation
    received_at: datetime
    target: str
    body: object = field(default=None, repr=False)
    status: int | None = None
    failure: Failure | None = None


@dataclass(slots=True)
class _Rule:
    operation: AdminOperation | None
    phase: Phase
    result: Failure | FixedAnswer
    left: int | None


class AdminFaults:
    """The rules in force, first come first used."""

    def __init__(self) -> None:
        self._rules: list[_Rule] = []

    def fail(
        self,
        operation: AdminOperation | None,
        phase: Phase,
        result: Failure | FixedAnswer,
        *,
        times: int | None = 1,
    ) -> None:
        """Break the connection, or answer otherwise.

        Args:
            operation: of which calls; None: of any.
            phase: before, after or instead of the processing.
            result: how the call fails, or what is answered.
            times: how many calls; None: until cleared.
        """
        self._rules.append(_Rule(operation, phase, result, times))

    def refuse(
        self, operation: AdminOperation, status: int, message: str, number: int | None
    ) -> None:
        """Answer the next call with an error of the description; nothing is processed.

        Args:
            operation: whose next call.
            status: of the HTTP answer.
            message: the description's words.
            number: the description's number of the error; None for none.
        """
        body = {"success": False, "message": message, "error": number, "data": None}
        self.fail(operation, Phase.INSTEAD, FixedAnswer(status, body))

    def plainly(self, operation: AdminOperation, status: int, words: str) -> None:
        """Answer the next call with plain text, as the forms' hosts do."""
        answer = FixedAnswer(status, words.encode(), {"content-type": "text/plain"})
        self.fail(operation, Phase.INSTEAD, answer)

    def clear(self) -> None:
        """Withdraw every rule."""
        self._rules = []

    def take(self, operation: AdminOperation, *phases: Phase) -> Failure | FixedAnswer | None:
        """Return what strikes this call now, and count it."""
        for rule in self._rules:
            if rule.phase in phases and rule.operation in (None, operation):
                if rule.left is not None:
                    rule.left -= 1
                    if rule.left == 0:
                        self._rules.remove(rule)
                return rule.result
        return None
