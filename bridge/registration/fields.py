"""Every field of a registration, once: its name, its meaning, how it is read, and an example.

The command line's flags, its questions, the template and the checks are all made from ``FIELDS``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import partial

from bridge.language import say
from bridge.registration import choices, places, values

Value = str | bool | dict[str, object]
"""What a field holds once it was read."""

Read = Callable[[str], Value]


class Group(Enum):
    """What a field is about, as the template and the questions head it."""

    MAILBOX = say("The mailbox")
    APPLICANT = say("The applicant: the person who signs the form (richiedente)")
    HOLDER = say("The holder: whose mailbox it becomes (titolare)")
    DOCUMENT = say("The applicant's identity document; all five, or none")
    CALLBACK = say("Where the service tells of changes; leave out if nowhere")


@dataclass(frozen=True, slots=True)
class FormField:
    """One field.

    ``read`` turns what was typed into what is sent; ``required`` is what the service demands of
    everybody, ``usual`` what most registrations need as well, so that it is asked for.
    """

    name: str
    group: Group
    meaning: str
    read: Read
    example: str
    required: bool = False
    usual: bool = False
    choices: Mapping[str, str] = field(default_factory=dict)

    @property
    def flag(self) -> str:
        """The command line's option for it."""
        return f"--{self.name.replace('_', '-')}"


# The command line reads this table at every start: tax codes are loaded when there is one.


def _tax_code_of_person(value: str) -> str:
    from bridge.registration import taxcode

    return taxcode.person(value).text


def _tax_code(value: str) -> str:
    from bridge.registration import taxcode

    return taxcode.either(value)


def _choice(
    name: str, group: Group, meaning: str, among: Mapping[str, str], example: str, **more: bool
) -> FormField:
    read = partial(choices.choose, among=among)
    return FormField(name, group, meaning, read, example, choices=among, **more)


_birth_province = partial(places.province, birth=True)

FIELDS: tuple[FormField, ...] = (
    FormField("casella_pec", Group.MAILBOX, say("the address wanted"), values.box,
              "azienda@pecmassiva.com", required=True),
    _choice("tipo_casella", Group.MAILBOX, say("the kind of mailbox"), choices.KINDS,
            "PECMASSIVA", required=True),
    _choice("tipo_cliente", Group.MAILBOX, say("who the holder is"), choices.CUSTOMERS,
            "IM", required=True),
    _choice("sottotipo_cliente", Group.MAILBOX, say("what the holder does, for IM, PS and PL"),
            choices.ALL_TRADES, "IN", usual=True),
    FormField("sottotipo_cliente_altro", Group.MAILBOX,
              say("the same in words, where it is X (altro)"), values.text, ""),
    FormField("autorinnovo", Group.MAILBOX,
              say("renew by itself each year, from the wallet's credit"), values.flag, "false"),
    FormField("nome_richiedente", Group.APPLICANT, say("first name"), values.name, "Mario",
              required=True),
    FormField("cognome_richiedente", Group.APPLICANT, say("surname"), values.name, "Rossi",
              required=True),
    FormField("codice_fiscale_richiedente", Group.APPLICANT, say("codice fiscale"),
              _tax_code_of_person, "RSSMRA80A01H501U", required=True),
    _choice("sesso_richiedente", Group.APPLICANT, say("sex"), choices.SEXES, "M", required=True),
    FormField("data_nascita_richiedente", Group.APPLICANT, say("date of birth, dd/mm/yyyy"),
              values.day, "01/01/1980", required=True),
    FormField("nazione_nascita_richiedente", Group.APPLICANT, say("country of birth, two letters"),
              places.country, "IT", required=True),
    FormField("comune_nascita_richiedente", Group.APPLICANT, say("place of birth"), values.name,
              "Roma", usual=True),
    FormField("provincia_nascita_richiedente", Group.APPLICANT,
              say("province of birth, two letters; EE for abroad"), _birth_province, "RM",
              usual=True),
    FormField("email", Group.APPLICANT, say("an ordinary mail address, for the service's messages"),
              values.address, "mario.rossi@example.it", required=True),
    FormField("telefono", Group.APPLICANT, say("telephone"), values.phone, "0612345678",
              required=True),
    FormField("cellulare", Group.APPLICANT, say("mobile telephone"), values.phone, "3331234567"),
    FormField("denominazione_titolare", Group.HOLDER,
              say("name of the company, authority or association"), values.text, "Azienda S.r.l.",
              usual=True),
    FormField("cf_piva_titolare", Group.HOLDER, say("its partita IVA or codice fiscale"),
              _tax_code, "00743110157", usual=True),
    FormField("indirizzo_titolare", Group.HOLDER, say("street and number"), values.text,
              "Via Verdi 20", required=True),
    FormField("comune_titolare", Group.HOLDER, say("town"), values.name, "Roma", required=True),
    FormField("cap_titolare", Group.HOLDER, say("postal code (CAP)"), values.postcode, "00187",
              required=True),
    FormField("provincia_titolare", Group.HOLDER, say("province, two letters; EE for abroad"),
              _birth_province, "RM", required=True),
    FormField("nazione_titolare", Group.HOLDER, say("country, two letters"), places.country, "IT",
              required=True),
    _choice("tipo_documento", Group.DOCUMENT, say("kind of document"), choices.DOCUMENTS,
            "CARTA_D_IDENTITA"),
    FormField("numero_documento", Group.DOCUMENT, say("its number"), values.document_number,
              "CA12345AA"),
    FormField("documento_rilasciato_da", Group.DOCUMENT, say("who issued it"), values.text,
              "Comune di Roma"),
    FormField("data_rilascio_documento", Group.DOCUMENT, say("when it was issued, dd/mm/yyyy"),
              values.day, "01/02/2022"),
    FormField("data_scadenza_documento", Group.DOCUMENT, say("when it expires, dd/mm/yyyy"),
              values.day, "01/01/2032"),
    FormField("callback_url", Group.CALLBACK, say("an https:// address"), values.url,
              "https://www.example.it/pec"),
    _choice("callback_method", Group.CALLBACK, say("how it is called"), choices.CALLBACK_METHODS,
            "POST"),
    FormField("callback_field", Group.CALLBACK, say("the form's field that holds the data"),
              values.text, "data"),
    FormField("callback_data", Group.CALLBACK, say("a JSON object that is sent along"), values.data,
              '{"order": "42"}'),
)  # fmt: skip

BY_NAME: Mapping[str, FormField] = {one.name: one for one in FIELDS}

DOCUMENT_NAMES = tuple(one.name for one in FIELDS if one.group is Group.DOCUMENT)
CALLBACK_NAMES = tuple(one.name for one in FIELDS if one.group is Group.CALLBACK)
