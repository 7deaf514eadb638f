"""swaks: each way of logging in, with and without STARTTLS."""

from __future__ import annotations

import pytest

from tests.peers.conftest import Run
from tests.peers.demo import Demo

pytestmark = pytest.mark.peer


@pytest.mark.parametrize("tls", [True, False], ids=["starttls", "clear"])
@pytest.mark.parametrize("method", ["PLAIN", "LOGIN"])
def test_swaks_submits(demo: Demo, run: Run, method: str, tls: bool) -> None:
    subject = f"swaks {method} {tls}"
    done = run(
        "swaks",
        *("--server", f"127.0.0.1:{demo.smtp_port}", "--auth", method),
        *("--auth-user", demo.address, "--auth-password", demo.password),
        *("--from", demo.address, "--to", "silent-x@altra.invalid"),
        *("--header", f"Subject: {subject}", *(["--tls"] if tls else [])),
    )
    if "TLS not available" in done.stderr:
        pytest.skip("swaks has no TLS here (Perl's Net::SSLeay)")
    assert done.returncode == 0, done.stdout
    assert "<-  250" in done.stdout or "<~  250" in done.stdout


def test_swaks_may_not_send_as_somebody_else(demo: Demo, run: Run) -> None:
    done = run(
        "swaks",
        *("--server", f"127.0.0.1:{demo.smtp_port}", "--auth", "PLAIN"),
        *("--auth-user", demo.address, "--auth-password", demo.password),
        *("--from", "altro@pec.invalid", "--to", "silent-x@altra.invalid"),
    )
    assert done.returncode != 0
    assert "550 5.7.1" in done.stdout
