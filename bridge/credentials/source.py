"""Finds secrets where the settings say they are.

``resolve`` finds one, ``resolve_all`` all of a configuration, with every fault at once.

Failure: ``SecretFault`` or ``ConfigError``, naming the place of a secret and never its text; a
command's own words are not shown either, they may hold it.
"""

from __future__ import annotations

import importlib
import os
import shlex
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from bridge.config import ConfigError, ConfigFault, ConfigFile, Receiver, Rest, SecretSource
from bridge.credentials.local import hash_fault
from bridge.credentials.secret import Secret, SecretFault
from bridge.credentials.signing import signing_fault
from bridge.language import say

COMMAND_TIMEOUT_S = 30.0
SECRET_LIMIT_BYTES = 64 * 1024
COMMAND_READER = "reader of a secret's command"
SECRETS_FOLDER = "secrets"
"""Beside the configuration: where commands put secrets, and where the unit has them from."""


@dataclass(frozen=True, slots=True)
class AccountSecrets:
    """One account's secrets; ``local_password`` may be a hash (``local``)."""

    password: Secret
    local_password: Secret


@dataclass(frozen=True, slots=True)
class ReceiverSecrets:
    """What a receiver's webhooks are signed with, the current one first; none for a command."""

    signing: tuple[Secret, ...] = ()


@dataclass(frozen=True, slots=True)
class Secrets:
    """All secrets of a configuration; ``accounts`` in the order of its accounts.

    ``admin_token``, ``api_key``, ``proxy_login``, ``alarms_password`` and ``store_url`` are None
    where the configuration has none. ``webhooks`` are in the order of ``Config.webhooks``,
    ``alarms`` in that of ``[[alarms.webhook]]``.
    """

    token: Secret
    accounts: tuple[AccountSecrets, ...]
    admin_token: Secret | None = None
    api_key: Secret | None = None
    proxy_login: Secret | None = None
    webhooks: tuple[ReceiverSecrets, ...] = ()
    alarms: tuple[ReceiverSecrets, ...] = ()
    alarms_password: Secret | None = None
    store_url: Secret | None = None


def resolve(
    source: SecretSource,
    environment: Mapping[str, str] = os.environ,
    folder: Path = Path(os.sep),
) -> Secret:
    """Find one secret. Reads files and runs commands: not for the event loop.

    One newline at the end of a file's or a command's text is not part of the secret. A command
    runs in ``folder``, the configuration's own: the working directory may be anybody's.

    Raises:
        SecretFault: it is not there, empty, or cannot be sent in a header field.
    """
    text = _find(source, environment, folder)
    if not text:
        raise SecretFault(say("is empty"))
    if not _is_unicode(text):
        raise SecretFault(say("is not UTF-8 text"))
    if any(ord(char) < 32 or ord(char) == 127 for char in text) or text != text.strip():
        raise SecretFault(say("has blanks around it or a control character in it"))
    return Secret(text)


