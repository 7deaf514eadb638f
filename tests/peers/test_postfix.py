"""A Postfix before the bridge hands on what its client asked to be notified of (RFC 3461 §5)."""

from __future__ import annotations

import contextlib
import os
import shutil
import smtplib
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path

import pytest

from bridge.config import Config, Smtp, Trusted
from tests.app.test_dsn import notifications
from tests.benchmarks.intake_speed import MASTER_CF, POSTFIX, ended, free_port, lay_out_postfix
from tests.running import ADDRESS, apart, eventually, running, simulated

pytestmark = pytest.mark.peer

TO = "anna@altra.invalid"
MAIN_CF = """
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
command_directory = /usr/sbin
daemon_directory = {daemons}
mail_owner = postfix
setgid_group = postdrop
myhostname = erp.example
mydestination =
inet_interfaces = loopback-only
mynetworks = 127.0.0.0/8
smtpd_recipient_restrictions = permit_mynetworks, reject
relayhost = [127.0.0.1]:{bridge}
smtp_tls_security_level = none
maillog_file = {folder}/mail.log
maillog_file_prefixes = {folder}
"""
MASTER_OWN = "smtp unix - - n - - smtp\n"
MESSAGE = f"From: {ADDRESS}\r\nTo: {TO}\r\nSubject: Da Postfix\r\nMessage-ID: <1@erp.example>\r\n"


@contextlib.contextmanager
def postfix(folder: Path, bridge: int) -> Iterator[int]:
    """Run a Postfix that hands everything to the bridge's port; give its own."""
    port = free_port()
    lay_out_postfix(folder)
    settings = folder / "etc"
    settings.mkdir()
    (settings / "main.cf").write_text(MAIN_CF.format(folder=folder, daemons=POSTFIX, bridge=bridge))
    (settings / "master.cf").write_text(MASTER_CF.format(port=port) + MASTER_OWN)
    for made in (settings, folder / "queue"):
        made.chmod(0o755)
    process = subprocess.Popen([POSTFIX / "master", "-c", settings, "-d"])
    with ended(process):
        yield port


def submit(port: int) -> None:
    """Submit to Postfix, as soon as it is up; blocks."""
    with smtplib.SMTP("127.0.0.1", port, timeout=20) as client:
        client.sendmail(
            ADDRESS,
            [TO],
            f"{MESSAGE}\r\nSalve.\r\n",
            ["ENVID=ORD17", "RET=HDRS"],
            ["NOTIFY=SUCCESS,FAILURE"],
        )


async def is_up(port: int) -> bool:
    try:
        await apart(lambda: smtplib.SMTP("127.0.0.1", port, timeout=5).close())
    except OSError:
        return False
    return True


def trusting(config: Config) -> Config:
    smtp = Smtp(listen=config.smtp.listen, trusted=(Trusted(ip_network("127.0.0.1/32"), ADDRESS),))
    return replace(config, smtp=smtp)


async def test_what_is_asked_of_postfix_comes_from_the_bridge(tmp_path: Path) -> None:
    if shutil.which("postfix") is None or not (POSTFIX / "master").exists():
        pytest.skip("postfix is not installed")
    if os.geteuid() != 0:
        pytest.skip("Postfix is started by root only")
    async with running(tmp_path, simulated(), change=trusting) as up:
        # not in pytest's own folder, where Postfix's user may not go
        with tempfile.TemporaryDirectory() as own, postfix(Path(own), up.port("smtp")) as port:
            await eventually(lambda: is_up(port))
            await apart(submit, port)

            async def is_told() -> bool:
                return bool(await apart(notifications, up))

            await eventually(is_told)
    (found,) = await _kept(tmp_path)
    assert found == ("ORD17", "delivered", f"rfc822; {TO}")


async def _kept(data: Path) -> list[tuple[str, str, str]]:
    async with running(data, simulated()) as up:
        said = await apart(notifications, up)
    return [
        (
            one.about["original-envelope-id"],
            one.actions[TO],
            one.recipients[TO]["original-recipient"],
        )
        for one in said
    ]
