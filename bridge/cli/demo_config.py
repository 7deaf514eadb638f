"""The configuration of a running demo, so that every other command can be tried on it."""

from __future__ import annotations

import json
from pathlib import Path

from bridge.net.listening import Listening
from bridge.operations.secretfile import SecretFile

CONFIG_NAME = "config.toml"


def write_config(folder: Path, listening: Listening, token: str, password: str) -> Path:
    """Write a configuration beside the demo's data, and the two secrets it names; return its path.

    Args:
        folder: the demo's data.
        listening: what is up.
        token: the simulated API's.
        password: the simulated mailbox's.

    Raises:
        OSError: it cannot be written.
    """
    folder = folder.absolute()
    for name, secret in (("token", token), ("password", password)):
        with SecretFile(folder / name) as file:
            file.write(secret)
    listen = {
        table: [f"127.0.0.1:{one.port}" for one in listening.listeners if one.protocol == protocol]
        for table, protocol in (("imap", "imap"), ("smtp", "smtp"), ("web", "http"))
    }
    url = _text(listening.api_url)
    password_file = _text(str(folder / "password"))
    accounts = "".join(
        f"\n[[account]]\naddress = {_text(one)}\npassword = {{ file = {password_file} }}\n"
        for one in listening.accounts
    )
    path = folder / CONFIG_NAME
    with SecretFile(path) as file:
        file.write(
            f"""\
# Of the demo that runs on this data; written anew each time it starts.
data_dir = {_text(str(folder))}

[api]
base_url = {url}
admin_url = {url}
oauth_url = {url}
token = {{ file = {_text(str(folder / "token"))} }}

[sync]
interval_s = 1
request_budget_per_day = 0

[imap]
listen = {json.dumps(listen["imap"])}

[smtp]
listen = {json.dumps(listen["smtp"])}

[web]
listen = {json.dumps(listen["web"])}
{accounts}"""
        )
    return path


def _text(value: str) -> str:
    """Return a basic string of TOML: JSON's, whose escapes are among TOML's."""
    return json.dumps(value)
