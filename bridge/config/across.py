"""Faults that lie between settings: each alone is fine, together they cannot be.

Works on the TOML document as it is, which may be wrong in any other way.
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pydantic import TypeAdapter, ValidationError

from bridge.config.lines import Key
from bridge.config.values import SUBMISSION_PORT, Imap, Receiver, Smtp
from bridge.language import Sentence, say
from bridge.net.address import is_loopback
from bridge.net.listen import Listen

Found = Iterator[tuple[Key, str]]

_LOOPBACK = ("127.0.0.1", "::1")
_THIS_MACHINE = tuple(map(ipaddress.ip_network, ("127.0.0.0/8", "::1/128")))
_PRIVATE = (
    *_THIS_MACHINE,
    *map(ipaddress.ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")),
    *map(ipaddress.ip_network, ("169.254.0.0/16", "fe80::/10")),  # one link only
)
_I_KNOW = say("write i_know = true beside it if you mean that")


def across(document: Mapping[str, Any], accounts: bool = True) -> Found:
    """Yield each fault with the key that it is told of; ``accounts``: there must be one."""
    if accounts and document.get("account") == []:
        yield ("account",), say("must name at least one mailbox")
    yield from _addresses(document)
    yield from _usernames(document)
    yield from _trusts(document)
    yield from _strangers_trusted(document)
    yield from _ports(document)
    yield from _clears(document)
    yield from _hook_names(document)
    yield from _alarms_by_pec(document)


def _hook_names(document: Mapping[str, Any]) -> Found:
    """Two receivers by one name could not be told apart."""
    alarms = _table(document, "alarms")
    places: list[tuple[Key, Mapping[str, Any]]] = [((), document), (("alarms",), alarms)]
    places += (
        (("account", index), account) for index, account in enumerate(_tables(document, "account"))
    )
    for key, table in places:
        seen = set()
        for index, hook in enumerate(_tables(table, "webhook")):
            try:
                name = (
                    TypeAdapter(Receiver)
                    .validate_json(json.dumps({one: hook[one] for one in hook if one != "events"}))
                    .known_as
                )
            except (TypeError, ValidationError):
                continue  # it was told already
            if name in seen:
                sentence = say("is called {name} like one above: give each a name", name=name)
                yield (*key, "webhook", index), sentence
            seen.add(name)


def _alarms_by_pec(document: Mapping[str, Any]) -> Found:
    """An alarm that goes out as a PEC costs money, and one that comes in as mail raises another."""
    alarms = _table(document, "alarms")
    own = {_name(account.get("address")) for account in _tables(document, "account")}
    if _name(alarms.get("to")) in own - {""}:
        yield (
            ("alarms", "to"),
            say("is a certified mailbox of this bridge: name an ordinary address"),
        )
    smtp = _table(alarms, "smtp")
    host, port = smtp.get("host"), smtp.get("port", SUBMISSION_PORT)
    if not isinstance(host, str) or not isinstance(port, int):
        return
    for key, listen, _ in _listeners(document):
        is_here = is_loopback(host) or host.casefold() == listen.host.casefold()
        if key[0] == "smtp" and is_here and _collide(listen, Listen(host, port)):
            yield (
                ("alarms", "smtp", "host"),
                say("is this bridge itself, which sends nothing but PECs"),
            )
            return


def _clears(document: Mapping[str, Any]) -> Found:
    """Clearing deletes at the API, and only what was read."""
    key: Key = ("archive", "clear_at_api")
    if _table(document, "archive").get("clear_at_api", "never") == "never":
        return
    if _table(document, "sync").get("delete") == "never":
        yield (
            key,
            say('deletes at the API, and delete = "never" in [sync] forbids that: set one of them'),
        )
    if _table(document, "receipts").get("text") == "never":
        yield key, say('clears what was read, and text = "never" in [receipts] reads no receipt')


def _addresses(document: Mapping[str, Any]) -> Found:
    seen: set[str] = set()
    for index, account in enumerate(_tables(document, "account")):
        address = _name(account.get("address"))
        if address and address in seen:
            yield ("account", index, "address"), say("is the address of an account above, too")
        seen.add(address)


def _usernames(document: Mapping[str, Any]) -> Found:
    """Two accounts with one mailbox would claim each other's sends and delete each other's mail."""
    first: dict[str, int] = {}
    addresses: set[str] = set()
    for index, account in enumerate(_tables(document, "account")):
        address, username = _name(account.get("address")), _name(account.get("username"))
        name = username or address
        told = address in addresses and not username  # as an address given twice
        if name in first and not told:
            key = ("account", index, "username" if username else "address")
            above = first[name] + 1
            yield (
                key,
                say(
                    "is the name that account[{above}] has at the API, too: one mailbox, twice",
                    above=above,
                ),
            )
        addresses.add(address)
        if name:
            first.setdefault(name, index)


def _trusts(document: Mapping[str, Any]) -> Found:
    known = {_name(account.get("address")) for account in _tables(document, "account")}
    trusts: set[tuple[str, str]] = set()
    for index, trusted in enumerate(_tables(_table(document, "smtp"), "trusted")):
        named = _name(trusted.get("account"))
        if named and named not in known:
            yield ("smtp", "trusted", index, "account"), say("is not the address of an [[account]]")
        trust = (str(trusted.get("network", "")), named)
        if trust in trusts:
            yield ("smtp", "trusted", index), say("says the same as one above")
        trusts.add(trust)


def _strangers_trusted(document: Mapping[str, Any]) -> Found:
    """Whoever is in a trusted network sends legal acts: strangers only if that is said twice."""
    readable = [
        f"{listen.host}:{listen.port}"
        for key, listen, _ in _listeners(document)
        if key[0] == "smtp" and not listen.is_loopback and not listen.implicit_tls
    ]
    for index, trusted in enumerate(_tables(_table(document, "smtp"), "trusted")):
        try:
            network = ipaddress.ip_network(str(trusted.get("network")))
        except ValueError:
            continue
        if trusted.get("i_know") is True or _within(network, _THIS_MACHINE):
            continue
        key: Key = ("smtp", "trusted", index, "network")
        if not _within(network, _PRIVATE):
            yield (
                key,
                say(
                    "is wider than a private network, so strangers could send; {i_know}",
                    i_know=_I_KNOW,
                ),
            )
        elif readable:
            yield (
                key,
                say(
                    "may send without TLS on {place}, where others can read and change it; "
                    "listen on smtps:// there, or {i_know}",
                    place=readable[0],
                    i_know=_I_KNOW,
                ),
            )


def _within(network: Any, wide: Iterable[Any]) -> bool:
    return any(one.version == network.version and network.subnet_of(one) for one in wide)


def _ports(document: Mapping[str, Any]) -> Found:
    taken: list[tuple[Listen, str]] = []
    for key, listen, shown in _listeners(document):
        for other, owner in taken:
            if _collide(listen, other):
                yield key, shown.filled_with(owner=owner, **shown.values)
                break
        taken.append((listen, _shown(key)))


_COLLIDES = say("wants the port that {owner} has; give each its own")
_COLLIDES_BY_DEFAULT = say(
    "is {place} by default and wants the port that {owner} has; give each its own"
)


def _listeners(document: Mapping[str, Any]) -> Iterator[tuple[Key, Listen, Sentence]]:
    """Yield every address to listen on, and what is said where another has its port too.

    Defaults are among them; what cannot be read was told already.
    """
    for protocol, usual in (("imap", Imap().listen), ("smtp", Smtp().listen), ("http", ())):
        table = "web" if protocol == "http" else protocol
        given = _table(document, table).get("listen")
        if given is None:
            for one in usual:
                place = f"{one.host}:{one.port}"
                yield (table, "listen"), one, _COLLIDES_BY_DEFAULT.filled_with(place=place)
            continue
        for index, text in enumerate(given if isinstance(given, list) else [given]):
            key: Key = (table, "listen", index) if isinstance(given, list) else (table, "listen")
            try:
                yield key, Listen.reader(protocol)(text), _COLLIDES
            except ValueError:
                continue


def _shown(key: Key) -> str:
    return "".join(f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in key)[1:]


def _collide(one: Listen, other: Listen) -> bool:
    """Tell whether both cannot be open at once; port 0 is any free one."""
    if one.port == 0 or one.port != other.port:
        return False
    return any(_meet(a, b) for a in _hosts(one.host) for b in _hosts(other.host))


def _hosts(host: str) -> tuple[str, ...]:
    if host.casefold().rstrip(".") == "localhost":
        return _LOOPBACK
    try:
        return (str(ipaddress.ip_address(host)),)
    except ValueError:
        return (host.casefold().rstrip("."),)


def _meet(one: str, other: str) -> bool:
    """Tell whether two addresses are the same, or one means every address of the other's kind."""
    if one == other:
        return True
    wide = {"0.0.0.0": False, "::": True}  # noqa: S104 - settings to compare, nothing listens
    return any(a in wide and (":" in b) == wide[a] for a, b in ((one, other), (other, one)))


def _name(value: object) -> str:
    """Return a name as the API may compare it: without its case and the blanks around it."""
    return "".join(value.split()).casefold() if isinstance(value, str) else ""


def _table(document: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    table = document.get(name)
    return table if isinstance(table, dict) else {}


def _tables(table: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    items = table.get(name)
    return (
        [item if isinstance(item, dict) else {} for item in items]
        if isinstance(items, list)
        else []
    )
