"""The files of ``compose/`` fit each other and what they stand for; no container is started."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from bridge.config import load
from bridge.credentials import resolve
from bridge.store.postgres.connection import conninfo_of

FOLDER = Path(__file__).parent.parent / "compose"
HAPROXY = shutil.which("haproxy", path="/usr/sbin:/usr/bin:/sbin:/bin")
yaml: Any = pytest.importorskip("yaml")
BRIDGES = ("one", "two")


def composed() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((FOLDER / "compose.yaml").read_text())
    return found


def environment() -> dict[str, str]:
    lines = (FOLDER / "secrets.env.example").read_text().splitlines()
    given = dict(line.split("=", 1) for line in lines)
    return {name: value or "something" for name, value in given.items()}


def test_the_settings_are_read_and_every_secret_is_named() -> None:
    config = load(FOLDER / "config.toml").config
    asked = re.findall(r'env = "(\w+)"', (FOLDER / "config.toml").read_text())
    assert sorted(asked) == sorted(environment())
    (account,) = config.account
    for source in (config.api.token, account.password):
        assert resolve(source, environment()).reveal() == "something"
    assert config.store.url is not None
    told = conninfo_of(environment()["PEC_BRIDGE_STORE"])
    assert "host=/run/postgresql" in told
    assert "sslmode" not in told


def test_what_a_service_mounts_and_waits_for_is_there() -> None:
    document = composed()
    services, volumes = document["services"], document["volumes"]
    for service in services.values():
        for mount in service["volumes"]:
            source = mount.split(":")[0]
            assert (FOLDER / source).exists() if source.startswith(".") else source in volumes
        assert set(service.get("depends_on", {})) <= set(services)
    for name in BRIDGES:
        one = services[name]
        assert (FOLDER / one["build"]["context"] / one["build"]["dockerfile"]).exists()
        assert one["hostname"] == name
    own = [mount for name in BRIDGES for mount in services[name]["volumes"][:1]]
    assert own == [f"{name}:/var/lib/pec-bridge" for name in BRIDGES]


def test_the_proxy_knows_where_the_bridges_listen() -> None:
    config = load(FOLDER / "config.toml").config
    proxy = (FOLDER / "haproxy.cfg").read_text()
    (imap,), (smtp,) = config.imap.listen, config.smtp.listen
    (web,) = config.web.listen or ()
    servers = re.findall(r"server (\w+) (\w+):(\d+)", proxy)
    assert servers == [
        (name, name, str(port)) for port in (imap.port, smtp.port) for name in BRIDGES
    ]
    assert f"check port {web.port} check-ssl" in proxy
    inside = [str(mapped).split(":")[1] for mapped in composed()["services"]["proxy"]["ports"]]
    assert inside == re.findall(r"bind :(\d+)", proxy) == [str(imap.port), str(smtp.port)]
    assert all(one.implicit_tls for one in (imap, smtp, web))


@pytest.mark.skipif(HAPROXY is None, reason="HAProxy is not installed")
def test_haproxy_takes_its_settings() -> None:
    done = subprocess.run(
        [str(HAPROXY), "-c", "-f", FOLDER / "haproxy.cfg"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_the_image_has_what_it_is_built_from() -> None:
    lines = (FOLDER / "Dockerfile").read_text().splitlines()
    copied = [name for line in lines if line.startswith("COPY ") for name in line.split()[1:-1]]
    assert copied
    assert all((FOLDER.parent / name).exists() for name in copied)
    assert lines[-1] == 'CMD ["pec-bridge", "serve", "--config", "/etc/pec-bridge/config.toml"]'
