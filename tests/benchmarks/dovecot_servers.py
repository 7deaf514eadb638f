"""Dovecot as it is measured: Debian's, and one of a later version that another system brings.

``debootstrap --variant=minbase --include=dovecot-imapd trixie ROOT`` makes a system with Dovecot
2.4, which is run from there without being installed here.
"""

from __future__ import annotations

import atexit
import os
import pwd
import shutil
import socket
from pathlib import Path
from typing import ClassVar

from tests.benchmarks.imap_client import PASSWORD
from tests.benchmarks.imap_servers import Server


class Dovecot(Server):
    """Debian's Dovecot with a Maildir, on a configuration of its own."""

    name = "dovecot"
    storage = "maildir"

    @staticmethod
    def installed() -> str | None:
        """Return the program, None where it is missing."""
        return shutil.which("dovecot", path=os.environ.get("PATH", "") + ":/usr/sbin")

    def command(self) -> list[str]:
        """Return the command."""
        return [str(self.installed()), "-F", "-c", str(self._configured(self.folder))]

    def _configured(self, here: Path) -> Path:
        """Write the configuration; ``here`` is the folder as Dovecot sees it. Returns its path."""
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        user = next(name for name in ("mail", "nobody") if _exists(name))
        mail = self.folder / "mail"
        mail.mkdir(exist_ok=True)
        shutil.chown(mail, user)
        for folder in (self.folder, *self.folder.parents[:1]):
            folder.chmod(0o755)
        (self.folder / "dovecot.conf").write_text(f"""{self._of_version(here / "mail", user)}
            protocols = imap
            listen = 127.0.0.1
            base_dir = {here}/run
            state_dir = {here}/state
            log_path = {here}/log
            ssl = no
            mail_uid = {user}
            mail_gid = {user}
            first_valid_uid = 1
            service imap-login {{
              inet_listener imap {{
                port = {self.port}
              }}
              inet_listener imaps {{
                port = 0
              }}
            }}
            service anvil {{
              chroot =
            }}
        """)
        return here / "dovecot.conf"

    def _of_version(self, mail: Path, user: str) -> str:
        """Return the settings that another version has other words for."""
        return f"""
            disable_plaintext_auth = no
            mail_location = {self.storage}:{mail}
            passdb {{
              driver = static
              args = password={PASSWORD}
            }}
            userdb {{
              driver = static
              args = uid={user} gid={user} home={mail}
            }}"""


class Sdbox(Dovecot):
    """The same with its own format, a file for each message and an index that must be there."""

    name = "dovecot sdbox"
    storage = "sdbox"


class Dovecot24(Dovecot):
    """Dovecot 2.4 with a Maildir, in the system at ``root``, where its mail is kept too."""

    name = "dovecot 2.4"
    root: ClassVar[Path | None] = None

    def __init__(self, folder: Path) -> None:
        assert self.root is not None
        super().__init__(self.root / "srv" / folder.name)
        atexit.register(shutil.rmtree, self.folder, ignore_errors=True)

    def command(self) -> list[str]:
        """Return the command."""
        configuration = self._configured(Path("/srv", self.folder.name))
        return ["/usr/sbin/chroot", str(self.root), "dovecot", "-F", "-c", str(configuration)]

    def _of_version(self, mail: Path, user: str) -> str:
        return f"""
            dovecot_config_version = 2.4.0
            dovecot_storage_version = 2.4.0
            auth_allow_cleartext = yes
            mail_driver = {self.storage}
            mail_path = {mail}
            passdb static {{
              password = {PASSWORD}
            }}
            userdb static {{
              fields {{
                uid = {user}
                gid = {user}
                home = {mail}
              }}
            }}"""


class Sdbox24(Dovecot24):
    """The same with its own format."""

    name = "dovecot 2.4 sdbox"
    storage = "sdbox"


def _exists(user: str) -> bool:
    try:
        pwd.getpwnam(user)
    except KeyError:
        return False
    return True
