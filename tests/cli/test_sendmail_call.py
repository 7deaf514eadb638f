from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.cli.sendmail_call import Mode, SendmailArguments, UsageFault, read_call


@pytest.mark.parametrize(
    ("arguments", "call"),
    [
        pytest.param("a@b", SendmailArguments(recipients=("a@b",)), id="a recipient"),
        pytest.param(
            "-N success,delay -Rhdrs -V ORD+17 a@b",
            SendmailArguments(
                recipients=("a@b",), notify="success,delay", returned="hdrs", envid="ORD+17"
            ),
            id="notifications",
        ),
        pytest.param(
            "a@b,c@d e@f", SendmailArguments(recipients=("a@b", "c@d", "e@f")), id="several"
        ),
        pytest.param("-t -i", SendmailArguments(read_recipients=True, ignore_dots=True), id="PHP"),
        pytest.param(
            "-ti",
            SendmailArguments(read_recipients=True, ignore_dots=True),
            id="letters in one word",
        ),
        pytest.param(
            "-FCronDaemon -i -odi -oem -oi -t -f root",
            SendmailArguments(
                sender="root", full_name="CronDaemon", read_recipients=True, ignore_dots=True
            ),
            id="cron",
        ),
        pytest.param(
            "-i -FCronDaemon -B8BITMIME -oem ugo@pec.example",
            SendmailArguments(
                full_name="CronDaemon", ignore_dots=True, recipients=("ugo@pec.example",)
            ),
            id="cronie",
        ),
        pytest.param(
            "-oi -fa@b -- c@d",
            SendmailArguments(sender="a@b", ignore_dots=True, recipients=("c@d",)),
            id="mailx",
        ),
        pytest.param(
            "-C x.toml -a a@b --read-envelope-from -t",
            SendmailArguments(config=Path("x.toml"), account="a@b", read_recipients=True),
            id="msmtp",
        ),
        pytest.param(
            "--config=x.toml --account a@b --from=c@d --read-recipients",
            SendmailArguments(
                config=Path("x.toml"), account="a@b", sender="c@d", read_recipients=True
            ),
            id="long options",
        ),
        pytest.param(
            "-f<a@b> x@y", SendmailArguments(sender="a@b", recipients=("x@y",)), id="brackets"
        ),
        pytest.param(
            "-f <> x@y", SendmailArguments(sender="", recipients=("x@y",)), id="null sender"
        ),
        pytest.param(
            "x@y -t",
            SendmailArguments(recipients=("x@y",), read_recipients=True),
            id="option behind",
        ),
        pytest.param(
            "-t -- -Cevil", SendmailArguments(read_recipients=True, recipients=("-Cevil",)), id="--"
        ),
        pytest.param("-bs", SendmailArguments(mode=Mode.SMTP), id="Symfony"),
        pytest.param("-bm a@b", SendmailArguments(recipients=("a@b",)), id="-bm"),
        pytest.param("-bi", SendmailArguments(mode=Mode.NOTHING), id="newaliases"),
        pytest.param("-q30m", SendmailArguments(mode=Mode.NOTHING), id="queue run"),
        pytest.param(
            "-o i x@y", SendmailArguments(ignore_dots=True, recipients=("x@y",)), id="-o apart"
        ),
        pytest.param(
            "-N never -R hdrs -V id -Ac -v x@y",
            SendmailArguments(
                recipients=("x@y",), verbose=True, notify="never", returned="hdrs", envid="id"
            ),
            id="others",
        ),
        pytest.param("- x@y", SendmailArguments(recipients=("-", "x@y")), id="a dash alone"),
    ],
)
def test_calls(arguments: str, call: SendmailArguments) -> None:
    assert read_call(arguments.split(" ")) == call


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["-f"], "The option -f lacks its value"),
        (["-tF"], "The option -F lacks its value"),
        (["--from"], "The option --from lacks its value"),
        (["-Z"], "There is no option -Z"),
        (["--host=x"], "There is no option --host"),
        (["-bp"], "pec-bridge queue list"),
        (["-bd"], "mode -bd"),
    ],
)
def test_what_cannot_be_carried_out(arguments: list[str], sentence: str) -> None:
    with pytest.raises(UsageFault, match=sentence):
        read_call(arguments)


@given(st.lists(st.text(alphabet="-=tifobsaq @.", max_size=6), max_size=6))
def test_any_arguments_are_read_or_refused(arguments: list[str]) -> None:
    try:
        call = read_call(arguments)
    except UsageFault:
        return
    assert all(call.recipients)


@given(st.lists(st.text(min_size=1, max_size=12), max_size=5))
def test_nothing_behind_the_dashes_is_an_option(names: list[str]) -> None:
    assert read_call(["-t", "--", *names]).config is None
