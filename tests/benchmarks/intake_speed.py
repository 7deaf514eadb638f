"""How fast messages are taken in, against Postfix on the same disk: run by hand, prints JSON.

    python -m tests.benchmarks.intake_speed [--folder D] [--rounds N] [--store URL | --postgres]

Postfix's ``smtp-source`` sends 2,000 messages of 8 KB over 10 connections, in turns to ``serve``
and to a private Postfix (its own folder and port, discarding what it queued); ``250`` comes after
the sync on both sides. ``ratio`` is ours to theirs, from the median round of each; at least 1.0 is
asked for. Needs root, since Postfix does. ``--store`` has ours on a database that is there, and
``--postgres`` on a PostgreSQL server of its own that syncs, where temporary files are;
once warm it has statistics, which its autovacuum makes within a minute or two.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import pwd
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests import cluster
from tests.cluster import DURABLE

MESSAGES, SIZE_BYTES, CONNECTIONS = 2_000, 8 * 1024, 10
SENDER, RECIPIENT = "bench@pec.example", "uno@altra.example"
POSTFIX = Path("/usr/lib/postfix/sbin")
READY_WITHIN_S = 30

CONFIG = """
data_dir = "{folder}"
[api]
base_url = "http://127.0.0.1:{nowhere}"
token = {{ env = "BENCH" }}
[imap]
listen = ["127.0.0.1:0"]
[smtp]
listen = ["127.0.0.1:0"]
[[smtp.trusted]]
network = "127.0.0.0/8"
account = "{sender}"
[[account]]
address = "{sender}"
password = {{ env = "BENCH" }}
"""
ON_DATABASE = """
[store]
url = { env = "BENCH_STORE" }
"""

MAIN_CF = """
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
command_directory = /usr/sbin
daemon_directory = {daemons}
mail_owner = postfix
setgid_group = postdrop
myhostname = bench.example
mydestination =
inet_interfaces = loopback-only
mynetworks = 127.0.0.0/8
smtpd_recipient_restrictions = permit_mynetworks, reject
default_transport = discard:
in_flow_delay = 0s
maillog_file = {folder}/mail.log
maillog_file_prefixes = {folder}
smtputf8_enable = no
"""

MASTER_CF = """
postlog unix-dgram n - n - 1 postlogd
127.0.0.1:{port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
"""


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@contextlib.contextmanager
def ended(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """End a process at the end."""
    try:
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextlib.contextmanager
def ours(folder: Path, url: str = "") -> Iterator[tuple[int, int]]:
    """Run ``serve`` with an API that is down; give its SMTP port and its pid.

    Args:
        folder: where it is.
        url: the database that has its data, if one does.
    """
    config = folder / "config.toml"
    settings = CONFIG.format(folder=folder / "data", nowhere=free_port(), sender=SENDER)
    config.write_text(settings + (ON_DATABASE if url else ""))
    process = subprocess.Popen(
        [Path(sys.executable).with_name("pec-bridge"), "serve", "--json", "--config", config],
        stdout=subprocess.PIPE,
        stderr=(folder / "log").open("wb"),
        env={**os.environ, "BENCH": "bench", "BENCH_STORE": url},
    )
    with ended(process):
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        yield ready["smtp"]["port"], process.pid


@contextlib.contextmanager
def postfix(folder: Path) -> Iterator[tuple[int, int]]:
    """Run a private Postfix; give its SMTP port and its master's pid."""
    port = free_port()
    lay_out_postfix(folder)
    settings = folder / "etc"
    settings.mkdir()
    (settings / "main.cf").write_text(MAIN_CF.format(folder=folder, daemons=POSTFIX))
    (settings / "master.cf").write_text(MASTER_CF.format(port=port))
    process = subprocess.Popen([POSTFIX / "master", "-c", settings, "-d"])
    with ended(process):
        deadline_s = time.monotonic() + READY_WITHIN_S
        while time.monotonic() < deadline_s:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)) as one:
                if one.recv(100).startswith(b"220"):
                    break
            time.sleep(0.1)
        yield port, process.pid


def lay_out_postfix(folder: Path) -> None:
    """Make the folders that Postfix's installer would."""
    folder.chmod(0o755)
    uid, gid = pwd.getpwnam("postfix").pw_uid, -1
    for name in ("active", "bounce", "corrupt", "defer", "deferred", "flush"):
        (folder / "queue" / name).mkdir(mode=0o700, parents=True)
    for name in ("hold", "incoming", "private", "saved", "trace", "maildrop", "public"):
        (folder / "queue" / name).mkdir(mode=0o711)
    for made in (folder / "queue").iterdir():
        os.chown(made, uid, gid)
    (folder / "queue" / "pid").mkdir(mode=0o755)
    (folder / "data").mkdir(mode=0o700)
    os.chown(folder / "data", uid, gid)


def send(port: int) -> float:
    """Send all messages; return messages per second."""
    command = ["smtp-source", "-d", "-s", str(CONNECTIONS), "-m", str(MESSAGES)]
    command += ["-l", str(SIZE_BYTES), "-f", SENDER, "-t", RECIPIENT, f"127.0.0.1:{port}"]
    begin_s = time.monotonic()
    subprocess.run(command, check=True)
    return MESSAGES / (time.monotonic() - begin_s)


def cpu_s(pid: int) -> float:
    """Return the processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--folder", type=Path, help="on the disk to measure; else a temporary one")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--store", default="", help="the URL of a database for ours")
    parser.add_argument("--postgres", action="store_true", help="ours on a PostgreSQL of its own")
    options = parser.parse_args()
    if shutil.which("smtp-source") is None or not (POSTFIX / "master").exists():
        sys.exit("needs Postfix: apt-get install postfix")
    rates: dict[str, list[float]] = {"pec_bridge": [], "postfix": []}
    with contextlib.ExitStack() as stack:
        folders = [
            Path(stack.enter_context(tempfile.TemporaryDirectory(dir=options.folder)))
            for _ in range(2)
        ]
        url = options.store
        if options.postgres:
            server = stack.enter_context(contextlib.contextmanager(cluster.running)(**DURABLE))
            url = server.url(server.new_database())
        our_port, our_pid = stack.enter_context(ours(folders[0], url))
        their_port, _pid = stack.enter_context(postfix(folders[1]))
        for port in (our_port, their_port):
            send(port)  # both warm
        if options.postgres:
            server.run("ANALYZE", url.partition("@/")[2].partition("?")[0])
        our_cpu_s = cpu_s(our_pid)
        for _ in range(options.rounds):
            rates["pec_bridge"].append(send(our_port))
            rates["postfix"].append(send(their_port))
        our_cpu_s = cpu_s(our_pid) - our_cpu_s
    medians = {name: statistics.median(found) for name, found in rates.items()}
    result = {
        "store": "PostgreSQL" if url else "file",
        "messages": MESSAGES,
        "size_bytes": SIZE_BYTES,
        "connections": CONNECTIONS,
        "per_s": {name: [round(rate) for rate in found] for name, found in rates.items()},
        "median_per_s": {name: round(median) for name, median in medians.items()},
        "our_cpu_ms_per_message": round(1000 * our_cpu_s / (MESSAGES * options.rounds), 3),
        "load_average": os.getloadavg()[0],
        "ratio": round(medians["pec_bridge"] / medians["postfix"], 2),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
