"""How the two administration hosts write what they have, as their descriptions' examples do."""

from __future__ import annotations

from datetime import datetime

from bridge.simulator.purse import Charge, Purse
from bridge.simulator.registry import OPTIONAL, Box
from bridge.simulator.tokens import Issued


def box_row(box: Box) -> dict[str, object]:
    """Return a mailbox as the list shows it."""
    return {
        "id": box.id,
        "casella_pec": box.address,
        "tipo_casella": box.given["tipo_casella"],
        "stato": box.state,
        "data_scadenza": _day(box.expires_at),
        "timestamp": _times(box),
        "owner": box.owner,
    }


def box_whole(box: Box) -> dict[str, object]:
    """Return a mailbox with all that is known of it."""
    given = {name: "" for name in OPTIONAL} | box.given
    callback = given.pop("callback", None)
    whole: dict[str, object] = {
        **given,
        **box_row(box),
        "dominio": box.address.partition("@")[2],
        "cod_attivazione": box.id[:8],
        "uid": f"MA{box.id[-6:]}",
        "conservazione": bool(box.spaces.get("spazio_conservazione")),
        "descrizione": box.address,
        "sms": False,
        "spazio_conservazione": box.spaces.get("spazio_conservazione", 0),
        "spazio_disco": box.spaces.get("spazio_disco", 0),
        "spazio_storico": box.spaces.get("spazio_storico", 0),
        "storico": bool(box.spaces.get("spazio_storico")),
        "documenti_attivazione": [
            f"{box.id}_{number}_attivazione.pdf" for number in range(len(box.documents))
        ],
        "multiutenza": box.users,
        "autorinnovo": given.get("autorinnovo") is True,
    }
    if isinstance(callback, dict):
        whole["callback"] = {"method": "POST", "data": {}, **callback}
    return whole


def _times(box: Box) -> dict[str, int]:
    times = {
        "registrazione": box.registered_at,
        "ultima_modifica": box.changed_at,
        "evasione": box.fulfilled_at,
        "scadenza": box.expires_at,
        "revoca": box.revoked_at,
    }
    return {name: int(at.timestamp()) for name, at in times.items() if at is not None}


def _day(at: datetime | None) -> str:
    return "" if at is None else at.strftime("%d/%m/%Y")


def _moment(at: datetime) -> str:
    return at.isoformat(timespec="seconds")


def token(issued: Issued) -> dict[str, object]:
    """Return a token."""
    return {
        "token": issued.token,
        "name": issued.name,
        "createdAt": _moment(issued.created_at),
        "expireAt": _moment(issued.expires_at),
        "updatedAt": _moment(issued.updated_at),
        "scopes": issued.scopes,
        "refreshToken": issued.refresh,
        "stats": {"totalRequests": 0, "walletAmount": 0.0},
    }


def wallet(purse: Purse, now: datetime) -> dict[str, object]:
    """Return the wallet."""
    return {"credit": purse.credit_eur, "createdAt": _moment(now), "updatedAt": _moment(now)}


def transaction(charge: Charge) -> dict[str, object]:
    """Return one movement of the wallet."""
    return {
        "id": charge.id,
        "amount": charge.amount_eur,
        "createdAt": _moment(charge.at),
        "description": charge.what,
    }


def stats(count: int, refused: int, price_eur: float) -> dict[str, object]:
    """Return what was counted for the host that sends."""
    figures: dict[str, object] = {
        "totalRequests": count,
        "walletRequests": count - refused,
        "subscriptionRequests": 0,
        "errorRequests": refused,
        "walletAmount": round((count - refused) * price_eur, 4),
    }
    scope = {**figures, "ip": ["127.0.0.1"]}
    whole = {**figures, "ip": ["127.0.0.1"], "totalIps": 1, "totalScopes": 1}
    return {**whole, "scopes": {"POST:ws.pecmassiva.com/send": scope}}
