"""What can be set, with its default and its bounds; one frozen value per TOML table.

The annotations are the rules: ``read`` hands the file to them and reports what they refuse. A
rule that needs more than one key is in ``__post_init__``. No secret is ever in here, only where
it is to be found.
"""

from __future__ import annotations

import ipaddress
import re
import shlex
from dataclasses import field
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, ConfigDict, Field, PlainValidator
from pydantic.dataclasses import dataclass

from bridge.config.places import usual_data_dir
from bridge.language import LanguageSetting, say
from bridge.model import EventKind
from bridge.net.address import is_loopback, is_private
from bridge.net.listen import Listen

_ADDRESS = re.compile(r"[^\s@<>,;:\"()\[\]\\]+@[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?")
_MEGABYTE = 1024**2
_CENTURY_DAYS = 36_500
_RULES = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


def _url(text: str) -> str:
    parts = urlsplit(text)
    try:
        host, _port = parts.hostname, parts.port
    except ValueError:
        raise ValueError(say("is not a URL")) from None
    if not host or parts.query or parts.fragment or parts.username is not None:
        raise ValueError(say('must be a plain URL such as "https://ws.pecmassiva.com"'))
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(host)):
        raise ValueError(say("must begin with https:// (http:// only to this machine itself)"))
    return text.rstrip("/")


def _hook_url(text: str) -> str:
    try:
        parts = urlsplit(text)
        host, _port = parts.hostname, parts.port
    except ValueError:
        raise ValueError(say("is not a URL")) from None
    if parts.scheme not in ("http", "https") or not host or not text.isascii() or "\\" in text:
        raise ValueError(say('must be a URL such as "https://erp.example/pec"'))
    if parts.username is not None or parts.fragment or any(ord(char) <= 32 for char in text):
        raise ValueError(say("must have no name, password, blank or fragment (#) in it"))
    return text


def _argv(value: object) -> tuple[str, ...] | None:
    if value is None:
        return None
    words = value if isinstance(value, list | tuple) else ()
    if not words or not all(map(_is_text, words)) or not words[0]:
        raise ValueError(say('must be a list of words, such as ["/usr/local/bin/told", "--pec"]'))
    if not Path(words[0]).is_absolute() and Path(words[0]).name != words[0]:
        raise ValueError(
            say("must begin with an absolute path, or a name that is looked for in PATH")
        )
    return tuple(words)


def _some(kinds: tuple[EventKind, ...]) -> tuple[EventKind, ...]:
    if not kinds:
        raise ValueError(say("must name one event at least"))
    return kinds


