"""A registration is taken whole or refused with every fault at once."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.registration import choices
from bridge.registration.fields import BY_NAME, FIELDS
from bridge.registration.places import PROVINCES
from bridge.registration.whole import Checked, check

TODAY = date(2026, 1, 15)

GOOD: dict[str, object] = {
    "casella_pec": "azienda@pecmassiva.com",
    "tipo_casella": "pecmassiva",
    "tipo_cliente": "IM",
    "sottotipo_cliente": "in",
    "nome_richiedente": "Mario",
    "cognome_richiedente": "Rossi",
    "email": "mario.rossi@example.it",
    "telefono": "+39 06 1234567",
    "codice_fiscale_richiedente": "rssmra80a01h501u",
    "data_nascita_richiedente": "1980-01-01",
    "sesso_richiedente": "m",
    "nazione_nascita_richiedente": "it",
    "provincia_nascita_richiedente": "rm",
    "denominazione_titolare": "Azienda S.r.l.",
    "cf_piva_titolare": "IT00743110157",
    "indirizzo_titolare": "Via Verdi 20",
    "comune_titolare": "Roma",
    "cap_titolare": "00187",
    "nazione_titolare": "IT",
    "provincia_titolare": "RM",
}
DOCUMENT: dict[str, object] = {
    "tipo_documento": "Carta d'identita",
    "numero_documento": "ca 12345 aa",
    "documento_rilasciato_da": "Comune di Roma",
    "data_rilascio_documento": "01/02/2022",
    "data_scadenza_documento": "01/01/2032",
}


def checked(**changes: object) -> Checked:
    return check(GOOD | changes, TODAY)


def faults(**changes: object) -> dict[str, str]:
    return {fault.field: fault.sentence for fault in checked(**changes).faults}


def test_a_good_one_is_taken_in_the_services_spelling() -> None:
    done = checked(**DOCUMENT)
    assert (done.faults, done.doubts) == ((), ())
    assert done.values["tipo_casella"] == "PECMASSIVA"
    assert done.values["sottotipo_cliente"] == "IN"
    assert done.values["data_nascita_richiedente"] == "01/01/1980"
    assert done.values["codice_fiscale_richiedente"] == "RSSMRA80A01H501U"
    assert done.values["cf_piva_titolare"] == "00743110157"
    assert done.values["telefono"] == "+39061234567"
    assert done.values["tipo_documento"] == "CARTA_D_IDENTITA"
    assert done.values["autorinnovo"] is False


def test_every_missing_field_is_named_at_once() -> None:
    done = check({}, TODAY)
    assert [fault.field for fault in done.faults] == [one.name for one in FIELDS if one.required]
    assert all(BY_NAME[fault.field].flag in fault.sentence for fault in done.faults)


BAD = {
    "casella_pec": ("azienda", "azienda@@pecmassiva.com", "a b@pecmassiva.com", "à@pecmassiva.com"),
    "tipo_casella": ("GRATIS", "1"),
    "tipo_cliente": ("XX",),
    "sottotipo_cliente": ("PA", "ZZ"),
    "nome_richiedente": ("123", "Ma\x00rio"),
    "email": ("mario", "mario@localhost", "mario@example..it", "Mario <m@example.it>"),
    "telefono": ("12", "telefono", "+39 06 12345678901234", "06\u0660\u0661\u0662\u0663\u0664"),
    "cellulare": ("333",),
    "codice_fiscale_richiedente": ("RSSMRA80A01H501X", "00743110157"),
    "data_nascita_richiedente": ("1/1/80", "31/02/1980", "01/01/2027", "01/01/1800", "ieri"),
    "sesso_richiedente": ("X",),
    "nazione_nascita_richiedente": ("XX", "ITA", "Italia"),
    "provincia_nascita_richiedente": ("XX", "Lazio"),
    "cf_piva_titolare": ("00743110158", "RSSMRA80A01H501X"),
    "cap_titolare": ("187", "0018A", "001877"),
    "nazione_titolare": ("XX",),
    "provincia_titolare": ("XX", "EE", "FU"),
    "autorinnovo": ("forse",),
    "callback_url": ("http://example.it/x", "ftp://example.it", "https://", "https://a:b@c.it/"),
    "callback_data": ("[]", "x"),
    "callback_method": ("GET",),
    "data_scadenza_documento": ("14/01/2026",),
    "data_rilascio_documento": ("16/01/2026",),
    "numero_documento": ("1", "CA/12345"),
}


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, values in BAD.items() for value in values]
)
def test_each_bad_value_is_a_fault_of_its_field(name: str, value: str) -> None:
    assert name in faults(**(DOCUMENT if "documento" in name else {}) | {name: value})


def test_a_field_has_one_fault_however_many_rules_it_breaks() -> None:
    told = [fault.field for fault in checked(cf_piva_titolare="1", sottotipo_cliente="ZZ").faults]
    assert told == ["sottotipo_cliente", "cf_piva_titolare"]


def test_all_bad_values_are_told_at_once() -> None:
    wrong: dict[str, object] = {name: values[0] for name, values in BAD.items()}
    # Which trades and which postcodes there are is not known without customer and country.
    told = set(BAD) - {"sottotipo_cliente", "cap_titolare"}
    assert told <= set(faults(**DOCUMENT | wrong))


def test_what_is_no_field_is_told_with_the_likely_one() -> None:
    assert faults(codice_fiscale_richidente="x") == {
        "codice_fiscale_richidente": "is not a field of a registration; did you mean "
        "codice_fiscale_richiedente?"
    }


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"data_nascita_richiedente": "02/01/1980"}, "codice_fiscale_richiedente"),
        ({"data_nascita_richiedente": "01/01/1981"}, "codice_fiscale_richiedente"),
        ({"sesso_richiedente": "F"}, "codice_fiscale_richiedente"),
        ({"codice_fiscale_richiedente": "RSSMRA80A01Z404R"}, "nazione_nascita_richiedente"),
        ({"provincia_nascita_richiedente": "EE"}, "provincia_nascita_richiedente"),
        ({"sottotipo_cliente": ""}, "sottotipo_cliente"),
        ({"sottotipo_cliente": "X"}, "sottotipo_cliente_altro"),
        ({"sottotipo_cliente_altro": "altro"}, "sottotipo_cliente_altro"),
        ({"tipo_cliente": "PV"}, "sottotipo_cliente"),
        ({"denominazione_titolare": ""}, "denominazione_titolare"),
        ({"cf_piva_titolare": None}, "cf_piva_titolare"),
        ({"numero_documento": "CA12345AA"}, "tipo_documento"),
        ({"callback_field": "data"}, "callback_url"),
        ({"casella_pec": "azienda@legalmail.it"}, "casella_pec"),
        ({"tipo_casella": "GOLD"}, "casella_pec"),
        (DOCUMENT | {"data_rilascio_documento": "01/01/2032"}, "data_rilascio_documento"),
    ],
)
def test_what_does_not_go_together(changes: dict[str, object], field: str) -> None:
    assert field in faults(**changes)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"cognome_richiedente": "Bianchi"}, "cognome_richiedente"),
        ({"nome_richiedente": "Luca"}, "nome_richiedente"),
        ({"nazione_nascita_richiedente": "HR"}, "nazione_nascita_richiedente"),
        ({"casella_pec": "azienda@pec.azienda.it"}, "casella_pec"),
    ],
)
def test_what_is_more_often_a_slip_is_a_doubt(changes: dict[str, object], field: str) -> None:
    done = checked(**changes)
    assert done.faults == ()
    assert [doubt.field for doubt in done.doubts] == [field]


def test_the_sandbox_has_domains_of_its_own() -> None:
    box = {"casella_pec": "azienda@testcert.legalmail.it", "tipo_casella": "BRONZE"}
    assert check(GOOD | box, TODAY, sandbox=True).faults == ()
    assert "casella_pec" in {fault.field for fault in check(GOOD | box, TODAY).faults}


def test_a_private_person_abroad_needs_no_company_and_no_italian_postcode() -> None:
    private = {
        "tipo_cliente": "PV",
        "sottotipo_cliente": "",
        "denominazione_titolare": "",
        "cf_piva_titolare": "",
        "nazione_titolare": "DE",
        "provincia_titolare": "EE",
        "cap_titolare": "10115",
    }
    assert faults(**private) == {}


def test_values_as_toml_has_them_are_taken() -> None:
    assert faults(data_nascita_richiedente=date(1980, 1, 1), telefono=612345678) == {}
    done = checked(autorinnovo=True, callback_url="https://e.it/x", callback_data={"a": 1})
    assert done.values["autorinnovo"] is True
    assert done.values["callback_data"] == {"a": 1}


@given(st.dictionaries(st.sampled_from([one.name for one in FIELDS]), st.text(max_size=40)))
def test_nothing_that_is_typed_breaks_the_check(typed: dict[str, str]) -> None:
    done = check(typed, TODAY)
    named = {fault.field for fault in done.faults}
    assert {one.name for one in FIELDS if one.required} - set(done.values) <= named


@pytest.mark.parametrize("field", FIELDS, ids=lambda one: one.name)
def test_each_fields_example_is_one(field: object) -> None:
    one = BY_NAME[getattr(field, "name", "")]
    if one.example:
        one.read(one.example)


def test_there_are_107_provinces() -> None:
    assert len(PROVINCES) == 107


def test_every_trade_is_some_customers() -> None:
    assert set(choices.ALL_TRADES) == {code for them in choices.TRADES.values() for code in them}
