"""The JSON of the mailbox host (pec.openapi.it) as values, and values as its JSON."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum
from typing import Any

from bridge.api.admin_schema import as_list, as_object, day, dump, instant, text, truth, whole
from bridge.api.lenient import UnreadableAnswer
from bridge.language import say


class MailboxState(Enum):
    """Where a mailbox stands, from its registration to its end."""

    REGISTERED = "registrata"
    IN_PROGRESS = "in_evasione"
    ACTIVE = "evasa"
    REVOKED = "revocata"
    CLOSED = "chiusa"
    WRONG_DOCUMENTS = "documenti_errati"
    CANCELLED = "registrazione_annullata"
    UNKNOWN = ""
    """A word that the description does not have; ``HostedMailbox.state_text`` has it."""


@dataclass(frozen=True, slots=True)
class MailboxUser:
    """A further user of a mailbox; ``login`` is the name to log in with."""

    id: str
    name: str
    surname: str
    description: str
    email: str
    login: str


@dataclass(frozen=True, slots=True)
class HostedMailbox:
    """A mailbox as the service tells of it; of a list, what is below ``expires_on`` is empty.

    Spaces are in the service's unit (megabytes), 0 where it says none.
    """

    id: str
    address: str
    kind: str
    state: MailboxState
    state_text: str
    owner: str
    registered_at: datetime | None
    fulfilled_at: datetime | None
    revoked_at: datetime | None
    expires_on: date | None
    domain: str = ""
    applicant: str = ""
    holder: str = ""
    user_id: str = ""
    renews_itself: bool | None = None
    callback_url: str = ""
    disk_space: int = 0
    history_space: int = 0
    archive_space: int = 0
    documents: tuple[str, ...] = ()
    users: tuple[MailboxUser, ...] = ()


@dataclass(frozen=True, slots=True)
class NewUser:
    """A further user to be added; ``email`` gets the link to set the password."""

    name: str
    surname: str
    description: str
    email: str


@dataclass(frozen=True, slots=True)
class Space:
    """Space to be bought, each "+1024" to add or "3072" to set; None leaves it as it is."""

    disk: str | None = None
    history: str | None = None
    archive: str | None = None


def read_mailbox(data: object) -> HostedMailbox:
    """Read one mailbox.

    Raises:
        UnreadableAnswer: there is none.
    """
    found = as_object(data, "mailbox")
    id, address = text(found.get("id")), text(found.get("casella_pec"))
    if not id or not address:
        raise UnreadableAnswer(say("the answer names no mailbox"))
    times = found.get("timestamp")
    times = times if isinstance(times, dict) else {}
    expiry = instant(times.get("scadenza"))
    callback = found.get("callback")
    return HostedMailbox(
        id=id,
        address=address,
        kind=text(found.get("tipo_casella")).upper(),
        state=_state(text(found.get("stato"))),
        state_text=text(found.get("stato")),
        owner=text(found.get("owner")),
        registered_at=instant(times.get("registrazione")),
        fulfilled_at=instant(times.get("evasione")),
        revoked_at=instant(times.get("revoca")),
        expires_on=day(found.get("data_scadenza")) or (expiry and expiry.date()),
        domain=text(found.get("dominio")) or address.rpartition("@")[2],
        applicant=_joined(found, "nome_richiedente", "cognome_richiedente"),
        holder=text(found.get("denominazione_titolare")),
        user_id=text(found.get("uid")),
        renews_itself=truth(found["autorinnovo"]) if "autorinnovo" in found else None,
        callback_url=text(callback.get("url")) if isinstance(callback, dict) else "",
        disk_space=whole(found.get("spazio_disco")) or 0,
        history_space=whole(found.get("spazio_storico")) or 0,
        archive_space=whole(found.get("spazio_conservazione")) or 0,
        documents=_texts(found.get("documenti_attivazione")),
        users=_users(found.get("multiutenza")),
    )


def _state(word: str) -> MailboxState:
    try:
        return MailboxState(word.strip().lower().replace(" ", "_"))
    except ValueError:
        return MailboxState.UNKNOWN


def _joined(found: Mapping[str, Any], *names: str) -> str:
    return " ".join(filter(None, (text(found.get(name)) for name in names)))


def _texts(value: object) -> tuple[str, ...]:
    return tuple(map(text, value)) if isinstance(value, list) else ()


def _users(value: object) -> tuple[MailboxUser, ...]:
    return tuple(map(_user, as_list(value))) if isinstance(value, list | dict) else ()


def _user(found: Mapping[str, Any]) -> MailboxUser:
    return MailboxUser(
        id=text(found.get("id_utenza")),
        name=text(found.get("nome")),
        surname=text(found.get("cognome")),
        description=text(found.get("descrizione")),
        email=text(found.get("email_gestione_password")),
        login=text(found.get("userid")),
    )


def read_mailboxes(data: object) -> tuple[HostedMailbox, ...]:
    """Read a list of mailboxes; what cannot be read as one is left out."""
    read = []
    for item in as_list(data):
        try:
            read.append(read_mailbox(item))
        except UnreadableAnswer:
            continue
    return tuple(read)


def read_available(data: object) -> bool:
    """Read whether an address is free.

    Raises:
        UnreadableAnswer: the answer does not say.
    """
    found = as_object(data, "verdict")
    if not isinstance(found.get("available"), bool | int | str):
        raise UnreadableAnswer(say("the answer does not say whether the address is free"))
    return truth(found["available"])


def registration_body(values: Mapping[str, object]) -> bytes:
    """Write a registration whose fields were checked (see ``bridge.registration``)."""
    body = {name: value for name, value in values.items() if not name.startswith("callback_")}
    callback = {
        name.removeprefix("callback_"): value
        for name, value in values.items()
        if name.startswith("callback_")
    }
    return dump({**body, "callback": callback} if callback else body)


def documents_body(pdfs: tuple[bytes, ...]) -> bytes:
    """Write the documents that activate a mailbox."""
    encoded = [base64.b64encode(pdf).decode() for pdf in pdfs]
    return dump({"documenti": encoded[0] if len(encoded) == 1 else encoded})


def space_body(space: Space) -> bytes:
    """Write a change of space; what begins with + is added, anything else is set."""
    wanted = {
        "spazio_disco": space.disk,
        "spazio_storico": space.history,
        "spazio_conservazione": space.archive,
    }
    return dump(
        {
            name: value if value.startswith("+") else int(value)
            for name, value in wanted.items()
            if value is not None
        }
    )


def kind_body(kind: str) -> bytes:
    """Write a conversion to another kind of mailbox."""
    return dump({"tipo_casella": kind})


def user_body(user: NewUser) -> bytes:
    """Write a further user."""
    return dump(
        {
            "nome": user.name,
            "cognome": user.surname,
            "descrizione": user.description,
            "email_gestione_password": user.email,
        }
    )