def _hook_name(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", text):
        raise ValueError(say("may have letters, digits, dots and hyphens, and up to 64 of them"))
    return text


def _proxy(text: str) -> str:
    if not text:
        return text
    parts = urlsplit(text)
    try:
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    if parts.username is not None:
        raise ValueError(
            say("must hold no password: that is a secret, proxy_login says where it is")
        )
    if parts.scheme not in ("http", "https") or not host or port is None or parts.path.strip("/"):
        raise ValueError(
            say('must be written "http://host:port", such as "http://proxy.example:3128"')
        )
    return text.rstrip("/")


def _address(text: str) -> str:
    if not _ADDRESS.fullmatch(text) or len(text) > 254:
        raise ValueError(say("is not a mail address"))
    return text


def _zone(text: str) -> str:
    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(say('is not a time zone such as "Europe/Rome"')) from None
    return text


def _network(value: object) -> IPv4Network | IPv6Network:
    if isinstance(value, IPv4Network | IPv6Network):
        return value
    if not isinstance(value, str):
        raise ValueError(say('must be a network in quotes, such as "127.0.0.1/32"'))
    try:
        return ipaddress.ip_network(value)
    except ValueError as error:
        raise ValueError(
            say('is not a network such as "127.0.0.1/32" ({error})', error=error)
        ) from None


def _command(value: object) -> tuple[str, ...]:
    try:
        words = shlex.split(value) if isinstance(value, str) else value
    except ValueError:
        words = None
    if not isinstance(words, list | tuple) or not words or not all(map(_is_text, words)):
        raise ValueError(say('must be a command line, such as "pass show pec" or ["pass", "show"]'))
    return tuple(words)


def _is_text(value: object) -> bool:
    return isinstance(value, str) and "\0" not in value


def _variable(text: str) -> str:
    if not text or "=" in text or "\0" in text:
        raise ValueError(say("is not the name of an environment variable"))
    return text


def _credential(text: str) -> str:
    if not text or "/" in text or text in {".", ".."} or "\0" in text:
        raise ValueError(say("is not the name of a systemd credential"))
    return text


def _keyring(text: str) -> str:
    service, _, name = text.partition("/")
    if not service or not name:
        raise ValueError(say('must be written "service/user"'))
    return text


def _mailbox(text: str) -> str:
    if not text.strip() or any(ord(char) < 32 for char in text):
        raise ValueError(say("is not the name of a mailbox"))
    return text


def _pattern(text: str) -> str:
    if re.search(r"[{}]", re.sub(r"\{(?:kind|year|month)\}", "", text)):
        raise ValueError(say("may hold {kind}, {year} and {month}, and no other braces"))
    return _mailbox(text)


def _window(text: str) -> str:
    if text and not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d", text):
        raise ValueError(say('is no window like "08:00-20:00"'))
    return text


def _clearing(text: str) -> str:
    rule = re.fullmatch(r"never|receipts-after ([1-9]\d{0,4})d|over ([1-9]\d)%", text, re.ASCII)
    if rule is None or int(rule[1] or 1) > _CENTURY_DAYS:
        raise ValueError(say('must be "never", "receipts-after 30d" or "over 70%" (from 10 to 99)'))
    return text


Text = Annotated[str, Field(min_length=1)]
Zone = Annotated[str, AfterValidator(_zone)]
Url = Annotated[str, AfterValidator(_url)]
Address = Annotated[str, AfterValidator(_address)]
Network = Annotated[IPv4Network | IPv6Network, PlainValidator(_network)]
FilePath = Annotated[Path, Field(strict=False)]


@dataclass(frozen=True, slots=True, config=_RULES)
class SecretSource:
    """Where a secret is: exactly one of these is set.

    ``file`` holds it (one newline at its end is not part of it), ``env`` names a variable,
    ``command`` prints it, ``keyring`` is "service/user" in the desktop's keyring, ``credential``
    names a systemd credential.
    """

    file: FilePath | None = None
    env: Annotated[str, AfterValidator(_variable)] | None = None
    command: Annotated[tuple[str, ...], PlainValidator(_command)] | None = None
    keyring: Annotated[str, AfterValidator(_keyring)] | None = None
    credential: Annotated[str, AfterValidator(_credential)] | None = None

    def __post_init__(self) -> None:
        given = (self.file, self.env, self.command, self.keyring, self.credential)
        if sum(source is not None for source in given) != 1:
            raise ValueError(say("needs exactly one of file, env, command, keyring, credential"))


@dataclass(frozen=True, slots=True, config=_RULES)
class Api:
    """The remote and the token for it.

    ``admin_token`` is for the mailbox host, None for ``token``; ``email`` and ``api_key`` are the
    account's at the token host, asked for where they are None. ``proxy_login`` is "name:password".
    ``ca_file`` has the authorities to trust in place of the public ones; ``trust_env`` lets the
    environment say what proxy and ca_file do not.
    """

    token: SecretSource
    base_url: Url = "https://ws.pecmassiva.com"
    admin_url: Url = "https://pec.openapi.it"
    oauth_url: Url = "https://oauth.openapi.com"
    timeout_s: Annotated[float, Field(gt=0, le=3600)] = 30.0
    admin_token: SecretSource | None = None
    email: Address | None = None
    api_key: SecretSource | None = None
    proxy: Annotated[str, AfterValidator(_proxy)] = ""
    proxy_login: SecretSource | None = None
    ca_file: FilePath | None = None
    trust_env: bool = False

    def __post_init__(self) -> None:
        if self.api_key is not None and self.email is None:
            raise ValueError(say("needs email beside api_key"))


@dataclass(frozen=True, slots=True, config=_RULES)
class Send:
    """How messages become ``POST /send``."""

    rate_per_s: Annotated[float, Field(gt=0, le=1000)] = 1.0
    plan: Literal["standard", "flat"] = "standard"
    over_plan: Literal["hold", "refuse"] = "hold"
    cc: Literal["join", "refuse"] = "join"
    bcc: Literal["refuse", "separate"] = "refuse"
    signed: Literal["refuse", "attach"] = "refuse"
    subject_reference: Literal["off", "suffix"] = "off"
    attachment_encoding: Literal["data-uri", "base64"] = "data-uri"
    max_message_bytes: Annotated[int, Field(ge=1024, le=1024 * _MEGABYTE)] = 30 * _MEGABYTE
    dedup_window_h: Annotated[float, Field(ge=0, le=24 * 366)] = 24.0
    same_message_id: Literal["refuse", "send"] = "refuse"
    waiting_alarm_min: Annotated[float, Field(ge=1, le=7 * 24 * 60)] = 60.0
    check_domains: Literal["off", "warn"] = "off"
    window: Annotated[str, AfterValidator(_window)] = ""


@dataclass(frozen=True, slots=True, config=_RULES)
class Sync:
    """How the inbox is followed."""

    interval_s: Annotated[float, Field(ge=1, le=86_400)] = 60.0
    request_budget_per_day: Annotated[int, Field(ge=0, le=10**9)] = 1440
    delete: Literal["expunge", "never"] = "expunge"


_Name = Annotated[str, AfterValidator(_mailbox)]


@dataclass(frozen=True, slots=True, config=_RULES)
class ReceiptNames:
    """What {kind} stands for in ``deliver_to``."""

    acceptance: _Name = "Accettazioni"
    delivery: _Name = "Consegne"
    failure: _Name = "Errori"
    other: _Name = "Altre"


@dataclass(frozen=True, slots=True, config=_RULES)
class Receipts:
    """Where receipts go; failures always also go to INBOX.

    ``deliver_to`` may hold {kind}, {year} and {month}; ``names`` says what {kind} stands for.
    ``seen``: which are marked as read. ``text``: when a text is fetched that only confirms what its
    row says. ``mark``: how the bridge's own notices stand out in INBOX.
    """

    deliver_to: Annotated[str, AfterValidator(_pattern)] = "INBOX"
    names: ReceiptNames = ReceiptNames()
    seen: Literal["acceptances", "none"] = "acceptances"
    text: Literal["when-affordable", "always", "never"] = "when-affordable"
    mark: Literal["none", "flag", "subject"] = "none"


@dataclass(frozen=True, slots=True, config=_RULES)
class Archive:
    """How long rows and texts are kept after they left the API; what was submitted stays for ever.

    ``clear_at_api``: when receipts that are over and whole in the archive go at the API.
    """

    retention_days: Annotated[int, Field(ge=1, le=_CENTURY_DAYS)] = 900
    clear_at_api: Annotated[str, AfterValidator(_clearing)] = "never"


@dataclass(frozen=True, slots=True, config=_RULES)
class Imap:
    """Where mail clients read."""

    listen: tuple[Annotated[Listen, PlainValidator(Listen.reader("imap"))], ...] = (
        Listen("127.0.0.1", 1143),
    )


@dataclass(frozen=True, slots=True, config=_RULES)
class Trusted:
    """A network whose applications may send as ``account`` without logging in.

    ``i_know``: that strangers may be in it, or read what it sends.
    ``urgent``: what they send goes ahead of the account's other messages.
    """

    network: Network
    account: Address
    i_know: bool = False
    urgent: bool = False


@dataclass(frozen=True, slots=True, config=_RULES)
class Smtp:
    """Where mail clients and applications submit."""

    listen: tuple[Annotated[Listen, PlainValidator(Listen.reader("smtp"))], ...] = (
        Listen("127.0.0.1", 1025),
    )
    trusted: tuple[Trusted, ...] = ()


_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?")
_read_web_listen = Listen.reader("http")


def _web_listen(value: object) -> tuple[Listen, ...] | None:
    several = value if isinstance(value, list | tuple) else [value]
    return None if value is None else tuple(_read_web_listen(one) for one in several)


def _host(text: str) -> str:
    if not _HOST.fullmatch(text):
        raise ValueError(say('is not a host name such as "pec.example.it"'))
    return text


def _page_url(text: str) -> str:
    parts = urlsplit(text)
    if text and (parts.scheme not in ("http", "https") or not parts.hostname or parts.query):
        raise ValueError(say('is not an address such as "https://pec.example.it"'))
    return text.rstrip("/")


WEB_USUAL = (Listen("127.0.0.1", 1180),)
"""Where the page is if nothing else is said, and if nobody else is there."""


@dataclass(frozen=True, slots=True, config=_RULES)
class Web:
    """Where the page is: None for ``WEB_USUAL``, an empty list for nowhere.

    ``hosts`` are the names by which browsers find it, besides addresses and this machine's own.
    ``url`` is where people find it (behind a proxy), "" for the address that it listens on.
    """

    listen: Annotated[tuple[Listen, ...] | None, PlainValidator(_web_listen)] = None
    url: Annotated[str, AfterValidator(_page_url)] = ""
    hosts: tuple[Annotated[str, AfterValidator(_host)], ...] = ()


@dataclass(frozen=True, slots=True, config=_RULES)
class Tls:
    """The certificate of our own servers; a self-signed one is made when there is none."""

    certificate: FilePath | None = None
    key: FilePath | None = None

    def __post_init__(self) -> None:
        if (self.certificate is None) != (self.key is None):
            raise ValueError(say("needs certificate and key together, or neither"))


@dataclass(frozen=True, slots=True, config=_RULES)
class Database:
    """Where data are: in the PostgreSQL database that ``url`` names, else in ``data_dir``."""

    url: SecretSource | None = None


@dataclass(frozen=True, slots=True, config=_RULES)
class Prices:
    """What the service costs, in EUR before VAT: nothing at the service says it."""

    pec: Annotated[float, Field(ge=0, le=1000)] = 0.05
    mailbox_year: Annotated[float, Field(ge=0, le=100_000)] = 99.0
    flat_year: Annotated[float, Field(ge=0, le=1_000_000)] = 1500.0
    vat_percent: Annotated[float, Field(ge=0, le=100)] = 22.0


@dataclass(frozen=True, slots=True, config=_RULES)
class Display:
    """How facts and reasons are shown to people; see ``bridge.language`` for the language."""

    timezone: Zone = "Europe/Rome"
    language: LanguageSetting = "both"


@dataclass(frozen=True, slots=True, config=_RULES)
class Log:
    """What the log tells; ``serve --verbose`` is level "debug" whatever this says."""

    level: Literal["debug", "info", "warning", "error"] = "info"


@dataclass(frozen=True, slots=True, config=_RULES)
class Receiver:
    """Who is told of something: either ``url``, signed with ``secret``, or ``command``.

    ``name`` is what it is called, None for its host or program. ``old_secret`` signs, too, while
    receivers go over to a new one. ``ca_file`` has the authorities to trust, None for those of the
    API; ``via_proxy`` goes through the API's proxy. ``i_know``: that others may read and change
    what goes to ``url`` without TLS.
    """

    name: Annotated[str, AfterValidator(_hook_name)] | None = None
    url: Annotated[str, AfterValidator(_hook_url)] | None = None
    secret: SecretSource | None = None
    old_secret: SecretSource | None = None
    command: Annotated[tuple[str, ...] | None, PlainValidator(_argv)] = None
    timeout_s: Annotated[float, Field(gt=0, le=120)] = 15.0
    ca_file: FilePath | None = None
    via_proxy: bool = False
    i_know: bool = False

    def __post_init__(self) -> None:
        if (self.url is None) == (self.command is None):
            raise ValueError(say("needs either url or command"))
        if (self.secret is None) != (self.url is None):
            raise ValueError(say("needs secret beside url, and none beside command"))
        if self.old_secret is not None and self.secret is None:
            raise ValueError(say("needs secret beside old_secret"))
        if self.url is None:
            return
        parts = urlsplit(self.url)
        if parts.scheme == "http" and not self.i_know and not is_private(parts.hostname or ""):
            raise ValueError(
                say(
                    "has a url without TLS to an address that is not known to be private: "
                    "write https://, or i_know = true if you mean that"
                )
            )

    @property
    def place(self) -> str:
        """Where it is, for people: a path may hold a secret."""
        if self.command is not None:
            return self.command[0]
        parts = urlsplit(self.url or "")
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def known_as(self) -> str:
        """Its name, which tells it from the others of its account."""
        return self.name or (Path(self.place).name if self.command else urlsplit(self.place).netloc)


@dataclass(frozen=True, slots=True, config=_RULES)
class Webhook(Receiver):
    """A program that is told of events: of those of the kinds ``events``."""

    events: Annotated[tuple[EventKind, ...], AfterValidator(_some)] = tuple(EventKind)


SUBMISSION_PORT = 587


@dataclass(frozen=True, slots=True, config=_RULES)
class AlarmsSmtp:
    """The server that takes alarms for ordinary mail; ``sender`` is None for the receiver."""

    host: Annotated[str, AfterValidator(_host)]
    port: Annotated[int, Field(ge=1, le=65_535)] = SUBMISSION_PORT
    tls: Literal["starttls", "implicit", "none"] = "starttls"
    user: Text | None = None
    password: SecretSource | None = None
    sender: Address | None = None
    ca_file: FilePath | None = None
    timeout_s: Annotated[float, Field(gt=0, le=120)] = 30.0

    def __post_init__(self) -> None:
        if (self.user is None) != (self.password is None):
            raise ValueError(say("needs user and password together, or neither"))
        if self.user is not None and self.tls == "none" and not is_loopback(self.host):
            raise ValueError(say('would say the password in clear: set tls to "starttls"'))


@dataclass(frozen=True, slots=True, config=_RULES)
class Alarms:
    """Who outside is told of alarms: an ordinary address, through ``smtp``, and programs."""

    to: Address | None = None
    smtp: AlarmsSmtp | None = None
    webhook: tuple[Receiver, ...] = ()

    def __post_init__(self) -> None:
        if (self.to is None) != (self.smtp is None):
            raise ValueError(say("needs to and [alarms.smtp] together, or neither"))


@dataclass(frozen=True, slots=True, config=_RULES)
class Account:
    """One PEC mailbox.

    ``username`` is its name at the API, None for the address; ``local_password`` is what mail
    clients log in with, None for the mailbox's own. ``webhook``: who is told of its events.
    """

    address: Address
    password: SecretSource
    username: Text | None = None
    local_password: SecretSource | None = None
    webhook: tuple[Webhook, ...] = ()

    @property
    def api_username(self) -> str:
        """The name that the API knows the mailbox by."""
        return self.username or self.address


@dataclass(frozen=True, slots=True, config=_RULES)
class Config:
    """All settings."""

    api: Api
    account: tuple[Account, ...]
    data_dir: FilePath = usual_data_dir()
    store: Database = field(default_factory=Database)
    send: Send = field(default_factory=Send)
    sync: Sync = field(default_factory=Sync)
    receipts: Receipts = field(default_factory=Receipts)
    archive: Archive = field(default_factory=Archive)
    imap: Imap = field(default_factory=Imap)
    smtp: Smtp = field(default_factory=Smtp)
    web: Web = field(default_factory=Web)
    tls: Tls = field(default_factory=Tls)
    prices: Prices = field(default_factory=Prices)
    display: Display = field(default_factory=Display)
    log: Log = field(default_factory=Log)
    webhook: tuple[Webhook, ...] = ()
    alarms: Alarms = field(default_factory=Alarms)

    def webhooks(self) -> tuple[tuple[int | None, int, Webhook], ...]:
        """Return each webhook, behind its account's index (None for everybody's) and its own."""
        everybodys = [(None, index, one) for index, one in enumerate(self.webhook)]
        own = [
            (number, index, one)
            for number, account in enumerate(self.account)
            for index, one in enumerate(account.webhook)
        ]
        return (*everybodys, *own)


TABLES: dict[tuple[str, ...], type] = {
    (): Config,
    ("api",): Api,
    ("store",): Database,
    ("send",): Send,
    ("sync",): Sync,
    ("receipts",): Receipts,
    ("archive",): Archive,
    ("imap",): Imap,
    ("smtp",): Smtp,
    ("smtp", "trusted"): Trusted,
    ("web",): Web,
    ("tls",): Tls,
    ("prices",): Prices,
    ("display",): Display,
    ("log",): Log,
    ("webhook",): Webhook,
    ("alarms",): Alarms,
    ("alarms", "smtp"): AlarmsSmtp,
    ("alarms", "webhook"): Receiver,
    ("account",): Account,
    ("account", "webhook"): Webhook,
}
"""Each table's path in the file and what it holds."""
