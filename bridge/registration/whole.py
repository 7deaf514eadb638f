"""A registration as a whole: every value read, every rule between values, all faults at once.

A *fault* keeps it from being sent. A *doubt* is something that may be right and is more often a
slip (a name that the codice fiscale does not spell): it is shown before the money is spent.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches

from bridge.language import Sentence, listed, say
from bridge.registration import choices, places, taxcode, values
from bridge.registration.fields import (
    BY_NAME,
    CALLBACK_NAMES,
    DOCUMENT_NAMES,
    FIELDS,
    Value,
)

ADULT_YEARS = 18
OLDEST_YEARS = 120
ITALIAN_CAP_DIGITS = 5
TEXT_MAX_CHARS = 100_000


@dataclass(frozen=True, slots=True)
class FieldFault:
    """What is wrong with one field; ``sentence`` follows its name and says what to do."""

    field: str
    sentence: str

    def __str__(self) -> str:
        """Return it as one line."""
        return str(self.said)

    @property
    def said(self) -> Sentence:
        """The line, for whoever reads it in another language."""
        return listed(": ", (self.field, self.sentence))


@dataclass(frozen=True, slots=True)
class Checked:
    """What came of a check: ``values`` is fit to be sent if ``faults`` is empty."""

    values: Mapping[str, Value]
    faults: tuple[FieldFault, ...]
    doubts: tuple[FieldFault, ...]


def check(given: Mapping[str, object], today: date, *, sandbox: bool = False) -> Checked:
    """Check a registration whole.

    Args:
        given: fields by name, as typed; empty ones count as not given.
        today: for ages and expiries.
        sandbox: whether it is for the service's sandbox, whose domains are others.
    """
    faults = [_unknown(name) for name in given if name not in BY_NAME]
    found: dict[str, Value] = {}
    for field in FIELDS:
        typed = _typed(given.get(field.name))
        if typed is None or not typed.strip():
            if field.required:
                faults.append(
                    FieldFault(
                        field.name,
                        say(
                            "is missing: {meaning} ({flag})", meaning=field.meaning, flag=field.flag
                        ),
                    )
                )
            continue
        try:
            found[field.name] = field.read(typed[:TEXT_MAX_CHARS])
        except ValueError as error:
            faults.append(FieldFault(field.name, error.args[0]))
    texts = {name: value for name, value in found.items() if isinstance(value, str)}
    broken = {fault.field for fault in faults}
    for rule in _RULES:
        faults += (fault for fault in rule(texts, today) if fault.field not in broken)
    misplaced, foreign = _domain(texts, sandbox)
    faults += (misplaced,) if misplaced else ()
    doubts = [*((foreign,) if foreign else ()), *_doubts(texts, today)]
    found.setdefault("autorinnovo", False)
    order = {field.name: at for at, field in enumerate(FIELDS)}
    faults.sort(key=lambda fault: order.get(fault.field, -1))
    return Checked(found, tuple(dict.fromkeys(faults)), tuple(doubts))


def _typed(value: object) -> str | None:
    """Return a value as if it had been typed: TOML has dates, numbers and booleans."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return json.dumps(value, default=str)
    return str(value)


def _unknown(name: str) -> FieldFault:
    close = get_close_matches(name, BY_NAME, n=1)
    if not close:
        return FieldFault(name, say("is not a field of a registration"))
    return FieldFault(
        name, say("is not a field of a registration; did you mean {close}?", close=close[0])
    )


Texts = Mapping[str, str]


