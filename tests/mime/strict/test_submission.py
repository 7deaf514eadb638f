from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.mime.strict.content import convert
from bridge.mime.strict.rules import SubmissionFault, SubmissionRules, check_size
from bridge.mime.strict.submission import Additions, Envelope, Submission, check_submission
from tests.in_memory import in_memory

SENDER = "azienda@pec.example"
TO, CC, OTHER = "uno@pec.example", "due@pec.example", "tre@pec.example"
RULES = SubmissionRules()
NOW = "Thu, 15 Jan 2026 10:00:00 +0100"
ADDITIONS = Additions(lambda: NOW, lambda: "<made@pec.example>")
DATE = "Thu, 15 Jan 2026 09:59:00 +0100"
FIELDS = {"From": SENDER, "To": TO, "Date": DATE, "Message-ID": "<1@erp>", "Subject": "S"}


def message(body: str = "x\r\n", /, **fields: str | None) -> bytes:
    """A message with the usual fields, but for those given; None leaves one out."""
    spelled = {name.replace("_", "-"): value for name, value in fields.items()}
    lines = [f"{name}: {value}" for name, value in (FIELDS | spelled).items() if value is not None]
    return "\r\n".join([*lines, "", body]).encode()


def submit(
    raw: bytes, *recipients: str, rules: SubmissionRules = RULES, trusted: bool = False
) -> Submission:
    envelope = Envelope(SENDER, recipients or (TO,), trusted)
    return check_submission(raw, envelope, rules, ADDITIONS)


def refused(
    raw: bytes, *recipients: str, rules: SubmissionRules = RULES, trusted: bool = False
) -> SubmissionFault:
    with pytest.raises(SubmissionFault) as caught:
        submit(raw, *recipients, rules=rules, trusted=trusted)
    return caught.value


def test_a_whole_message_is_kept_byte_for_byte() -> None:
    raw = message()
    assert submit(raw) == Submission(raw, "<1@erp>", "<1@erp>", "S", ((TO,),))


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        pytest.param({"From": OTHER}, f"it is {OTHER}", id="foreign From"),
        pytest.param({"From": None}, "empty or missing", id="no From"),
        pytest.param({"From": ""}, "empty or missing", id="empty From"),
        pytest.param({"From": "root"}, "empty or missing", id="From without a domain"),
        pytest.param({"From": f"{SENDER}, {OTHER}"}, f"{SENDER}, {OTHER}", id="two authors"),
        pytest.param({"To": None}, "no recipient in its To field", id="no To"),
        pytest.param({"To": None, "Cc": TO}, "no recipient in its To field", id="Cc alone"),
        pytest.param({"To": "undisclosed-recipients:;"}, "no recipient", id="undisclosed"),
        pytest.param({"To": OTHER}, f"hidden recipients (Bcc). Put into To or Cc, or send "
                     f"separately to: {TO}", id="a recipient nobody sees"),
        pytest.param({"Bcc": OTHER}, OTHER, id="a Bcc field that names somebody"),
    ],
)  # fmt: skip
def test_rules_of_pec(fields: dict[str, str | None], reason: str) -> None:
    fault = refused(message(**fields))
    assert (fault.code, fault.status) == (550, "5.7.1")
    assert reason in fault.sentence


@pytest.mark.parametrize(
    "sender", [SENDER.upper(), f"Azienda S.p.A. <{SENDER}>", f'"Rossi, U." <{SENDER}>']
)
def test_from_may_be_spelled_otherwise(sender: str) -> None:
    assert submit(message(From=sender)).entries == ((TO,),)


@pytest.mark.parametrize("name", ["To", "From"])
@pytest.mark.parametrize("trusted", [False, True])
def test_a_field_that_cannot_be_read_is_not_called_missing(name: str, trusted: bool) -> None:
    value = f'Tubi 1/2" srl <{FIELDS[name]}>'
    fault = refused(message(**{name: value}), trusted=trusted)
    assert (fault.code, fault.status) == (550, "5.6.0")
    assert f"{name}: {value}" in fault.sentence


def test_nor_are_those_it_holds_called_hidden() -> None:
    value = f'{OTHER}, Tubi 1/2" srl <{CC}>'
    assert f"Cc: {value}" in refused(message(Cc=value), TO, CC, OTHER).sentence


@pytest.mark.parametrize(
    ("named", "recipient"),
    [
        ("info@città.example", "info@xn--citt-3na.example"),
        ("info@xn--citt-3na.example", "info@città.example"),
        ("Info@CITTÀ.example.", "info@xn--citt-3na.example"),
        ('"info"@pec.example', "info@pec.example"),
        ("info@pec.example.", "info@pec.example"),
    ],
)
@pytest.mark.parametrize("field", ["To", "Cc"])
def test_a_recipient_is_known_in_any_spelling(field: str, named: str, recipient: str) -> None:
    recipients = (recipient,) if field == "To" else (TO, recipient)
    assert submit(message(**{field: named}), *recipients).entries == (recipients,)


