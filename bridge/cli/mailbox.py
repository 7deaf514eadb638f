"""``mailbox``: from no mailbox at all to one that is configured, and its years after that."""

from __future__ import annotations

import base64
import inspect
from errno import EEXIST
from pathlib import Path
from typing import Annotated, Any

import typer

from bridge.cli import option
from bridge.cli.administer import agree, ask_mailboxes, settings, typed
from bridge.cli.failure import FAILED, tell
from bridge.cli.mailbox_show import print_mailbox, print_watched
from bridge.cli.output import print_json, print_table
from bridge.cli.registering import given_values
from bridge.cli.tongue import language, spoken
from bridge.language import say
from bridge.registration.fields import FIELDS

commands = typer.Typer(
    help="Certified mailboxes: found, registered, activated, renewed.", no_args_is_help=True
)

Id = Annotated[str, typer.Argument(metavar="ID", help="The mailbox's id, from `mailbox list`.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask; for scripts.")]
UNSEEN = say("Mailboxes with the FLAT plan, and those bought on the website, cannot be seen here.")


@commands.command()
def check(
    addresses: Annotated[list[str], typer.Argument(metavar="ADDRESS", help="One or more.")],
    config: option.Config = None,
    as_json: option.Json = False,
) -> None:
    """Tell which addresses are free; exit status 1 if any is taken."""
    found = ask_mailboxes(settings(config), "mailbox check", {"addresses": addresses})
    if as_json:
        print_json(found)
    else:
        rows = ([one["address"], "free" if one["free"] else "taken"] for one in found)
        print_table(("address", "is"), rows, "")
    if not all(one["free"] for one in found):
        raise typer.Exit(FAILED)


@commands.command()
def domain(
    name: Annotated[str, typer.Argument(metavar="DOMAIN", help="Such as legalmail.it.")],
    config: option.Config = None,
    as_json: option.Json = False,
) -> None:
    """Tell whether a domain belongs to certified mail; exit status 1 if it does not."""
    found = ask_mailboxes(settings(config), "mailbox domain", {"domain": name})
    if as_json:
        print_json(found)
    else:
        verdict = (
            say("{domain} is a PEC domain.")
            if found["certified"]
            else say("{domain} is no PEC domain.")
        )
        typer.echo(spoken(verdict.filled_with(domain=found["domain"])))
    if not found["certified"]:
        raise typer.Exit(FAILED)


def register(
    source: Annotated[
        Path | None,
        typer.Option("--from", metavar="F", help="Take the fields from this TOML file."),
    ] = None,
    template: Annotated[
        bool, typer.Option("--template", help="Print a commented TOML file to fill in, and end.")
    ] = False,
    yes: Yes = False,
    config: option.Config = None,
    as_json: option.Json = False,
    **flags: str | None,
) -> None:
    """Register a mailbox: all fields are checked, the cost is shown, and you are asked first.

    Fields come from flags, from a file (flags go before it), and on a terminal from questions.
    """
    if template:
        from bridge.registration.template import template as made

        typer.echo(made(language()), nl=False)
        return
    file = settings(config)
    values = given_values(source, flags)
    asked = ask_mailboxes(file, "mailbox prepare", {"do": "register", "values": values})
    agree(asked, yes)
    print_mailbox(ask_mailboxes(file, "mailbox register", {"values": values}), as_json)


def _with_fields() -> Any:
    """Give ``register`` an option for each field of the table; Typer reads the signature."""
    signature = inspect.signature(register, eval_str=True)
    kept = [one for one in signature.parameters.values() if one.name != "flags"]
    for field in FIELDS:
        among = f" ({', '.join(field.choices)})" if len(field.choices) in range(1, 8) else ""
        shown = typer.Option(field.flag, help=f"{field.meaning}{among}", show_default=False)
        names = (field.flag,)
        if field.name == "autorinnovo":
            names = (f"{field.flag}/--no-{field.name}",)
            shown = typer.Option(*names, help=field.meaning, show_default=False)
            kind: Any = Annotated[bool | None, shown]
        else:
            kind = Annotated[str | None, shown]
        kept.append(
            inspect.Parameter(
                field.name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=kind
            )
        )
    register.__signature__ = signature.replace(parameters=kept)  # type: ignore[attr-defined] # typer reads it
    register.__annotations__ = {one.name: one.annotation for one in kept}
    return register


commands.command()(_with_fields())


@commands.command("list")
def list_mailboxes(config: option.Config = None, as_json: option.Json = False) -> None:
    """List the mailboxes that were registered here."""
    found = ask_mailboxes(settings(config), "mailbox list")
    if as_json:
        print_json(found)
        return
    columns = ("id", "address", "kind", "state", "expires_on", "state_words")
    rows = ([one[column] for column in columns] for one in found)
    print_table(columns, rows, say("No mailbox was registered through the API."))
    tell(UNSEEN)


@commands.command()
def show(id: Id, config: option.Config = None, as_json: option.Json = False) -> None:
    """Show one mailbox; for a new active one, its lines for the configuration too."""
    print_mailbox(ask_mailboxes(settings(config), "mailbox show", {"id": id}), as_json)


@commands.command()
def form(
    id: Id,
    output: Annotated[Path, typer.Option("-o", "--output", metavar="F.pdf", help="Where to.")],
    config: option.Config = None,
    as_json: option.Json = False,
) -> None:
    """Fetch the activation form, a PDF to be signed; overwrites no file."""
    from bridge.cli.wholefile import WholeFile

    try:
        with WholeFile(output, overwrite=False) as file:
            found = ask_mailboxes(settings(config), "mailbox form", {"id": id})
            file.stream.write(base64.b64decode(found["pdf"]))
            file.keep()
    except FileExistsError:
        words = say("is there already, and is not overwritten: name another file with -o")
        raise FileExistsError(EEXIST, words, str(output)) from None
    facts = {"file": str(output), "pages": found["pages"]}
    if as_json:
        print_json(facts)
    else:
        typer.echo(
            spoken(
                say(
                    "{output} (pages: {pages}). Sign it, and hand it in with `activate`.",
                    output=output,
                    pages=found["pages"],
                )
            )
        )