def _trade(texts: Texts, _today: date) -> Iterator[FieldFault]:
    customer, trade = texts.get("tipo_cliente"), texts.get("sottotipo_cliente")
    trades = choices.TRADES.get(customer or "")
    if customer is not None and trades is None and trade is not None:
        yield FieldFault(
            "sottotipo_cliente",
            say("must be left out for tipo_cliente {customer}", customer=customer),
        )
    elif trades is not None and trade is None:
        yield FieldFault(
            "sottotipo_cliente", say("is missing: one of {trades}", trades=_listed(trades))
        )
    elif trades is not None and trade not in trades:
        yield FieldFault(
            "sottotipo_cliente",
            say(
                "must, for tipo_cliente {customer}, be one of {trades}",
                customer=customer,
                trades=_listed(trades),
            ),
        )
    other = texts.get("sottotipo_cliente_altro")
    if trade == choices.OTHER and other is None:
        yield FieldFault(
            "sottotipo_cliente_altro", say("is missing: with X, say in words what it is")
        )
    if other is not None and choices.OTHER not in (trade, customer):
        yield FieldFault(
            "sottotipo_cliente_altro", say("must be left out unless sottotipo_cliente is X")
        )


def _listed(among: Mapping[str, str]) -> str:
    return ", ".join(f"{code} ({meaning})" for code, meaning in among.items())


def _person(texts: Texts, today: date) -> Iterator[FieldFault]:
    born = texts.get("data_nascita_richiedente")
    if born is not None:
        age = _years(values.date_of(born), today)
        if not 0 <= age <= OLDEST_YEARS:
            yield FieldFault("data_nascita_richiedente", say("is nobody's who is alive today"))
    code = _code_of(texts)
    if code is None:
        return
    name = "codice_fiscale_richiedente"
    if born is not None and not code.is_born(values.date_of(born)):
        says = f"{code.day:02d}/{code.month:02d}/..{code.year:02d}"
        yield FieldFault(
            name,
            say(
                "is of somebody born on {says}, not on {born}: one of them is wrong",
                says=says,
                born=born,
            ),
        )
    sex = texts.get("sesso_richiedente")
    if sex is not None and sex != code.sex:
        yield FieldFault(
            name,
            say(
                "is of a person of sex {sex}, not {stated}: one of them is wrong",
                sex=code.sex,
                stated=sex,
            ),
        )
    if code.born_abroad and texts.get("nazione_nascita_richiedente") == places.ITALY:
        yield FieldFault(
            "nazione_nascita_richiedente",
            say("cannot be IT: the codice fiscale is of somebody born abroad"),
        )


def _birth(texts: Texts, _today: date) -> Iterator[FieldFault]:
    country = texts.get("nazione_nascita_richiedente")
    province = texts.get("provincia_nascita_richiedente")
    if country == places.ITALY and province == places.ABROAD:
        yield FieldFault("provincia_nascita_richiedente", say("cannot be EE for a birth in Italy"))


def _holder(texts: Texts, _today: date) -> Iterator[FieldFault]:
    if texts.get("tipo_cliente") in choices.ORGANISATIONS:
        for name in ("denominazione_titolare", "cf_piva_titolare"):
            if name not in texts:
                yield FieldFault(
                    name,
                    say(
                        "is missing: {meaning} ({flag})",
                        meaning=BY_NAME[name].meaning,
                        flag=BY_NAME[name].flag,
                    ),
                )
    in_italy = texts.get("nazione_titolare") == places.ITALY
    cap = texts.get("cap_titolare")
    if in_italy and cap is not None and not (cap.isdigit() and len(cap) == ITALIAN_CAP_DIGITS):
        yield FieldFault(
            "cap_titolare",
            say(
                "must be {count} digits in Italy",
                count=ITALIAN_CAP_DIGITS,
            ),
        )
    province = texts.get("provincia_titolare")
    if in_italy and province in places.PAST_PROVINCES - places.SARDINIAN | {places.ABROAD}:
        yield FieldFault("provincia_titolare", say("must be a province of today"))