def test_a_recipient_in_two_spellings_gets_one_pec() -> None:
    two = ("info@città.example", "info@xn--citt-3na.example")
    assert submit(message(To=two[1]), *two).entries == ((two[0],),)


def test_the_sender_is_known_in_any_spelling() -> None:
    assert submit(message(From=f"{SENDER.upper()}.")).entries == ((TO,),)


@pytest.mark.parametrize(
    "front", [b"\xef\xbb\xbf", b"\r\n", b" \r\n", b"Rapporto:\r\n\r\n", b"no field\r\n"]
)
@pytest.mark.parametrize("trusted", [False, True])
def test_a_header_behind_something_is_not_sent_as_text(front: bytes, trusted: bool) -> None:
    fault = refused(front + message(), trusted=trusted)
    assert (fault.code, fault.status) == (554, "5.6.0")
    assert "stands before its header" in fault.sentence


def test_what_does_not_travel_is_named() -> None:
    raw = message(Reply_To=OTHER, X_TipoRicevuta="breve", Sender="", X_Mailer="x")
    assert submit(raw).left_behind == ("reply-to", "x-tiporicevuta")


@pytest.mark.parametrize(
    ("value", "urgent"), [("1", True), ("1 (Highest)", True), ("2", False), ("11", False)]
)
def test_the_highest_priority_is_urgent(value: str, urgent: bool) -> None:
    assert submit(message(X_Priority=value)).urgent is urgent
    assert not submit(message()).urgent


def test_every_sentence_is_ascii() -> None:
    """Replies are: ``reply`` would show anything else by its number."""
    raws = [
        b"Content-Type: multipart/mixed\r\n" + message(),
        b"Content-Type: a/b; name*=x-n\xc3\xa8''%E9\r\n" + message(),
        b"Content-Transfer-Encoding: \xc3\xa8\r\n" + message(),
        message(Subject="=?utf-8?q?=E9=E9?="),
        b"\xef\xbb\xbf" + message(),
        b"Content-Type: a/b\r\nContent-Type: a/c\r\n" + message(),
        SIGNED,
    ]
    assert all(refused(raw).sentence.isascii() for raw in raws)


def test_an_empty_bcc_field_names_nobody() -> None:
    assert submit(message(Bcc="")).entries == ((TO,),)


def test_many_hidden_recipients_are_counted() -> None:
    hidden = [f"h{number}@pec.example" for number in range(13)]
    fault = refused(message(), TO, *hidden)
    assert "h9@pec.example and 3 more" in fault.sentence


@pytest.mark.parametrize("twice", ["From", "Subject", "Message-ID"])
def test_a_field_that_decides_something_may_not_be_there_twice(twice: str) -> None:
    raw = f"{twice}: {FIELDS[twice]}\r\n".encode() + message()
    fault = refused(raw)
    assert (fault.code, fault.status) == (554, "5.6.0")
    assert f"more than one {twice.title()} field" in fault.sentence


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"Content-Type: multipart/mixed\r\n" + message(), "names no boundary"),
        (b"no field\r\n" + message(), "stands before its header"),
        (b"A: b\r\nno field\r\n" + message(), "no header field"),
        (b"Content-Transfer-Encoding: base64\r\n" + message("Y"), "cut off"),
        (b"Content-Transfer-Encoding: x-y\r\n" + message(), "nobody can decode"),
    ],
    ids=["no boundary", "no header at all", "broken header", "base64", "encoding"],
)
def test_what_cannot_be_read_is_refused(raw: bytes, reason: str) -> None:
    fault = refused(raw)
    assert fault.code in (550, 554)
    assert reason in fault.sentence


SIGNED = b'Content-Type: multipart/signed; protocol="application/pgp-signature"; boundary=b\r\n'
SIGNED += message("--b\r\n\r\nx\r\n--b\r\n\r\ny\r\n--b--\r\n")


def test_a_signed_message_is_refused_with_the_reason() -> None:
    fault = refused(SIGNED)
    assert (fault.code, fault.status) == (554, "5.6.1")
    assert "multipart/signed (application/pgp-signature)" in fault.sentence


def test_or_travels_whole_if_the_settings_say_so() -> None:
    assert submit(SIGNED, rules=replace(RULES, signed="attach")).raw == SIGNED


# -- Cc and Bcc -----------------------------------------------------------------------------------


def test_cc_joins_the_recipients() -> None:
    assert submit(message(Cc=CC), TO, CC).entries == ((TO, CC),)


