"""The words of a day's collected message: how many of what, what to do, and every one of them.

Pure: same input, same words. What is over by now is counted and listed apart.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType

from bridge.alarms.kind import REFUSED, AlarmKind
from bridge.alarms.notices import BETWEEN, both
from bridge.clock import ROME
from bridge.language import Title, Voice, rendered
from bridge.store.figures import DayFigures
from bridge.store.notices import NoticeRow

NAMED_IN_SUBJECT = 3


@dataclass(frozen=True, slots=True)
class Topic:
    """What notices of a kind are called, and what a person does about them."""

    italian: str
    english: str
    do_italian: str
    do_english: str


_SHOWN_IT = "Stato di ciascuno: `pec-bridge receipts show CODICE`."
_SHOWN_EN = "Each one's state: `pec-bridge receipts show CODE`."

TOPICS: Mapping[str, Topic] = MappingProxyType(
    {
        AlarmKind.FAILURE.value: Topic(
            "non consegnati",
            "not delivered",
            "Anche «casella piena» vale come mancata consegna: tocca al mittente provvedere. "
            f"{_SHOWN_IT}",
            f"A full mailbox counts as not delivered too: it is for the sender to act. {_SHOWN_EN}",
        ),
        REFUSED: Topic(
            "non inviati",
            "not sent",
            "Non è partito nulla: correggere e inviare di nuovo. Gli originali sono nella "
            "cartella Unsent; elenco: `pec-bridge queue list --state refused`.",
            "Nothing left: mend the messages and send them again. The originals are in the "
            "mailbox Unsent; list: `pec-bridge queue list --state refused`.",
        ),
        AlarmKind.UNCERTAIN.value: Topic(
            "di invio incerto",
            "uncertain",
            "Non si sa se siano partiti, e non vengono rispediti da soli. Cercare le accettazioni "
            "nella webmail, poi per ciascuno `pec-bridge queue resolve ID` con --sent CODICE, "
            "--resend o --drop; elenco: `pec-bridge queue list --state uncertain`.",
            "Nobody knows whether they left, and they are not sent again by themselves. Look for "
            "their acceptances in the webmail, then `pec-bridge queue resolve ID` with --sent "
            "CODE, --resend or --drop for each; list: `pec-bridge queue list --state uncertain`.",
        ),
        AlarmKind.NOT_ACCEPTED.value: Topic(
            "senza accettazione",
            "without acceptance",
            "Dopo 30 minuti manca la ricevuta di accettazione. Controllare la webmail e non "
            f"inviare di nuovo finché non è chiaro. {_SHOWN_IT}",
            "After 30 minutes the acceptance receipt is missing. Look into the webmail, and do "
            f"not send again before this is clear. {_SHOWN_EN}",
        ),
        AlarmKind.OPEN_12H.value: Topic(
            "senza esito dopo 12 ore",
            "without outcome after 12 hours",
            f"La consegna non è provata. {_SHOWN_IT}",
            f"Delivery is not proven. {_SHOWN_EN}",
        ),
        AlarmKind.OPEN_26H.value: Topic(
            "senza esito dopo 26 ore",
            "without outcome after 26 hours",
            "La consegna non è provata e non è più da attendere: provvedere per altra via. "
            f"{_SHOWN_IT}",
            "Delivery is not proven, and there is nothing more to wait for: reach the recipients "
            f"in another way. {_SHOWN_EN}",
        ),
        AlarmKind.REVOKED.value: Topic(
            "con esito ritirato",
            "whose claim was revoked",
            "Il loro invio è di nuovo incerto; chi ha fatto conto su quell'esito lo verifichi.",
            "Whether they were sent is uncertain again; whoever relied on that should check.",
        ),
        AlarmKind.CONTRADICTED.value: Topic(
            "con esito ritirato dal testo",
            "whose outcome was taken back",
            f"Lo stato indicato prima non vale più. {_SHOWN_IT}",
            f"The state that was shown before holds no longer. {_SHOWN_EN}",
        ),
        AlarmKind.CODE_TWICE.value: Topic(
            "codici ripetuti",
            "codes given twice",
            "Ricevute con questi codici non sono attribuite a nessun invio: controllare nella "
            "webmail.",
            "Receipts with these codes count for no sending: look into the webmail.",
        ),
        AlarmKind.ANOMALY.value: Topic(
            "anomalie",
            "anomalies",
            "Messaggi che non sono posta certificata; sono nella posta in arrivo.",
            "Messages that are not certified mail; they are in the inbox.",
        ),
        AlarmKind.DELETION.value: Topic(
            "cancellazioni non eseguite",
            "not deleted",
            "Eliminati qui, ma rimasti presso il servizio: nel dubbio non si cancella nulla.",
            "Deleted here but still at the service: in doubt nothing is deleted.",
        ),
        AlarmKind.NOT_CERTIFIED.value: Topic(
            "con destinatari non PEC",
            "with recipients outside PEC",
            "A questi destinatari una PEC arriva come posta ordinaria, senza ricevuta di consegna.",
            "To these recipients a PEC comes as ordinary mail, without a delivery receipt.",
        ),
    }
)
"""The gravest first. What is of no kind here is about the account as a whole."""

OTHER = Topic("altri avvisi", "other notices", "", "")


@dataclass(frozen=True, slots=True)
class Collected:
    """The collected message's words."""

    subject: str
    text: str


