"""The mailboxes of the administration host: registered, activated, renewed, ended.

A mailbox moves by commands (``move``) and by the clock: its documents are worked on for
``processing_s`` seconds, and it runs a year from then. Rules, numbers and words are those of the
description's examples; where it has only one number for a kind of error, that one is used.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bridge.simulator.admin_call import NotDone
from bridge.simulator.purse import AdminPrices, Purse

REQUIRED = [
    "casella_pec",
    "tipo_casella",
    "tipo_cliente",
    "nome_richiedente",
    "cognome_richiedente",
    "email",
    "telefono",
    "codice_fiscale_richiedente",
    "data_nascita_richiedente",
    "sesso_richiedente",
    "nazione_nascita_richiedente",
    "indirizzo_titolare",
    "comune_titolare",
    "cap_titolare",
    "nazione_titolare",
    "provincia_titolare",
]
OPTIONAL = [
    "sottotipo_cliente",
    "sottotipo_cliente_altro",
    "cellulare",
    "comune_nascita_richiedente",
    "provincia_nascita_richiedente",
    "denominazione_titolare",
    "cf_piva_titolare",
]
KINDS = ("STANDARD", "BRONZE", "SILVER", "GOLD", "DOMICILIODIGITALE", "PECMASSIVA")
SMALL = ("DOMICILIODIGITALE", "PECMASSIVA")
DOMAINS = (
    "legalmail.it",
    "pecmassiva.com",
    "domiciliodigitale.com",
    "testcert.legalmail.it",
    "test.domiciliodigitale.com",
)
STATES = (
    "registrata",
    "in_evasione",
    "documenti_errati",
    "evasa",
    "revocata",
    "chiusa",
    "registrazione_annullata",
)
YEAR = timedelta(days=365)
ID_DIGITS = 24
MAX_USERS = 25

Fields = dict[str, object]


@dataclass(slots=True)
class Box:
    """One mailbox: ``given`` is what was registered, ``shown`` what the service adds."""

    id: str
    address: str
    given: Fields = field(repr=False)
    owner: str
    registered_at: datetime
    state: str = "registrata"
    changed_at: datetime | None = None
    fulfilled_at: datetime | None = None
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    due_at: datetime | None = None
    spaces: dict[str, int] = field(default_factory=dict)
    users: list[Fields] = field(default_factory=list)
    documents: list[bytes] = field(default_factory=list, repr=False)


class Registry:
    """See the module.

    Args:
        now: the time.
        name: gives a new id of 24 digits.
        purse: pays.
        opened: is told the address of a mailbox that has become active.

    Raises:
        NotDone: the service says no to an operation.
    """

    def __init__(
        self,
        now: Callable[[], datetime],
        name: Callable[[], str],
        purse: Purse,
        opened: Callable[[str], None],
    ) -> None:
        self.boxes: dict[str, Box] = {}
        self.owner = "titolare@example.it"
        self.prices = AdminPrices()
        self.processing_s = 86_400.0
        self.certified = {*DOMAINS, "pec.example"}
        self.taken: set[str] = set()
        self._now = now
        self._name = name
        self._purse = purse
        self._opened = opened

    def run_due(self) -> None:
        """Let happen what the clock has made due."""
        for box in self.boxes.values():
            if box.due_at is not None and box.due_at <= self._now():
                self.move(box.id, "evasa")
            if box.expires_at is not None and box.expires_at <= self._now():
                self._expire(box)

    def _expire(self, box: Box) -> None:
        if box.given.get("autorinnovo") is True:
            self._purse.charge(self.prices.mailbox_year, f"renewal of {box.address}", 262)
            box.expires_at = self._now() + YEAR
        elif box.state == "evasa":
            box.state, box.revoked_at = "revocata", self._now()

    def move(self, id: str, state: str) -> None:
        """Put a mailbox into a state, as the service's people would."""
        box = self.boxes[id]
        box.state, box.changed_at, box.due_at = state, self._now(), None
        if state == "evasa" and box.fulfilled_at is None:
            box.fulfilled_at = self._now()
            box.expires_at = self._now() + YEAR
            self._opened(box.address)

    # --- operations, each raising NotDone for a no ---

    def domain(self, domain: str) -> bool:
        """``GET /domini_pec/{dominio}``; False is a 204."""
        if not domain.strip():
            raise NotDone(428, "domain required", 400)
        if "." not in domain or "@" in domain:
            raise NotDone(406, "domain not valid", 401)
        self._purse.charge(self.prices.domain, "domain check", 403)
        return domain.casefold() in self.certified

    def available(self, address: str) -> bool:
        """``GET /verifica_pec/{pec}``."""
        if not address.strip():
            raise NotDone(428, "casella_pec required", 207)
        if address.count("@") != 1 or address.casefold().partition("@")[2] not in DOMAINS:
            raise NotDone(406, "invalid casella_pec", 208)
        return not self._is_taken(address)

    def _is_taken(self, address: str) -> bool:
        known = {box.address.casefold() for box in self.boxes.values()} | self.taken
        return address.casefold() in known

    def register(self, body: Fields) -> Box:
        """``POST /pec``."""
        for name in REQUIRED:
            if not body.get(name):
                raise NotDone(428, f"{name} required", 224)
        day = str(body["data_nascita_richiedente"])
        if len(day) != 10 or day[2] != "/" or day[5] != "/":
            words = "data_nascita_richiedente not valid, accepted format: dd/mm/yyyy"
            raise NotDone(406, words, 242)
        kind, address = str(body["tipo_casella"]).upper(), str(body["casella_pec"])
        if kind not in KINDS:
            raise NotDone(406, "tipo_casella not valid", 242)
        domain = address.partition("@")[2]
        if domain not in DOMAINS:
            words = f"the domain {domain} is non-existent in the system or belongs to someone else"
            raise NotDone(404, words, 326)
        if self._is_taken(address):
            raise NotDone(406, "casella_pec not available", 242)
        self._purse.charge(self.prices.mailbox_year, f"registration of {address}", 262)
        box = Box(self._name(), address, {**body, "tipo_casella": kind}, self.owner, self._now())
        self.boxes[box.id] = box
        return box

    def find(self, id: str, wrong: int, missing: int) -> Box:
        """Return a mailbox, or say no with the operation's own two numbers."""
        if len(id) != ID_DIGITS or not all(char in "0123456789abcdef" for char in id):
            raise NotDone(400, "Wrong id", wrong)
        if id not in self.boxes:
            raise NotDone(404, "no pec found", missing)
        return self.boxes[id]

    def activate(self, id: str, body: Fields) -> Box:
        """``PATCH /pec/{id}/attivazione``."""
        box = self.find(id, 265, 266)
        if box.state not in ("registrata", "documenti_errati"):
            words = "you can activate the pec only when it is in the "
            raise NotDone(428, words + "'registrata|documenti_errati' state", 267)
        given = body.get("documenti")
        files = [_pdf(one) for one in (given if isinstance(given, list) else [given])]
        if box.given["tipo_casella"] in SMALL and len(files) != 1:
            raise NotDone(406, "wrong file format, a single pdf required", 296)
        box.documents = files
        box.state, box.changed_at = "in_evasione", self._now()
        box.due_at = self._now() + timedelta(seconds=self.processing_s)
        return box

    def form(self, id: str) -> bytes:
        """``GET /pec/{id}/modulo_attivazione``."""
        try:
            box = self.find(id, 0, 0)
        except NotDone as no:
            words = "Invalid id" if no.status == 400 else f"no request matches this id: {id}"
            raise NotDone(no.status, words, None, plain=True) from None
        return one_page_pdf(f"Modulo di attivazione: {box.address}")

    def renew(self, id: str, years: str) -> Box:
        """``GET /pec/{id}/rinnovo``."""
        box = self.find(id, 201, 202)
        if box.state not in ("evasa", "revocata") or box.expires_at is None:
            raise NotDone(428, "you can renew only evaded or revoked pec", 203)
        count = int(years) if years.isdigit() and int(years) else 1
        self._purse.charge(self.prices.mailbox_year * count, f"renewal of {box.address}", 262)
        box.expires_at = max(box.expires_at, self._now()) + YEAR * count
        box.state, box.revoked_at, box.changed_at = "evasa", None, self._now()
        return box

    def space(self, id: str, body: Fields) -> Box:
        """``PATCH /pec/{id}/modifica``."""
        box = self.find(id, 265, 266)
        self._not_small(box)
        for name, unit in (("spazio_disco", 1024), ("spazio_storico", 1024)):
            self._grow(box, name, body.get(name), unit)
        if "spazio_conservazione" in body and not box.spaces.get("spazio_conservazione"):
            raise NotDone(428, "you must first activate the 'conservazione' service", 282)
        self._grow(box, "spazio_conservazione", body.get("spazio_conservazione"), 512)
        self._purse.charge(self.prices.space, f"space of {box.address}", 290)
        box.changed_at = self._now()
        return box

    def _grow(self, box: Box, name: str, wanted: object, unit: int) -> None:
        if wanted is None:
            return
        number = int(str(wanted).lstrip("+"))
        if number % unit:
            raise NotDone(406, f"the system only takes into account multiples of {unit}", 325)
        before = box.spaces.get(name, 0)
        box.spaces[name] = before + number if str(wanted).startswith("+") else number

    def convert(self, id: str, body: Fields) -> Box:
        """``PATCH /pec/{id}/trasformazione``."""
        box = self.find(id, 265, 266)
        self._not_small(box)
        if box.state != "evasa":
            words = "you can trasform your certified mail only if it has been processed"
            raise NotDone(428, words, 272)
        kind, now = str(body.get("tipo_casella")), str(box.given["tipo_casella"])
        if kind not in KINDS or KINDS.index(kind) <= KINDS.index(now):
            larger = " or ".join(KINDS[KINDS.index(now) + 1 : 4])
            words = f"a downgrade of the 'tipo_casella' is not allowed; only {larger} allowed"
            raise NotDone(406, words, 276)
        self._purse.charge(self.prices.conversion, f"conversion of {box.address}", 279)
        box.given["tipo_casella"], box.changed_at = kind, self._now()
        return box

    def add_user(self, id: str, body: Fields) -> Box:
        """``POST /pec/{id}/multiutenza``."""
        box = self.find(id, 212, 213)
        self._not_small(box)
        if len(box.users) >= MAX_USERS:
            raise NotDone(406, f"maximum number of users reached: {MAX_USERS}", 217)
        self._purse.charge(self.prices.user, f"user of {box.address}", 220)
        number = len(box.users)
        box.users.append(
            {
                **body,
                "id_utenza": f"{box.id}_{number}",
                "timestamp": {"attivazione": int(self._now().timestamp())},
                "userid": f"MA{number:06d}",
            }
        )
        return box

    def _not_small(self, box: Box) -> None:
        if box.given["tipo_casella"] in SMALL:
            words = "this service cannot be activated on these boxes: DOMICILIODIGITALE|PECMASSIVA"
            raise NotDone(428, words, 390)

    def revoke(self, id: str) -> Box:
        """``DELETE /pec/{id}``."""
        box = self.find(id, 301, 302)
        if box.state == "revocata":
            raise NotDone(406, "your pec has already been revoked", 303)
        if box.state != "evasa":
            raise NotDone(428, "you can revoke the pec only if it is active", 304)
        box.state, box.revoked_at, box.changed_at = "revocata", self._now(), self._now()
        return box


def _pdf(encoded: object) -> bytes:
    try:
        content = base64.b64decode(str(encoded or ""), validate=True)
    except (binascii.Error, ValueError):
        content = b""
    if not content.startswith(b"%PDF-"):
        raise NotDone(406, "wrong file format, pdf required", 296)
    return content


def one_page_pdf(text: str) -> bytes:
    """Return a PDF with one line of text on one page."""
    stream = f"BT /F1 12 Tf 72 770 Td ({text}) Tj ET".encode("latin-1", "replace")
    objects = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R "
        b"/Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    )
    out = bytearray(b"%PDF-1.4\n")
    places = []
    for number, content in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table_at = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"trailer\n<< /Size %d /Root 1 0 R >>\n" % (len(objects) + 1)
    return bytes(out + b"startxref\n%d\n%%%%EOF\n" % table_at)