def test_cc_is_refused_if_the_settings_say_so() -> None:
    fault = refused(message(Cc=CC), TO, CC, rules=replace(RULES, cc="refuse"))
    assert (fault.code, fault.status) == (550, "5.7.1")
    assert CC in fault.sentence
    assert TO not in fault.sentence


def test_cc_that_the_envelope_does_not_name_is_no_reason_to_refuse() -> None:
    assert submit(message(Cc=CC), TO, rules=replace(RULES, cc="refuse")).entries == ((TO,),)


def test_hidden_recipients_get_a_pec_of_their_own_if_the_settings_say_so() -> None:
    rules = replace(RULES, bcc="separate")
    raw = message(Cc=CC, Bcc=OTHER)
    assert submit(raw, OTHER, TO, CC, rules=rules).entries == ((TO, CC), (OTHER,))


def test_recipients_count_once_whatever_their_case() -> None:
    assert submit(message(), TO, TO.upper()).entries == ((TO,),)


# -- limits ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("size_bytes", "recipients", "fits"),
    [(1000, 1, True), (1001, 1, False), (500, 2, True), (501, 2, False), (0, 9, True)],
)
def test_size_counts_for_each_recipient(size_bytes: int, recipients: int, fits: bool) -> None:
    rules = replace(RULES, max_message_bytes=1000)
    if fits:
        check_size(size_bytes, recipients, rules)
        return
    with pytest.raises(SubmissionFault) as caught:
        check_size(size_bytes, recipients, rules)
    assert (caught.value.code, caught.value.status) == (552, "5.3.4")
    assert str(1000 // recipients) in caught.value.sentence


def _shown(times: int, image_bytes: int) -> bytes:
    parts = [
        "Content-Type: text/html\r\n\r\n" + '<img src="cid:a">' * times,
        "Content-Type: image/png\r\nContent-ID: <a>\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        + "AAAA" * (image_bytes // 3),
    ]
    body = "".join(f"--b\r\n{part}\r\n" for part in parts) + "--b--\r\n"
    return b"Content-Type: multipart/related; boundary=b\r\n" + message(body)


@pytest.mark.parametrize(
    ("times", "recipients", "fits"),
    [(1, (TO,), True), (40, (TO,), False), (4, (TO,), True), (4, (TO, CC), False)],
)
def test_size_counts_as_posted(times: int, recipients: tuple[str, ...], fits: bool) -> None:
    raw = _shown(times, 30_000).replace(b"To: ", f"Cc: {CC}\r\nTo: ".encode())
    rules = replace(RULES, max_message_bytes=200_000)
    assert len(raw) * len(recipients) < 200_000
    if fits:
        assert submit(raw, *recipients, rules=rules).entries == (recipients,)
        return
    fault = refused(raw, *recipients, rules=rules)
    assert (fault.code, fault.status) == (552, "5.3.4")
    assert "once its images are in its text" in fault.sentence


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(message("è" * 40_000), id="letters become references"),
        pytest.param(
            b"Content-Type: application/x; name=a\r\n" + message("x" * 80_000), id="base64"
        ),
    ],
)
def test_so_does_what_grows(raw: bytes) -> None:
    rules = replace(RULES, max_message_bytes=100_000)
    assert len(raw) < rules.max_message_bytes
    assert refused(raw, rules=rules).code == 552


def test_what_is_submitted_counts_too_if_less_is_posted() -> None:
    """MAIL's SIZE is held to the same limit."""
    raw = message(X_Long="x" * 100_000)
    assert refused(raw, rules=replace(RULES, max_message_bytes=100_000)).code == 552


def test_size_counts_for_each_pec_when_they_are_separate() -> None:
    raw = message("x" * 600)
    rules = replace(RULES, max_message_bytes=len(raw), bcc="separate")
    assert len(submit(raw, TO, OTHER, rules=rules).entries) == 2
    assert refused(message("x" * 600, Cc=CC), TO, CC, rules=rules).code == 552


def test_recipients_are_limited_by_the_plan() -> None:
    fault = refused(message(Cc=CC), TO, CC, rules=replace(RULES, max_recipients=1))
    assert (fault.code, fault.status) == (554, "5.5.3")


# -- what is added --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "line"),
    [
        ("Date", b"Date: Thu, 15 Jan 2026 10:00:00 +0100\r\n"),
        ("Message-ID", b"Message-ID: <made@pec.example>\r\n"),
    ],
)
@pytest.mark.parametrize("given_value", [None, ""], ids=["missing", "empty"])
def test_missing_fields_are_put_in_front(field: str, line: bytes, given_value: str | None) -> None:
    raw = message(**{field.replace("-", "_"): given_value})
    without = message(**{field.replace("-", "_"): None})
    assert submit(raw).raw == line + without


