"""What MAIL and RCPT may say besides an address."""

from __future__ import annotations

import pytest

from bridge.mime.strict.rules import SubmissionFault
from bridge.model import AccountId
from bridge.smtpserver.mail import MailTransaction, mail_parameters, path_code, recipient_of
from bridge.smtpserver.path import Path, PathFault
from bridge.store.dsn import DsnWish, NotifyOn


@pytest.mark.parametrize(
    ("parameters", "understood"),
    [
        ({}, (0, False)),
        ({"SIZE": "7", "BODY": "8bitmime", "SMTPUTF8": ""}, (7, True)),
        ({"AUTH": "<>", "RET": "HDRS", "ENVID": "x"}, (0, False)),
    ],
)
def test_what_mail_may_say(parameters: dict[str, str], understood: tuple[int, bool]) -> None:
    assert mail_parameters(Path("a@b.it", parameters)) == understood


@pytest.mark.parametrize(
    ("parameters", "fault"),
    [
        ({"BY": "120"}, SubmissionFault),
        ({"SIZE": "-1"}, PathFault),
        ({"SIZE": "9" * 21}, PathFault),
        ({"BODY": "BINARYMIME"}, PathFault),
    ],
)
def test_what_mail_may_not(parameters: dict[str, str], fault: type[Exception]) -> None:
    with pytest.raises(fault):
        mail_parameters(Path("a@b.it", parameters))


def test_a_recipient_has_an_address_and_nothing_unknown() -> None:
    assert recipient_of("TO:<Uno@B.it> NOTIFY=NEVER") == ("Uno@B.it", DsnWish(frozenset()))
    with pytest.raises(SubmissionFault):
        recipient_of("TO:<uno@b.it> RRVS=1")
    with pytest.raises(PathFault) as fault:
        recipient_of("TO:<>")
    assert path_code(fault.value) == 553


def test_a_wish_is_its_recipients_as_first_spelled() -> None:
    """It is kept beside the entry's recipients, and found by their names."""
    account = AccountId(1)
    mail = MailTransaction(account, "io@pec.it", 0, False, False, frozenset({account}))
    first, second = DsnWish(frozenset()), DsnWish(frozenset({NotifyOn.FAILURE}))
    mail.add("Uno@B.it", first)
    mail.add("uno@b.IT", second)
    assert list(mail.recipients.values()) == ["Uno@B.it"]
    assert mail.wishes == {"Uno@B.it": first}
