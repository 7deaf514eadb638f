"""The values that a field may take, each with its meaning; as the service's description has them.

A choice is matched in any case, and the description's spelling is what is sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bridge.language import say


@dataclass(frozen=True, slots=True)
class Domain:
    """Where a kind of mailbox lives: its domain, and the one in the service's sandbox."""

    production: str
    sandbox: str


LEGALMAIL = Domain("legalmail.it", "testcert.legalmail.it")
DIGITAL = Domain("domiciliodigitale.com", "test.domiciliodigitale.com")
MASSIVE = Domain("pecmassiva.com", "testcert.legalmail.it")

KINDS: Mapping[str, str] = {
    "PECMASSIVA": say("reached by the API, for mass sending"),
    "STANDARD": say("an ordinary mailbox at legalmail.it"),
    "BRONZE": say("an ordinary mailbox at legalmail.it"),
    "SILVER": say("an ordinary mailbox at legalmail.it, larger"),
    "GOLD": say("an ordinary mailbox at legalmail.it, largest"),
    "DOMICILIODIGITALE": say("a digital domicile at domiciliodigitale.com"),
}
"""Kinds of mailbox (``tipo_casella``)."""

DOMAINS: Mapping[str, Domain] = {
    "PECMASSIVA": MASSIVE,
    "DOMICILIODIGITALE": DIGITAL,
    "STANDARD": LEGALMAIL,
    "BRONZE": LEGALMAIL,
    "SILVER": LEGALMAIL,
    "GOLD": LEGALMAIL,
}

CONVERTIBLE = ("STANDARD", "BRONZE", "SILVER", "GOLD")
"""The kinds that space, conversion and further users are for."""

CUSTOMERS: Mapping[str, str] = {
    "IM": "impresa",
    "PS": "professionista",
    "PL": "pubblica amministrazione locale",
    "PC": "pubblica amministrazione centrale",
    "A": "associazione",
    "PV": "privato",
    "X": "altro",
}
"""Who the holder is (``tipo_cliente``)."""

ORGANISATIONS = frozenset({"IM", "PL", "PC", "A"})
"""Customers that have a name and a tax code of their own, apart from the applicant's."""

OTHER = "X"
"""The customer, and the trade of any, that the lists do not name."""

TRADES: Mapping[str, Mapping[str, str]] = {
    "IM": {
        "SI": "servizi imprese",
        "IN": "informatica",
        "CM": "commercio",
        "TE": "telecomunicazioni",
        "ES": "editoria, stampa",
        "ME": "meccanica, elettrica",
        "AL": "alimentare",
        "CF": "chimica, farmaceutica",
        "ED": "edilizia",
        "TM": "tessile, moda",
        "MA": "mobili, arredamenti",
        "AR": "alberghi, ristoranti",
        "TL": "trasporti, logistica",
        "FI": "finanza",
        "X": "altro",
    },
    "PS": {
        "PC": "commercialista",
        "PR": "ragioniere",
        "PN": "notaio",
        "PT": "tributarista",
        "PA": "avvocato",
        "PL": "consulente del lavoro",
        "X": "altro",
    },
    "PL": {
        "LR": "regione",
        "LP": "provincia",
        "LC": "comune",
        "LM": "comunità montana",
        "LA": "ASL",
        "LI": "CCIAA",
        "X": "altro",
    },
}
"""What a customer does (``sottotipo_cliente``), by who it is; other customers have none."""

ALL_TRADES: Mapping[str, str] = {
    code: " / ".join(dict.fromkeys(trades[code] for trades in TRADES.values() if code in trades))
    for code in dict.fromkeys(code for trades in TRADES.values() for code in trades)
}

SEXES: Mapping[str, str] = {"M": say("male"), "F": say("female")}

DOCUMENTS: Mapping[str, str] = {
    "CARTA_D_IDENTITA": "carta d'identità",
    "PATENTE": "patente",
    "PASSAPORTO": "passaporto",
}
"""Kinds of identity document (``tipo_documento``)."""

CALLBACK_METHODS: Mapping[str, str] = {"POST": say("a form"), "JSON": say("a JSON body")}


def choose(text: str, among: Mapping[str, str]) -> str:
    """Return the choice that ``text`` means.

    Raises:
        ValueError: it is none of them; the text is what to say after the field's name.
    """
    wanted = text.strip().upper().replace(" ", "_").replace("'", "_")
    if wanted not in among:
        raise ValueError(say("must be one of {among}", among=", ".join(among)))
    return wanted