def test_a_message_id_without_brackets_makes_way_but_still_tells_repetitions() -> None:
    submission = submit(message(Message_ID="12@erp"))
    assert submission.message_id == "<made@pec.example>"
    assert submission.identity == "12@erp"
    assert b"12@erp" not in in_memory(submission.raw)


@pytest.mark.parametrize(
    ("fields", "identity"),
    [
        pytest.param({}, "<1@erp>", id="the Message-ID"),
        pytest.param({"Message_ID": None}, DATE, id="else the Date"),
        pytest.param({"Message_ID": ""}, DATE, id="an empty one"),
        pytest.param({"Message_ID": None, "Date": None}, "", id="nothing"),
        pytest.param({"Message_ID": None, "Date": ""}, "", id="nothing but an empty Date"),
    ],
)
def test_what_tells_a_message_from_its_repetition(
    fields: dict[str, str | None], identity: str
) -> None:
    assert submit(message(**fields)).identity == identity


def test_other_fields_keep_their_spelling_and_folds() -> None:
    raw = b"x-MIXED:  case\r\n\tfolded\r\n" + message(Date=None)
    assert submit(raw).raw == f"Date: {NOW}\r\n".encode() + raw


def test_an_mbox_line_does_not_end_up_among_the_fields() -> None:
    added = submit(b"From ugo Mon Jan 1 00:00:00 2026\r\n" + message(Date=None)).raw
    assert added == f"Date: {NOW}\r\n".encode() + message(Date=None)


@pytest.mark.parametrize("given_value", [None, "", "root", "Cron <root>"])
def test_a_trusted_application_need_not_name_itself(given_value: str | None) -> None:
    added = submit(message(From=given_value), trusted=True).raw
    assert added == f"From: <{SENDER}>\r\n".encode() + message(From=None)


def test_nor_its_recipients() -> None:
    added = submit(message(To=None), TO, OTHER, trusted=True)
    assert added.raw == f"To: <{TO}>,\r\n <{OTHER}>\r\n".encode() + message(To=None)
    assert added.entries == ((TO, OTHER),)


def test_a_completed_to_does_not_show_whom_cc_and_bcc_name() -> None:
    rules = replace(RULES, bcc="separate")
    added = submit(message(To=None, Cc=CC, Bcc=OTHER), TO, CC, OTHER, rules=rules, trusted=True)
    assert in_memory(added.raw).startswith(f"To: <{TO}>\r\n".encode())
    assert added.entries == ((TO, CC), (OTHER,))


def test_a_trusted_application_may_not_name_somebody_else() -> None:
    assert refused(message(From=OTHER), trusted=True).status == "5.7.1"


def test_a_trusted_application_without_any_header() -> None:
    added = submit(b"disk full\r\n", trusted=True)
    assert in_memory(added.raw).endswith(f"To: <{TO}>\r\n\r\ndisk full\r\n".encode())
    assert convert(in_memory(added.raw)).subject == ""


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\r\n \r\n",
        message("\r\n"),
        message("--b\r\n\r\n \r\n--b--\r\n", Content_Type="multipart/mixed; boundary=b"),
    ],
    ids=["nothing", "blanks", "a header alone", "an empty part"],
)
def test_what_a_program_sends_by_mistake_is_not_sent(raw: bytes) -> None:
    fault = refused(raw, trusted=True)
    assert (fault.code, fault.status) == (554, "5.6.0")
    assert "neither text nor an attachment" in str(fault.sentence)


@pytest.mark.parametrize(
    "body",
    ["--b\r\nContent-Type: application/pdf\r\n\r\nx\r\n--b--\r\n", "--b\r\n\r\nx\r\n--b--\r\n"],
)
def test_a_file_or_a_word_suffices(body: str) -> None:
    assert submit(message(body, Content_Type="multipart/mixed; boundary=b"), trusted=True)


def test_a_person_may_say_all_in_the_subject() -> None:
    assert submit(message("\r\n"))


_PIECES = st.sampled_from(
    [
        *(b"From: x", b"From azienda", b"To: uno@pec.example", b"Cc: b@c", b"Bcc:", b"Date:"),
        *(b"Message-ID: <", b"Subject: s", b"\r\n", b"\r\n", b": ", b"\xe8", b"text"),
    ]
)


@given(st.lists(_PIECES, max_size=25).map(b"".join))
def test_whatever_is_taken_can_be_sent_and_has_what_mail_must_have(raw: bytes) -> None:
    try:
        submission = submit(raw, trusted=True)
    except SubmissionFault:
        return
    convert(in_memory(submission.raw))
    again = submit(in_memory(submission.raw))
    assert (again.raw, again.entries) == (submission.raw, submission.entries)
    assert again.message_id == submission.message_id