@commands.command()
def activate(
    id: Id,
    pdf: Annotated[
        Path | None, typer.Argument(metavar="F.pdf", help="Form and identity document in one.")
    ] = None,
    more: Annotated[
        list[Path] | None, typer.Argument(metavar="MORE.pdf", help="With --join: the others.")
    ] = None,
    join: Annotated[
        bool, typer.Option("--join", help="Make one PDF out of all that are named, in order.")
    ] = False,
    yes: Yes = False,
    config: option.Config = None,
    as_json: option.Json = False,
) -> None:
    """Hand in the signed form with the identity document."""
    files = [*([pdf] if pdf else []), *(more or [])]
    if not files:
        raise typer.BadParameter(say("name the PDF, or several with --join"), param_hint="F.pdf")
    if len(files) > 1 and not join:
        raise typer.BadParameter(say("the service takes one PDF: --join makes it out of several"))
    file = settings(config)
    pdfs = [base64.b64encode(one.read_bytes()).decode() for one in files]
    wanted = {"do": "activate", "id": id, "pdfs": pdfs, "names": [str(one) for one in files]}
    asked = ask_mailboxes(file, "mailbox prepare", wanted)
    agree(asked, yes)
    done = ask_mailboxes(file, "mailbox activate", {"id": id, "pdf": asked["pdf"]})
    print_mailbox(done, as_json)


@commands.command()
def renew(
    id: Id,
    years: Annotated[int, typer.Option(min=1, max=10, help="For how many years.")] = 1,
    yes: Yes = False,
    config: option.Config = None,
    as_json: option.Json = False,
) -> None:
    """Renew a mailbox, or take up again one that has expired: shows the cost and asks first."""
    _ask_and_do("renew", {"id": id, "years": years}, yes, config, as_json)


@commands.command()
def space(
    id: Id,
    disk: Annotated[
        str | None, typer.Option(metavar="N", help="Space: +1024 adds, 3072 sets, in MB.")
    ] = None,
    history: Annotated[
        str | None, typer.Option(metavar="N", help="Security archive (storico), likewise.")
    ] = None,
    archive: Annotated[
        str | None, typer.Option(metavar="N", help="Preservation (conservazione), by 512.")
    ] = None,
    yes: Yes = False,
    config: option.Config = None,
    as_json: option.Json = False,
) -> None:
    """Buy space for a mailbox of legalmail.it; asks first."""
    wanted = {"id": id, "disk": disk, "history": history, "archive": archive}
    _ask_and_do("space", wanted, yes, config, as_json)


@commands.command()
def convert(
    id: Id,
    kind: Annotated[str, typer.Argument(metavar="KIND", help="STANDARD, BRONZE, SILVER, GOLD.")],
    yes: Yes = False,
    config: option.Config = None,
    as_json: option.Json = False,
) -> None:
    """Make a mailbox of legalmail.it a larger kind; asks first."""
    _ask_and_do("convert", {"id": id, "kind": kind}, yes, config, as_json)


@commands.command()
def users(
    id: Id,
    name: Annotated[str | None, typer.Option(help="Add a user: first name.")] = None,
    surname: Annotated[str | None, typer.Option(help="Surname.")] = None,
    description: Annotated[str | None, typer.Option(help="What the user is for.")] = None,
    email: Annotated[str | None, typer.Option(help="Gets the link to set the password.")] = None,
    yes: Yes = False,
    config: option.Config = None,
    as_json: option.Json = False,
) -> None:
    """List a mailbox's users; with --name and the others, add one after asking."""
    wanted = {"name": name, "surname": surname, "description": description, "email": email}
    if any(wanted.values()):
        _ask_and_do("add user", {"id": id, **wanted}, yes, config, as_json)
        return
    found = ask_mailboxes(settings(config), "mailbox show", {"id": id})["users"]
    if as_json:
        print_json(found)
        return
    columns = ("id", "name", "login", "email", "description")
    rows = ([one[column] for column in columns] for one in found)
    print_table(columns, rows, say("It has no users beside its holder."))


def _ask_and_do(
    what: str, wanted: dict[str, Any], yes: bool, config: Path | None, as_json: bool
) -> None:
    file = settings(config)
    agree(ask_mailboxes(file, "mailbox prepare", {"do": what, **wanted}), yes)
    print_mailbox(ask_mailboxes(file, f"mailbox {what}", wanted), as_json)


@commands.command()
def revoke(id: Id, config: option.Config = None, as_json: option.Json = False) -> None:
    """End a mailbox; its address has to be typed."""
    file = settings(config)
    asked = ask_mailboxes(file, "mailbox prepare", {"do": "revoke", "id": id})
    wanted = {"id": id, "address": typed(asked)}
    print_mailbox(ask_mailboxes(file, "mailbox revoke", wanted), as_json)


@commands.command()
def watch(id: Id, config: option.Config = None, as_json: option.Json = False) -> None:
    """Look at a mailbox now and then until it is active, or has come to another end.

    Exit status 0 once it is active, 1 at any other end; Ctrl-C ends the watching.
    """
    if not print_watched(settings(config), id, as_json):
        raise typer.Exit(FAILED)