def resolve_all(file: ConfigFile, environment: Mapping[str, str] = os.environ) -> Secrets:
    """Find every secret of a configuration. Not for the event loop.

    Raises:
        ConfigError: with every secret that cannot be had.
    """
    faults: list[ConfigFault] = []
    nothing = Secret("")

    def found(source: SecretSource, *key: str | int) -> Secret:
        try:
            return resolve(source, environment, file.folder)
        except SecretFault as fault:
            faults.append(ConfigFault(file.where(*key), fault.args[0]))
            return nothing

    api = file.config.api
    token = found(api.token, "api", "token")
    more = {
        name: None if source is None else found(source, "api", name)
        for name in ("admin_token", "api_key", "proxy_login")
        for source in (getattr(api, name),)
    }
    accounts = []
    for index, account in enumerate(file.config.account):
        password = found(account.password, "account", index, "password")
        local = account.local_password
        local_password = (
            password if local is None else found(local, "account", index, "local_password")
        )
        if fault := hash_fault(local_password):
            faults.append(ConfigFault(file.where("account", index, "local_password"), fault))
        accounts.append(AccountSecrets(password, local_password))

    def signing(receiver: Receiver, *key: str | int) -> ReceiverSecrets:
        each = []
        for name, source in (("secret", receiver.secret), ("old_secret", receiver.old_secret)):
            if source is not None:
                each.append(found(source, *key, name))
                if each[-1] is not nothing and (fault := signing_fault(each[-1])):
                    faults.append(ConfigFault(file.where(*key, name), fault))
        return ReceiverSecrets(tuple(each))

    webhooks = tuple(
        signing(one, *(() if number is None else ("account", number)), "webhook", index)
        for number, index, one in file.config.webhooks()
    )
    alarms = tuple(
        signing(one, "alarms", "webhook", index)
        for index, one in enumerate(file.config.alarms.webhook)
    )
    smtp = file.config.alarms.smtp
    password_source = None if smtp is None else smtp.password
    alarms_password = (
        None if password_source is None else found(password_source, "alarms", "smtp", "password")
    )
    url_source = file.config.store.url
    store_url = None if url_source is None else found(url_source, "store", "url")
    if faults:
        raise ConfigError(tuple(faults))
    return Secrets(
        token,
        tuple(accounts),
        webhooks=webhooks,
        alarms=alarms,
        alarms_password=alarms_password,
        store_url=store_url,
        **more,
    )


def missing(rest: Rest, environment: Mapping[str, str] = os.environ) -> Iterator[ConfigFault]:
    """Yield a fault for each secret that cannot be had, of settings that are faulty themselves."""
    for key, source in rest.pointers.sources:
        try:
            resolve(source, environment, rest.folder)
        except SecretFault as fault:
            yield ConfigFault(rest.where(*key), fault.args[0])


def _find(source: SecretSource, environment: Mapping[str, str], folder: Path) -> str:
    if source.file is not None:
        return _from_file(source.file, own=True)
    if source.env is not None:
        return _from_environment(source.env, environment)
    if source.command is not None:
        return _from_command(source.command, folder)
    if source.keyring is not None:
        return _from_keyring(source.keyring)
    credentials = environment.get("CREDENTIALS_DIRECTORY")
    if credentials is None:
        return _from_file(_loaded_from(source.credential or "", folder), own=True)
    # Their modes are the service manager's business, which keeps others out of the folder.
    return _from_file(Path(credentials, source.credential or ""), own=False)


def _loaded_from(name: str, folder: Path) -> Path:
    """Return the file that the unit loads a credential from, for a command that is no service's.

    ``LoadCredential=secrets:/etc/pec-bridge/secrets`` makes ``secrets_token`` of its ``token``.
    """
    path = folder / SECRETS_FOLDER / name.removeprefix(f"{SECRETS_FOLDER}_")
    if not name.startswith(f"{SECRETS_FOLDER}_") or not path.exists():
        unset = say("is a systemd credential, but $CREDENTIALS_DIRECTORY is not set")
        if not name.startswith(f"{SECRETS_FOLDER}_"):
            raise SecretFault(unset)
        raise SecretFault(say("{unset} and {path} is not there", unset=unset, path=path))
    return path


def _from_file(path: Path, *, own: bool) -> str:
    """Return what a file holds; one of the administrator's own must be closed to others."""
    try:
        with path.open("rb") as file:
            if own and (fault := open_to_others(path, os.fstat(file.fileno()))):
                raise SecretFault(fault)
            return _text_of(file.read(SECRET_LIMIT_BYTES + 1))
    except OSError as error:
        raise SecretFault(
            say("cannot be read from {path}: {strerror}", path=path, strerror=error.strerror)
        ) from None


