"""``certificate``: what mail programs are to trust, shown, given out, made anew."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from bridge.cli import option
from bridge.cli.failure import tell
from bridge.cli.output import print_facts, print_json
from bridge.cli.perform import settings
from bridge.cli.tongue import confirm
from bridge.cli.when import local
from bridge.cli.wholefile import give
from bridge.language import say
from bridge.operations.control import OperationFailed

commands = typer.Typer(help="The certificate that mail programs are shown.", no_args_is_help=True)


@commands.command()
def show(config: option.Config = None, as_json: option.Json = False) -> None:
    """Show the certificate's names, times and fingerprint."""
    from bridge.app.certificate_facts import certificate_facts

    facts = certificate_facts(settings(config).config)
    if as_json:
        print_json(facts)
        return
    times = ("valid_from", "valid_until")
    print_facts(
        (name, local(value) if name in times else value)
        for name, value in facts.items()
        if name != "not_named"
    )
    if facts["not_named"]:
        tell(
            say(
                "Clients that connect to {names} do not find that name in it. "
                "`pec-bridge certificate renew` makes one that has it.",
                names=", ".join(facts["not_named"]),
            )
        )


@commands.command()
def export(
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="F", help="Write it here; else on standard output."),
    ] = None,
    der: Annotated[bool, typer.Option("--der", help="In DER, as Windows takes it (.cer).")] = False,
    force: Annotated[bool, typer.Option("--force", help="Overwrite F.")] = False,
    config: option.Config = None,
) -> None:
    """Write the certificate alone, without its key, in PEM or DER."""
    from bridge.app.certificate_facts import certificate_der, certificate_pem

    found = settings(config).config
    content = certificate_der(found) if der else certificate_pem(found).encode("ascii")
    if output is None and der and sys.stdout.isatty():
        raise typer.BadParameter(say("DER is no text: say where with --output"))
    give(content, output, overwrite=force)


@commands.command()
def renew(
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask; for scripts.")] = False,
    config: option.Config = None,
    as_json: option.Json = False,
) -> None:
    """Make the self-signed certificate anew, for all names and addresses that are listened on.

    Every mail program has to trust the new one then.
    """
    from bridge.app.certificate import FILE_NAME, listening_hosts, make_own
    from bridge.app.certificate_facts import certificate_facts

    found = settings(config).config
    if found.tls.certificate is not None:
        raise OperationFailed(
            say(
                "{certificate} is yours to renew: [tls] names it.",
                certificate=found.tls.certificate,
            )
        )
    path = found.data_dir / FILE_NAME
    if not path.exists():
        raise OperationFailed(
            say("{path} is not there. It is made when the bridge first starts.", path=path)
        )
    if not yes:
        confirm(
            say(
                "Make a new certificate? Each mail program refuses it until it is told to trust it."
            )
        )
    before = path.stat()
    make_own(found.data_dir, listening_hosts(found))
    if sys.platform != "win32" and os.geteuid() == 0:
        os.chown(path, before.st_uid, before.st_gid)  # the service's, not root's
    facts = certificate_facts(found)
    if as_json:
        print_json(facts)
        return
    print_facts((name, facts[name]) for name in ("names", "fingerprint"))
    tell(say("The running bridge shows the old one until it is started again."))
