"""What the SMTP server is told when it is built; values only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_address
from pathlib import Path

from bridge.language import LanguageSetting
from bridge.limits import LOGIN_S, SMTP_CONNECTIONS, TLS_HANDSHAKE_S
from bridge.mime.grammar.addr_spec import comparable
from bridge.mime.strict.rules import SubmissionRules
from bridge.model import AccountId


@dataclass(frozen=True, slots=True)
class TrustedNetwork:
    """A network whose applications send as ``account`` without logging in.

    What they send goes ahead of the account's other messages if that is ``urgent``.
    """

    network: IPv4Network | IPv6Network
    account: AccountId
    urgent: bool = False


@dataclass(frozen=True, slots=True)
class SmtpSettings:
    """``accounts`` has each account's address; ``hostname`` is how the server names itself.

    ``login_timeout_s`` is how long a stranger may take to log in, ``handshake_timeout_s`` how long
    TLS may take to begin. ``idle_timeout_s`` is RFC 5321 §4.5.3.2.7's; ``max_sessions`` and
    ``max_login_failures`` per server and per session; ``stop_grace_s`` bounds the wait for
    messages in hand at ``stop``. ``spool_dir`` is where large messages are put while they arrive,
    None the system's place for such files. ``language`` is what refusals are written in.
    """

    accounts: Mapping[AccountId, str]
    rules: SubmissionRules = field(default_factory=SubmissionRules)
    trusted: tuple[TrustedNetwork, ...] = ()
    hostname: str = "pec-bridge.localhost"
    idle_timeout_s: float = 300.0
    max_sessions: int = SMTP_CONNECTIONS
    max_login_failures: int = 5
    stop_grace_s: float = 10.0
    login_timeout_s: float = LOGIN_S
    handshake_timeout_s: float = TLS_HANDSHAKE_S
    spool_dir: Path | None = None
    language: LanguageSetting = "both"

    def account_of(self, address: str, among: Iterable[AccountId]) -> AccountId | None:
        """Return which of these accounts an address is, however it is spelled."""
        wanted = comparable(address)
        return next((one for one in among if comparable(self.accounts[one]) == wanted), None)

    def trusted_accounts(self, peer: str) -> frozenset[AccountId]:
        """Return the accounts that an application at ``peer`` may send as without logging in."""
        return frozenset(one.account for one in self._trusted_at(peer))

    def is_urgent_from(self, peer: str, account: AccountId) -> bool:
        """Tell whether what an application at ``peer`` sends as ``account`` goes ahead."""
        return any(one.urgent and one.account == account for one in self._trusted_at(peer))

    def _trusted_at(self, peer: str) -> tuple[TrustedNetwork, ...]:
        try:
            address = ip_address(peer.partition("%")[0])
        except ValueError:
            return ()
        mapped = getattr(address, "ipv4_mapped", None)
        candidates = {address, mapped} if mapped else {address}
        return tuple(one for one in self.trusted if any(each in one.network for each in candidates))