def open_to_others(path: Path, status: os.stat_result) -> str | None:
    """Return how others than its owner may get at a secret's file, None if they may not.

    A group may read what root owns: so root gives a secret to a service that cannot change it.
    Modes say nothing on Windows.
    """
    mode = stat.S_IMODE(status.st_mode)
    allowed = 0o740 if status.st_uid == 0 else 0o700
    if sys.platform == "win32" or not stat.S_ISREG(status.st_mode) or not mode & ~allowed & 0o777:
        return None
    open_ = (
        say("is in {path}, which others may change (mode {mode}): run `chmod 600 {closed}`")
        if mode & 0o022
        else say("is in {path}, which others may read (mode {mode}): run `chmod 600 {closed}`")
    )
    return open_.filled_with(path=path, mode=f"{mode:04o}", closed=shlex.quote(str(path)))


def _from_environment(name: str, environment: Mapping[str, str]) -> str:
    if name not in environment:
        raise SecretFault(say("is to be in ${name}, which is not set", name=name))
    return environment[name]


def _from_command(command: tuple[str, ...], folder: Path) -> str:
    try:
        return _text_of(_printed_by(command, folder))
    except OSError as error:
        raise SecretFault(
            say(
                "comes from {command}, which cannot run: {strerror}",
                command=command[0],
                strerror=error.strerror,
            )
        ) from None
    except subprocess.TimeoutExpired:
        raise SecretFault(
            say(
                "comes from {command}, which took longer than {seconds} s",
                command=command[0],
                seconds=f"{COMMAND_TIMEOUT_S:.0f}",
            )
        ) from None
    except subprocess.CalledProcessError as error:
        raise SecretFault(
            say(
                "comes from {command}, which ended with status {status}",
                command=command[0],
                status=error.returncode,
            )
        ) from None


def _printed_by(command: tuple[str, ...], folder: Path) -> bytes:
    """Return what a command prints, no more of it than tells that it is too long.

    Raises:
        OSError, TimeoutExpired, CalledProcessError: it cannot run, goes on, or fails.
    """
    process = subprocess.Popen(  # noqa: S603 - the administrator's own command, without a shell
        command,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    printed: list[bytes] = []

    def read() -> None:
        assert process.stdout is not None  # noqa: S101 - a pipe was asked for
        with process.stdout as stream:
            printed.append(stream.read(SECRET_LIMIT_BYTES + 1))

    reader = threading.Thread(target=read, name=COMMAND_READER, daemon=True)
    reader.start()
    try:
        reader.join(COMMAND_TIMEOUT_S)
        if printed and len(printed[0]) > SECRET_LIMIT_BYTES:
            return printed[0]
        status = process.wait(COMMAND_TIMEOUT_S if printed else 0)
    finally:
        process.kill()
        process.wait()
        reader.join(1)  # what the command began may hold the pipe for longer
    if status:
        raise subprocess.CalledProcessError(status, command)
    if not printed:
        raise subprocess.TimeoutExpired(command, COMMAND_TIMEOUT_S)
    return printed[0]


def _from_keyring(name: str) -> str:
    service, _, user = name.partition("/")
    try:
        get_password: Callable[[str, str], str | None]
        get_password = importlib.import_module("keyring").get_password
    except ImportError:
        raise SecretFault(
            say("is in a keyring, but the package keyring is not installed")
        ) from None
    try:
        text = get_password(service, user)
    except Exception as error:
        raise SecretFault(
            say("cannot be had from the keyring ({name})", name=type(error).__name__)
        ) from None
    if text is None:
        raise SecretFault(say("is not in the keyring under {name}", name=name))
    return text


def _is_unicode(text: str) -> bool:
    """Tell text from bytes that were no UTF-8 where they came from (PEP 383)."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _text_of(content: bytes) -> str:
    if len(content) > SECRET_LIMIT_BYTES:
        raise SecretFault(say("is longer than {most} bytes", most=SECRET_LIMIT_BYTES))
    try:
        text = content.decode()
    except UnicodeDecodeError:
        raise SecretFault(say("is not UTF-8 text")) from None
    return text[: -2 if text.endswith("\r\n") else -1 if text.endswith("\n") else None]
