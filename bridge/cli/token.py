"""``token`` and ``wallet``: permissions at the service, and what is left to spend there."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer

from bridge.cli import option
from bridge.cli.administer import TokenHost, agree, settings
from bridge.cli.output import print_facts, print_json, print_table
from bridge.config import ConfigFile, SecretSource
from bridge.language import say

commands = typer.Typer(help="Tokens for the API, with the least rights.", no_args_is_help=True)

Which = Annotated[
    str | None,
    typer.Argument(
        metavar="[WHICH]", help="Its name, or its last characters; else the configured one."
    ),
]
Days = Annotated[int, typer.Option(min=1, max=365, help="How long it is to live.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask; for scripts.")]


@commands.command()
def create(
    name: Annotated[
        str | None, typer.Option(help="What to call it; else pec-bridge and the day.")
    ] = None,
    days: Days = 365,
    admin: Annotated[
        bool, typer.Option("--admin", help="For the `mailbox` commands (into admin_token).")
    ] = False,
    may_revoke: Annotated[
        bool, typer.Option("--may-revoke", help="With --admin: may end mailboxes, too.")
    ] = False,
    may_delete_receipts: Annotated[
        bool, typer.Option("--may-delete-receipts", help="For `receipts delete`.")
    ] = False,
    to: Annotated[
        Path | None,
        typer.Option("--to", metavar="F", help="Write it here; else where [api] has it."),
    ] = None,
    yes: Yes = False,
    config: option.Config = None,
    as_json: option.Json = False,
) -> None:
    """Make a token with exactly the rights that the configuration needs, into its file (0600).

    Asks for the account's e-mail and API key unless [api] has them. No right to delete with
    delete = "never".
    """
    from bridge.operations.scopes import for_mailboxes, for_sending

    if may_revoke and not admin:
        raise typer.BadParameter(say("--may-revoke goes with --admin"))
    file = settings(config)
    target, apart = _target(file, admin, to)
    scopes: tuple[str, ...] = ()
    if not (admin and apart):
        scopes += for_sending(file.config, delete_receipts=may_delete_receipts)
    if admin:
        scopes += for_mailboxes(file.config, revoke=may_revoke)
    maker = "pec-bridge-admin" if admin and apart else "pec-bridge"
    called = name or f"{maker} {_today()}"
    existing = say(" (the one there is overwritten, and stays valid)") if target.exists() else ""
    question = say(
        "Make the token {called} with {scopes} into {target}{existing}?",
        called=repr(called),
        scopes=", ".join(scopes),
        target=target,
        existing=existing,
    )
    account = TokenHost(file)
    agree({"question": question}, yes)
    wanted = {"name": called, "scopes": scopes, "days": days, "to": str(target)}
    _print(account.ask("token create", wanted), as_json)


def _target(file: ConfigFile, admin: bool, to: Path | None) -> tuple[Path, bool]:
    """Return the file for the token, and whether it is the mailbox host's alone."""
    api = file.config.api
    apart = admin and api.admin_token is not None
    source: SecretSource = api.token
    if apart and api.admin_token is not None:
        source = api.admin_token
    if to is not None:
        return to, apart
    if source.file is None:
        raise typer.BadParameter(
            say(
                "{apart} in [api] is no file: say where with --to",
                apart="admin_token" if apart else "token",
            )
        )
    return source.file, apart


def _today() -> str:
    from bridge.clock import SystemClock

    today: date = SystemClock().now().date()
    return today.isoformat()


@commands.command("list")
def list_tokens(config: option.Config = None, as_json: option.Json = False) -> None:
    """List the account's tokens, by name and last characters."""
    found = TokenHost(settings(config)).ask("token list")
    if as_json:
        print_json(found)
        return
    columns = ("name", "ending", "in_use", "expires_at", "days_left", "scopes")
    rows = ([one[column] for column in columns] for one in found)
    print_table(columns, rows, say("This account has no tokens."))


@commands.command()
def show(which: Which = None, config: option.Config = None, as_json: option.Json = False) -> None:
    """Show a token's rights, life, limits and use; never the token."""
    _print(TokenHost(settings(config)).ask("token show", {"which": which}), as_json)


@commands.command()
def renew(
    which: Which = None,
    days: Days = 365,
    config: option.Config = None,
    as_json: option.Json = False,
) -> None:
    """Let a token live longer; it stays the same."""
    wanted = {"which": which, "days": days}
    _print(TokenHost(settings(config)).ask("token renew", wanted), as_json)


@commands.command()
def revoke(
    which: Annotated[str, typer.Argument(metavar="WHICH", help="Its name, or last characters.")],
    yes: Yes = False,
    config: option.Config = None,
    as_json: option.Json = False,
) -> None:
    """End a token at once; asks first."""
    account = TokenHost(settings(config))
    found = account.ask("token show", {"which": which})
    use = say(" This configuration uses it: sending and reading stop.") if found["in_use"] else ""
    question = say(
        "Revoke the token {name} (…{ending})?{use}",
        name=repr(found["name"]),
        ending=found["ending"],
        use=use,
    )
    agree({"question": question}, yes)
    _print(account.ask("token revoke", {"which": which}), as_json)


def wallet(
    last: Annotated[int, typer.Option(min=1, max=100, help="So many movements.")] = 10,
    config: option.Config = None,
    as_json: option.Json = False,
) -> None:
    """Show the credit that is left and the last movements."""
    found = TokenHost(settings(config)).ask("wallet", {"last": last})
    if as_json:
        print_json(found)
        return
    enough = "" if found["pecs"] is None else f" (enough for {found['pecs']:,} PECs)"
    print_facts([("credit", f"{found['credit_eur']:,.2f} EUR{enough}")])
    rows = ([one["at"], f"{one['amount_eur']:+,.2f}", one["text"]] for one in found["transactions"])
    print_table(("at", "EUR", "what"), rows, say("Nothing has moved yet."))


def _print(facts: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(facts)
    else:
        print_facts((name, value) for name, value in facts.items() if value not in (None, {}))
