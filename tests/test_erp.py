"""docs/erp.md against the program: its lists are the program's, and its examples run.

``python -m tests.test_erp`` writes the lists anew.
"""

from __future__ import annotations

import ast
import contextlib
import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

import pytest

from bridge import limits, model
from bridge.cli.outcome import CODES
from bridge.config import Config, Listen, Web, parse
from bridge.credentials import Secret, signing_key
from bridge.hooks import schedule
from bridge.hooks.signature import signed_fields
from bridge.hooks.states import MEANINGS as TRY_MEANINGS
from bridge.hooks.states import TryOutcome
from bridge.mime.strict import reference, submission
from bridge.model import SubmissionState
from bridge.operations.control import ask
from bridge.outbox import states
from bridge.receipts.outcome import KEYWORDS, MEANINGS, RECIPIENT_MEANINGS
from bridge.receipts.states import EFFECTS, RANK, RecipientState
from bridge.simulator import Simulator
from bridge.store.events import MEANINGS as EVENT_MEANINGS
from bridge.web.contract.dispatch import Contract
from bridge.web.problem import ProblemKind
from bridge.web.services import WebServices
from tests.running import ADDRESS, PASSWORD, SIGNING, Running, apart, running, simulated

TOP = Path(__file__).parent.parent
PAGE = TOP / "docs" / "erp.md"
CONFIG = """\
data_dir = "data"
[api]
base_url = "https://api.invalid"
token = {{ file = "secret" }}
[[account]]
address = "{address}"
password = {{ file = "secret" }}
"""


def rows(head: str, meanings: Iterable[tuple[object, str]]) -> str:
    lines = [f"| {head} | meaning |", "|---|---|"]
    return "\n".join([*lines, *(f"| `{name}` | {said} |" for name, said in meanings)]) + "\n"


CONFIGURED = parse(CONFIG.format(address=ADDRESS))


def endpoints() -> str:
    lines = ["| request | gives |", "|---|---|"]
    nothing = SimpleNamespace(clock=None, answered=None)  # to describe them takes none
    for one in Contract(cast(WebServices, nothing), lambda: CONFIGURED.config).endpoints:
        path = f"/api/v1{one.path}".replace("{name}", "NAME")
        lines.append(f"| `{one.method} {path}` | {one.about} |")
    return "\n".join(lines) + "\n"


def problems() -> str:
    lines = ["| type | status | meaning |", "|---|---|---|"]
    for kind in ProblemKind:
        lines.append(f"| `{kind.value.name}` | {kind.value.status} | {kind.value.meaning} |")
    return "\n".join(lines) + "\n"


def lists() -> Mapping[str, str]:
    """Return each list of the page by its name."""
    elsewhere = ((1, "it could not be asked"), (2, "a fault of usage or settings"))
    codes = sorted([*((code.value, said) for code, said in CODES.items()), *elsewhere])
    return {
        "outcomes": rows("outcome", ((one.value, said) for one, said in MEANINGS.items())),
        "exit codes": rows("exit code", codes),
        "entry states": rows(
            "state", ((one.value, states.MEANINGS[one]) for one in SubmissionState)
        ),
        "recipient states": rows("state", ((one.value, RECIPIENT_MEANINGS[one]) for one in RANK)),
        "events": rows("event", ((one.value, said) for one, said in EVENT_MEANINGS.items())),
        "try outcomes": rows("a try", ((one.value, TRY_MEANINGS[one]) for one in TryOutcome)),
        "retries": retries(),
        "keywords": rows("keyword", KEYWORDS.items()),
        "endpoints": endpoints(),
        "problems": problems(),
    }