def collected(
    address: str,
    day: date,
    notices: Sequence[NoticeRow],
    figures: DayFigures | None,
    voice: Voice = Voice(),  # noqa: B008 - a value
) -> Collected:
    """Return the words for all of a day's notices.

    Args:
        address: the account's.
        day: which day.
        notices: all of them, oldest first.
        figures: what was sent on that day and what became of it; None if nothing was.
        voice: the languages it is written in, and where the page is.
    """
    groups = dict(_groups(notices))
    named = [(topic, len(group)) for topic, group in groups.items()]
    subjects = {
        "it": (f"Avvisi del {day:%d/%m/%Y}", _counted([(one.italian, n) for one, n in named])),
        "en": (f"Notices of {day.isoformat()}", _counted([(one.english, n) for one, n in named])),
    }
    spoken = ("it", "en") if voice.language == "both" else (voice.language,)
    subject = ": ".join(
        " / ".join(half) for half in zip(*(subjects[one] for one in spoken), strict=True)
    )
    italian = [
        f"{len(notices)} avvisi del {day:%d/%m/%Y} per {address}, raccolti in un messaggio che "
        "viene aggiornato durante la giornata. Tutti quelli ancora aperti sono in "
        f"`pec-bridge alarm list`.{_sent_italian(day, figures)}"
    ]
    english = [
        f"{len(notices)} notices of {day.isoformat()} for {address}, collected in one message "
        "that is brought up to date during the day. `pec-bridge alarm list` shows all that are "
        f"still raised.{_sent_english(day, figures)}"
    ]
    for topic, group in groups.items():
        over = sum(one.is_over for one in group)
        ended_it, ended_en = (f" ({over} cessati)", f" ({over} ended)") if over else ("", "")
        italian.append(f"{len(group)} {topic.italian}{ended_it}. {topic.do_italian}".strip())
        english.append(f"{len(group)} {topic.english}{ended_en}. {topic.do_english}".strip())
    lists = [_listed(topic, group, voice) for topic, group in groups.items()]
    said = both("\n\n".join(italian), "\n\n".join(english), voice)
    text = BETWEEN.join((said, "\n\n".join(lists)))
    return Collected(subject, text)


def _groups(notices: Sequence[NoticeRow]) -> Iterator[tuple[Topic, list[NoticeRow]]]:
    for kind, topic in TOPICS.items():
        if group := [one for one in notices if one.kind == kind]:
            yield topic, group
    if others := [one for one in notices if one.kind not in TOPICS]:
        yield OTHER, others


def _counted(named: Sequence[tuple[str, int]]) -> str:
    shown = [f"{count} {name}" for name, count in named[:NAMED_IN_SUBJECT]]
    return ", ".join([*shown, *(["…"] if len(named) > NAMED_IN_SUBJECT else [])])


def _sent_italian(day: date, figures: DayFigures | None) -> str:
    if figures is None:
        return ""
    return (
        f"\n\nDegli invii del {day:%d/%m/%Y}: {figures.recipients} destinatari, "
        f"{figures.delivered} consegnati, {figures.failed} non consegnati, finora."
    )


def _sent_english(day: date, figures: DayFigures | None) -> str:
    if figures is None:
        return ""
    return (
        f"\n\nOf what was sent on {day.isoformat()}: {figures.recipients} recipients, "
        f"{figures.delivered} delivered, {figures.failed} not delivered, so far."
    )


def _listed(topic: Topic, group: Sequence[NoticeRow], voice: Voice) -> str:
    called = rendered(Title(f"{topic.italian} / {topic.english}"), voice.language)
    ended = rendered(Title("cessato / ended"), voice.language)
    lines = [f"{called}: {len(group)}"]
    for one in sorted(group, key=lambda one: one.is_over):
        over = f"  ({ended})" if one.is_over else ""
        lines.append(f"    {one.at.astimezone(ROME):%H:%M}  {one.line}{over}")
    return "\n".join(lines)