def _document(texts: Texts, today: date) -> Iterator[FieldFault]:
    given = [name for name in DOCUMENT_NAMES if name in texts]
    for name in DOCUMENT_NAMES if given else ():
        if name not in texts:
            yield FieldFault(
                name,
                say(
                    "is missing: a document is described by all of its fields ({name})",
                    name=_flag(name),
                ),
            )
    issued, expires = texts.get("data_rilascio_documento"), texts.get("data_scadenza_documento")
    if issued is not None and values.date_of(issued) > today:
        yield FieldFault("data_rilascio_documento", say("lies in the future"))
    if expires is not None and values.date_of(expires) < today:
        yield FieldFault(
            "data_scadenza_documento", say("has passed: the service wants a valid document")
        )
    if issued and expires and values.date_of(issued) >= values.date_of(expires):
        yield FieldFault("data_scadenza_documento", say("is not after data_rilascio_documento"))


def _callback(texts: Texts, _today: date) -> Iterator[FieldFault]:
    others = [name for name in CALLBACK_NAMES[1:3] if name in texts]
    if others and CALLBACK_NAMES[0] not in texts:
        yield FieldFault(
            CALLBACK_NAMES[0], say("is missing beside {others}", others=", ".join(others))
        )


def _flag(name: str) -> str:
    return BY_NAME[name].flag


_RULES: tuple[Callable[[Texts, date], Iterator[FieldFault]], ...] = (
    _trade,
    _person,
    _birth,
    _holder,
    _document,
    _callback,
)


def _domain(texts: Texts, sandbox: bool) -> tuple[FieldFault | None, FieldFault | None]:
    """Return the fault of a domain that is another kind's, or the doubt about an unknown one."""
    box, kind = texts.get("casella_pec"), texts.get("tipo_casella")
    if box is None or kind is None:
        return None, None
    domain = box.rpartition("@")[2]
    right = choices.DOMAINS[kind]
    wanted = right.sandbox if sandbox else right.production
    if domain == wanted:
        return None, None
    vendors = {name for one in choices.DOMAINS.values() for name in (one.production, one.sandbox)}
    if domain in vendors:
        ends = (
            say("must in the sandbox end in @{wanted} for {kind}")
            if sandbox
            else say("must end in @{wanted} for {kind}")
        )
        return FieldFault("casella_pec", ends.filled_with(wanted=wanted, kind=kind)), None
    own = say(
        "does not end in @{wanted}: right only if {domain} is a certified domain of your own",
        wanted=wanted,
        domain=domain,
    )
    return None, FieldFault("casella_pec", own)


def _doubts(texts: Texts, today: date) -> Iterator[FieldFault]:
    born = texts.get("data_nascita_richiedente")
    if born is not None and 0 <= _years(values.date_of(born), today) < ADULT_YEARS:
        yield FieldFault(
            "data_nascita_richiedente",
            say("is of somebody younger than {years}", years=ADULT_YEARS),
        )
    code = _code_of(texts)
    if code is None:
        return
    for otherwise, field, spelt, has in (
        (
            say("would give {letters}; the surname in the codice fiscale is {has}"),
            "cognome_richiedente",
            taxcode.surname_letters,
            code.surname,
        ),
        (
            say("would give {letters}; the first name in the codice fiscale is {has}"),
            "nome_richiedente",
            taxcode.name_letters,
            code.name,
        ),
    ):
        if field in texts and (letters := spelt(texts[field])) != has:
            yield FieldFault(field, otherwise.filled_with(letters=letters, has=has))
    country = texts.get("nazione_nascita_richiedente")
    if country not in (None, places.ITALY) and not code.born_abroad:
        yield FieldFault(
            "nazione_nascita_richiedente",
            say(
                "is {country}, but the codice fiscale is of somebody born in Italy", country=country
            ),
        )


def _code_of(texts: Texts) -> taxcode.PersonCode | None:
    text = texts.get("codice_fiscale_richiedente")
    return None if text is None else taxcode.person(text)


def _years(since: date, today: date) -> int:
    return today.year - since.year - ((today.month, today.day) < (since.month, since.day))