def retries() -> str:
    """Return the table of waits, as the schedule has them."""
    days = schedule.PATIENCE_S / 86_400
    lines = ["| after a try that is | tried again after | dead |", "|---|---|---|"]
    refused = schedule.refused_tries()
    for name, backoff, end in (
        (
            "refused",
            schedule.REFUSED_WAITS,
            f"with the {len(refused) + 1}th refusal, after {days:g} days",
        ),
        ("down", schedule.DOWN_WAITS, f"after {days:g} days, with all that waited so long with it"),
    ):
        steps = [backoff.wait_s(before) for before in range(3)]
        first = ", ".join(f"{one:g}" for one in steps)
        lines.append(
            f"| `{name}` | {first} s, doubling up to {backoff.last_s / 60:g} min | {end} |"
        )
    return "\n".join(lines) + "\n"


def place(name: str) -> re.Pattern[str]:
    return re.compile(rf"(<!-- {name}: begin -->\n)(.*?)(<!-- {name}: end -->)", re.DOTALL)


@pytest.mark.parametrize("name", lists())
def test_a_list_is_the_programs(name: str) -> None:
    found = place(name).search(PAGE.read_text(encoding="utf-8"))
    assert found is not None
    assert found[2] == lists()[name], "run python -m tests.test_erp"


def test_each_recipients_state_is_told_with_its_receipts_meaning() -> None:
    assert set(RECIPIENT_MEANINGS) == set(RecipientState)
    several = {RecipientState.FAILED}
    for effect in EFFECTS.values():
        assert effect.state in several or RECIPIENT_MEANINGS[effect.state] == effect.meaning


def test_each_keyword_is_set_somewhere_and_each_that_is_set_is_told() -> None:
    constants = {name: flag for name, flag in vars(model).items() if str(flag).startswith("$Pec")}
    assert set(constants.values()) == set(KEYWORDS)
    used = set()
    for path in (TOP / "bridge" / "receipts", TOP / "bridge" / "outbox"):
        for file in set(path.glob("*.py")) - {path / "outcome.py"}:
            tree = ast.parse(file.read_text(encoding="utf-8"))
            loads = (one for one in ast.walk(tree) if isinstance(one, ast.Name))
            used |= {one.id for one in loads if one.id in constants}
    assert used == set(constants)


def test_each_keyword_is_a_tag_in_the_page_for_thunderbird() -> None:
    """Thunderbird folds keywords to lower case before it looks for their tags."""
    page = (TOP / "docs" / "clients.md").read_text(encoding="utf-8")
    for kind in ("tag", "color"):
        tags = re.findall(rf'user_pref\("mailnews\.tags\.(\S+)\.{kind}", "', page)
        assert tags == [str(keyword).lower() for keyword in KEYWORDS]


def table_under(title: str) -> list[str]:
    """Return the first cells of the tables under a title."""
    section = PAGE.read_text(encoding="utf-8").split(f"\n## {title}\n")[1].split("\n#")[0]
    return re.findall(r"^\| `([A-Za-z][\w-]*)` \|", section, re.MULTILINE)


def test_the_fields_of_the_header_are_those_that_are_read() -> None:
    fields = [name.lower() for name in table_under("Submit")]
    source = Path(submission.__file__).read_text(encoding="utf-8")
    assert fields.pop(0) == reference.FIELD
    for name in fields:
        assert f'"{name}"' in source
    assert f"up to {limits.REFERENCE_CHARS} characters" in PAGE.read_text(encoding="utf-8")


def verifier() -> Any:
    """Return the function of the page that verifies a webhook."""
    (text,) = re.findall(
        r"```python\n([^`]*?def verified.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL
    )
    assert len([line for line in text.splitlines() if line.strip()]) <= 10, "ten lines, it says"
    found: dict[str, Any] = {}
    exec(text, found)
    return found["verified"]


