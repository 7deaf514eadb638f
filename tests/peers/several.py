"""Two bridges on one PostgreSQL behind HAProxy, all on this machine, to look at and to test.

``python -m tests.peers.several`` says how to connect and runs until it is stopped. Needs Debian's
postgresql and haproxy. The layout is that of docs/scaling.md.
"""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.cluster import Cluster
from tests.killed import ADDRESS, PASSWORD, configured, running, simulating

SHARED = """
[store]
url = { file = "store" }
[web]
listen = ["127.0.0.1:0"]
"""
DEFAULTS = """
defaults
    mode tcp
    timeout connect 5s
    timeout client 35m
    timeout server 35m
    option redispatch
    default-server inter 1s fall 2 rise 1
"""
CHECK = "http-check send meth GET uri /readyz ver HTTP/1.1 hdr Host localhost"


@dataclass(frozen=True, slots=True)
class Several:
    """All that runs: ports of the proxy, the API's address, and each bridge's process."""

    imap_port: int
    smtp_port: int
    simulator: str
    configs: Mapping[str, Path]
    bridges: Mapping[str, subprocess.Popen[bytes]]


def free_port() -> int:
    """Return a port that nobody has now."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def proxied(protocol: str, port: int, ready: Mapping[str, Mapping[str, Any]]) -> str:
    """Return what HAProxy is told of a protocol: where it listens, and who serves it."""
    servers = "\n".join(
        f"    server {name} 127.0.0.1:{facts[protocol]['port']} check"
        f" port {urlsplit(facts['web']['url']).port}"
        for name, facts in ready.items()
    )
    return (
        f"listen {protocol}\n    bind 127.0.0.1:{port}\n    balance roundrobin\n"
        f"    option httpchk\n    {CHECK}\n{servers}\n"
    )


@contextmanager
def several(folder: Path) -> Iterator[Several]:
    """Start everything in a folder, and end it."""
    with ExitStack() as stack:
        simulator = stack.enter_context(simulating("delivery_s=1"))
        cluster = Cluster()
        stack.callback(cluster.remove)
        cluster.start()
        url = cluster.url(cluster.new_database())
        bridges, configs, ready = {}, {}, {}
        for name in ("one", "two"):
            own = folder / name
            own.mkdir()
            (own / "store").write_text(url)
            (own / "store").chmod(0o600)
            configs[name] = configured(own, simulator, SHARED)
            bridges[name], ready[name] = stack.enter_context(
                running("serve", "--config", configs[name])
            )
        imap, smtp = free_port(), free_port()
        file = folder / "haproxy.cfg"
        file.write_text(DEFAULTS + proxied("imap", imap, ready) + proxied("smtp", smtp, ready))
        proxy = subprocess.Popen(["haproxy", "-q", "-db", "-f", file])
        stack.callback(proxy.wait)
        stack.callback(proxy.kill)
        answers(imap)
        yield Several(imap, smtp, simulator, configs, bridges)


def answers(port: int, within_s: float = 15) -> None:
    """Wait until a bridge greets through the proxy."""
    deadline_s = time.monotonic() + within_s
    while time.monotonic() < deadline_s:
        try:
            with socket.create_connection(("127.0.0.1", port), 1) as line:
                if line.recv(10).startswith(b"* OK"):
                    return
        except OSError:
            pass
        time.sleep(0.1)
    raise TimeoutError("no bridge answers through the proxy")


def main() -> None:
    """Run it until it is stopped."""
    if shutil.which("haproxy") is None:
        sys.exit("haproxy is not installed")
    with tempfile.TemporaryDirectory() as name, several(Path(name)) as all_of_it:
        sys.stdout.write(
            f"IMAP 127.0.0.1:{all_of_it.imap_port}, SMTP 127.0.0.1:{all_of_it.smtp_port},"
            f" {ADDRESS}, {PASSWORD}\nAPI {all_of_it.simulator}/_simulator\n"
        )
        for config in all_of_it.configs.values():
            sys.stdout.write(f"pec-bridge status --config {config}\n")
        sys.stdout.flush()
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        with suppress(KeyboardInterrupt):
            signal.pause()


if __name__ == "__main__":
    main()
