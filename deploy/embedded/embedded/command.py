"""The `dealwright` command."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from embedded.catalogue import NAMES


class _Verbs(TyperGroup):
    """Says what is wrong in one line and ends with 1. DEALWRIGHT_LOG_LEVEL=DEBUG shows where it happened."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except Exception as error:
            from embedded.complaints import complaint

            line = complaint(error)
            if line is None or os.environ.get("DEALWRIGHT_LOG_LEVEL", "").upper() == "DEBUG":
                raise
            typer.echo(line, err=True)
            raise typer.Exit(1) from error


app = typer.Typer(
    cls=_Verbs,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Dealwright, the CRM.",
)
rules_app = typer.Typer(no_args_is_help=True, help="The assignment rules and their journal.")
bus_app = typer.Typer(no_args_is_help=True, help="Events that could not be handled.")
reports_app = typer.Typer(no_args_is_help=True, help="The figures: their read model.")
app.add_typer(rules_app, name="rules")
app.add_typer(reports_app, name="reports")
app.add_typer(bus_app, name="bus")

ServiceName = Annotated[str, typer.Argument(help=f"one of {', '.join(NAMES)}")]


@app.command()
def up(cluster: Annotated[bool, typer.Option(help="Separate processes on real parts.")] = False) -> None:
    """Start everything and print the address and the first sign-in."""
    if cluster:
        from embedded.starting import up_cluster

        up_cluster()
    else:
        from embedded.starting import up_embedded

        up_embedded()


@app.command()
def serve(service: ServiceName) -> None:
    """Answer one service's calls."""
    _named(service)
    from chassis import roles
    from embedded.catalogue import load

    roles.serve(load(service))


@app.command()
def work(service: ServiceName) -> None:
    """Handle one service's events (needs the cluster extra)."""
    from chassis.bus.fresh import work

    work(f"{_named(service)}.main")


@app.command()
def migrate(service: ServiceName) -> None:
    """Bring one service's database to this release."""
    _named(service)
    from chassis import roles
    from embedded.catalogue import load

    roles.migrate(load(service))
    if service == "directory":
        from embedded.starting import first_administrator

        first_administrator()


@app.command()
def apply(
    file: Path,
    validate_only: Annotated[bool, typer.Option("--validate-only", help="Only say what would change.")] = False,
) -> None:
    """Apply a blueprint (YAML) to a running Dealwright: all parts or none.

    It is asked at DEALWRIGHT_URL, or else where `up` listens: HOST (127.0.0.1), PORT (8080), https with TLS_CERT.
    """
    from embedded import remote

    raise typer.Exit(remote.apply(file, validate_only))


@app.command()
def invite(login: Annotated[str, typer.Argument(help="A login, or people/...")]) -> None:
    """Print a one-time link with which a person sets a password, for whoever holds the data folder or the database."""
    from embedded import inviting

    raise typer.Exit(inviting.invite(login))


@app.command()
def simulate(file: Path) -> None:
    """Decide the leads of history again under the policy in this file, and say what would differ.

    Asked at DEALWRIGHT_URL, or else where `up` listens: HOST (127.0.0.1), PORT (8080), https with TLS_CERT.
    """
    from embedded import remote

    raise typer.Exit(remote.simulate(file))


@app.command("import")
def import_(
    file: Annotated[Path | None, typer.Argument(help="CSV or XLSX.")] = None,
    kind: Annotated[str, typer.Option(help="LEADS, CUSTOMERS, CONTACTS, OPPORTUNITIES, FOLLOW_UPS")] = "LEADS",
    on_conflict: Annotated[str, typer.Option(help="What becomes of known records: skip, update, merge, touch.")] = "",
    mapping: Annotated[str, typer.Option(help='Header to field: {"手机":"phone"}.')] = "",
    historical: Annotated[bool, typer.Option(help="What happened long ago.")] = False,
    validate_only: Annotated[bool, typer.Option("--validate-only", help="Only say what would become of it.")] = False,
    refused: Annotated[Path | None, typer.Option(help="Write the refused rows with their reasons here.")] = None,
    commit: Annotated[str, typer.Option(help="Take in an import that was looked at: imports/...")] = "",
    undo: Annotated[str, typer.Option(help="Take back an import: imports/...")] = "",
    template: Annotated[str, typer.Option(help="Write an empty sheet of this kind to fill in, e.g. customers.")] = "",
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Of --template: x.xlsx or x.csv.")] = None,
) -> None:
    """Import a sheet into a running Dealwright, row by row; commit one that was looked at; undo one; or get a template.

    Asked at DEALWRIGHT_URL, or else where `up` listens: HOST (127.0.0.1), PORT (8080), https with TLS_CERT.
    """
    from embedded import sheets

    if template:
        raise typer.Exit(sheets.template(template, output))
    if commit or undo:
        raise typer.Exit(sheets.act(commit or undo, "commit" if commit else "undo"))
    if file is None:
        raise typer.BadParameter("name a file, --template with a kind, or --commit or --undo with an import")
    wanted = {"kind": kind.upper(), "historical": historical, "validateOnly": validate_only}
    if on_conflict:
        wanted["onConflict"] = on_conflict.upper()
    if mapping:
        wanted["mapping"] = sheets.mapping(mapping)
    raise typer.Exit(sheets.bring(file, wanted, refused))


@rules_app.command()
def verify() -> None:
    """Re-derive every decision ever taken and check the journal's hash chain."""
    from embedded import inspection

    raise typer.Exit(inspection.verify_rules())


@bus_app.command()
def parked() -> None:
    """List parked events with their reasons."""
    from embedded import inspection

    raise typer.Exit(inspection.parked())


@bus_app.command()
def replay(event: Annotated[list[str] | None, typer.Argument(help="Ids; all when none is given.")] = None) -> None:
    """Hand parked events out again."""
    from embedded import inspection

    raise typer.Exit(inspection.replay(event or []))


@reports_app.command("rebuild")
def rebuild_reports() -> None:
    """Make the read model anew from what the services keep of their events, while the one there is answers."""
    from embedded import reporting

    raise typer.Exit(reporting.rebuild())


@reports_app.command("check")
def check_reports() -> None:
    """Count the figures anew from what the owners of records say, and name each cell that differs."""
    from embedded import reporting

    raise typer.Exit(reporting.check())


@app.command()
def doctor() -> None:
    """Check this installation: databases, schema, audit chains, journal, parked events, figures."""
    from embedded import inspection, reporting

    raise typer.Exit(max(inspection.doctor(), reporting.check()))


@app.command()
def backup(file: Path) -> None:
    """Copy every database of the embedded deployment into one archive, while it runs."""
    from embedded import archive

    raise typer.Exit(archive.backup(file))


@app.command()
def restore(file: Path) -> None:
    """Put an archive's databases in place. Dealwright must be stopped."""
    from embedded import archive

    raise typer.Exit(archive.restore(file))


def _named(service: str) -> str:
    from embedded.catalogue import NAMES

    if service not in NAMES:
        typer.echo(f"There is no service {service!r}: choose {', '.join(NAMES)}.", err=True)
        sys.exit(2)
    return service


if __name__ == "__main__":
    app()