def test_the_example_verifies_what_is_signed_and_nothing_else() -> None:
    secret, other = SIGNING, "whsec_" + "QUJD" * 8
    verified = verifier()
    body, now_s = b'{"number": 1}', int(time.time())
    keys = [signing_key(Secret(one)) for one in (other, secret)]
    fields = signed_fields(keys, "evt_1", now_s, body)
    assert verified(fields, body, secret)
    assert verified(fields, body, other)
    assert not verified(fields, body + b" ", secret)
    assert not verified(fields, body, "whsec_" + "QUJE" * 8)
    assert not verified(fields | {"webhook-id": "evt_2"}, body, secret)
    assert not verified(fields | {"webhook-timestamp": str(now_s + 1)}, body, secret)
    assert not verified(signed_fields(keys, "evt_1", now_s - 301, body), body, secret)


def example(title: str, language: str) -> str:
    """Return the example in a language under a title."""
    section = PAGE.read_text(encoding="utf-8").split(f"\n## {title}\n")[1].split("\n## ")[0]
    (found,) = re.findall(rf"```{language}\n(.*?)```", section, re.DOTALL)
    return str(found)


def run(
    bridge: Running, folder: Path, title: str, language: str, key: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run an example as it stands, but for the ports and for how often it looks."""
    text = example(title, language)
    for written, there in (
        ("localhost:587", f"127.0.0.1:{bridge.port('smtp')}"),
        ('"localhost", 587', f'"127.0.0.1", {bridge.port("smtp")}'),
        ("localhost:1180", f"127.0.0.1:{bridge.port('http')}"),
        ("while True:", "for _ in range(2):"),
        ("&wait=60", "&wait=1"),
    ):
        text = text.replace(written, there)
    program = [sys.executable, "-c"] if language == "python" else ["sh", "-c"]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = os.environ | {
        "PATH": path, "PEC_BRIDGE_CONFIG": str(folder / "config.toml"), "PEC_KEY": key,
    }  # fmt: skip
    return subprocess.run(
        [*program, text],
        cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


KILLED = 9
KILLS = {
    "before it begins to write": "open",
    "when nothing is written yet": "open_after",
    "before it is on the disk": "fsync",
    "before it is in its place": "replace",
}
DYING = """
import builtins, io, os
def dies(real, when, is_meant=lambda *_: True):
    def call(*given, **named):
        if not is_meant(*given): return real(*given, **named)
        result = real(*given, **named) if when == "after" else None
        os._exit(9)
    return call
def writes(path, mode="r", *_):
    return "w" in mode and "last-event" in str(path)
where = WHERE
if where.startswith("open"):
    when = "after" if where == "open_after" else "before"
    builtins.open = io.open = dies(io.open, when, writes)
else:
    setattr(os, where, dies(getattr(os, where), "before"))
"""
"""Runs before an example, and kills it where it keeps its place."""


def listening(
    answers: list[tuple[int, dict[str, Any]]], asked: list[str]
) -> contextlib.AbstractContextManager[int]:
    """Serve events: the last answer again and again."""

    class Events(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(parse_qs(urlsplit(self.path).query)["after"][0])
            status, body = answers.pop(0) if len(answers) > 1 else answers[0]
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        def log_message(self, format: str, *_words: object) -> None:
            """Say nothing."""

    @contextlib.contextmanager
    def served() -> Iterator[int]:
        with ThreadingHTTPServer(("127.0.0.1", 0), Events) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            yield server.server_port
            server.shutdown()

    return served()


def follow(
    folder: Path, port: int, rounds: int, before: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run the example that follows events, for so many rounds."""
    text = example("Over HTTP", "python").replace("localhost:1180", f"127.0.0.1:{port}")
    assert text.count("while True:") == 1
    text = before + text.replace("while True:", f"for _ in range({rounds}):")
    return subprocess.run(
        [sys.executable, "-c", text],
        cwd=folder, env=os.environ | {"PEC_KEY": "x"}, capture_output=True, text=True,
        timeout=60, check=False,
    )  # fmt: skip


def page_of(*numbers: int) -> tuple[int, dict[str, Any]]:
    events = [{"event": "queued", "reference": f"{n}", "recipient": None} for n in numbers]
    return 200, {"events": events, "next": max(numbers, default=0), "missing": False}


@pytest.mark.parametrize("where", KILLS.values(), ids=list(KILLS))
def test_a_kill_leaves_the_example_its_place(tmp_path: Path, where: str) -> None:
    (tmp_path / "last-event").write_text("7")
    asked: list[str] = []
    with listening([page_of(8, 9)], asked) as port:
        killed = follow(tmp_path, port, 1, DYING.replace("WHERE", repr(where)))
        assert killed.returncode == KILLED, killed.stderr
        assert (tmp_path / "last-event").read_text() == "7"
        done = follow(tmp_path, port, 1)
    assert (asked, done.stderr) == (["7", "7"], "")
    assert done.stdout == "queued 8 None\nqueued 9 None\n"
    assert (tmp_path / "last-event").read_text() == "9"


def test_the_example_begins_anew_where_its_place_is_lost(tmp_path: Path) -> None:
    (tmp_path / "last-event").write_text("99999")
    asked: list[str] = []
    with listening([(409, {"type": "x"}), page_of(1, 2), page_of(3)], asked) as port:
        done = follow(tmp_path, port, 3)
    assert (asked, done.stderr) == (["99999", "0", "2"], "")
    assert [line.split()[1] for line in done.stdout.splitlines()[1:]] == ["1", "2", "3"]


def with_the_page(config: Config) -> Config:
    return replace(config, web=Web(listen=(Listen("127.0.0.1", 0),)))


@pytest.mark.slow
async def test_the_examples_run(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(CONFIG.format(address=ADDRESS))
    (tmp_path / "secret").write_text(f"{PASSWORD}\n")
    fields = f"From: {ADDRESS}\r\nTo: cliente@altra.example\r\nX-PEC-Reference: fattura 17\r\n"
    (tmp_path / "fattura.eml").write_text(f"{fields}Message-ID: <2@erp.example>\r\n\r\nx\r\n")
    simulator: Simulator = simulated()
    told: list[str] = []
    async with running(tmp_path / "data", simulator, change=with_the_page) as bridge:
        done = await apart(run, bridge, tmp_path, "Examples", "python")
        assert (done.stdout, done.stderr) == ("0 ['delivered']\n", "")
        made = await ask(tmp_path / "data", "apikey create", {"name": "ERP", "write": True})
        for _ in range(2):  # it goes on where it left off
            done = await apart(run, bridge, tmp_path, "Over HTTP", "python", made["key"])
            told, done.stdout = [*told, *done.stdout.splitlines()], ""
            assert done.stderr == ""
        done = await apart(run, bridge, tmp_path, "Over HTTP", "sh", made["key"])
        assert (done.stdout, done.stderr) == ("", "")
        done = await apart(run, bridge, tmp_path, "Examples", "sh")
        assert done.stdout == "over, and nothing failed\n", done.stderr
    assert [one.split()[0] for one in told] == ["queued", "submitted", "accepted", "delivered"]
    assert json.loads((tmp_path / "send.json").read_text())["outcome"] == "delivered"
    assert json.loads((tmp_path / "cancelled.json").read_text())["status"] == 409
    sends = json.loads((tmp_path / "outcome.json").read_text())
    assert [one["message_id"] for one in sends] == ["<fattura-17@erp.example>", "<2@erp.example>"]
    assert set(sends[0]) - {"by_listing"} == set(table_under("What became of it"))
    assert "fattura 17" not in str([one.subject for one in simulator.sent])
    assert b"PEC-Reference" not in b"".join(one.body.encode() for one in simulator.sent)


if __name__ == "__main__":
    page = PAGE.read_text(encoding="utf-8")
    for title, content in lists().items():
        found = place(title).search(page)
        assert found is not None
        page = page[: found.start(2)] + content + page[found.end(2) :]
    PAGE.write_text(page, encoding="utf-8")
