"""`margin-pipeline database`: the server, its URL and its schema.

Belongs here: showing and asking for what `storage` does. Not here: doing it, `backup` and `restore` (`cli.backup`).
"""

from __future__ import annotations

import argparse
from pathlib import Path

from margin_pipeline import cli
from margin_pipeline.cli import backup

ACTIONS = {
    "url": "print the URL of the results database, without password",
    "upgrade": "apply outstanding migrations, and roles where they are in use",
    "roles": "make the roles of pipeline, analysts, auditors and feeds, with what each may do",
    "status": "print which migrations are applied",
    "start": "start the embedded server and keep it up until `stop`",
    "stop": "stop the embedded server",
}


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command and its actions."""
    parser = subparsers.add_parser("database", help="URL, migrations, the embedded server", description=__doc__.splitlines()[0])
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    backup.add_parser(actions)
    for name, text in ACTIONS.items():
        action = actions.add_parser(name, help=text, description=text)
        if name == "start":
            action.add_argument("--port", type=int, help="port on loopback, for psql, JDBC, Grafana (default: a socket only)")


def run(args: argparse.Namespace) -> int:
    """Run the action; gives the exit status."""
    actions = {"url": _url, "upgrade": _upgrade, "roles": _roles, "status": _status, "start": _start, "stop": _stop}
    actions |= dict.fromkeys(backup.ACTIONS, backup.run)
    return actions[args.action](args)


def _url(args: argparse.Namespace) -> int:
    from margin_pipeline.storage import EmbeddedServer, database_urls

    settings = args.settings
    loopback = None if settings.database_url else EmbeddedServer(settings.data_dir).loopback_url
    print(loopback or database_urls(settings.data_dir, settings.database_url, settings.dagster_database_url).safe)
    return cli.DONE


def _upgrade(args: argparse.Namespace) -> int:
    from margin_pipeline.storage import open_database, upgrade

    settings = args.settings
    with open_database(settings.data_dir, settings.database_url, settings.dagster_database_url, upgrade=False) as urls:
        applied = upgrade(urls)
    print("\n".join(f"applied {name}" for name in applied) or "nothing to do: all migrations are applied")
    return cli.DONE


def _roles(args: argparse.Namespace) -> int:
    from margin_pipeline.storage import apply_roles, open_database

    settings = args.settings
    with open_database(settings.data_dir, settings.database_url, settings.dagster_database_url) as urls:
        apply_roles(urls)
    print(
        "The roles margin_owner, margin_pipeline, margin_analyst, margin_auditor and margin_feed are in force.\n"
        "Make logins members of them; analysts see the portfolios that margin_data.portfolio_access grants."
    )
    return cli.DONE


def _status(args: argparse.Namespace) -> int:
    from margin_pipeline.storage import open_database, status

    settings = args.settings
    with open_database(settings.data_dir, settings.database_url, settings.dagster_database_url, upgrade=False) as urls:
        for migration in status(urls):
            applied = f"applied {migration.applied_at:%Y-%m-%d %H:%M:%S} UTC" if migration.applied_at else "outstanding"
            print(f"{migration.name:<32} {applied}{'' if migration.known else ' (of a newer version)'}")
    return cli.DONE


def _start(args: argparse.Namespace) -> int:
    from margin_pipeline.storage import EmbeddedServer, upgrade

    server = EmbeddedServer(_embedded(args))
    urls = server.start(args.port)
    upgrade(urls)
    print(f"The embedded Postgres is up until `margin-pipeline database stop`.\n{urls.safe}")
    if server.loopback_url:
        print(f"{server.loopback_url}\nThe password for other programs is the last field of the file that this URL names.")
    return cli.DONE


def _stop(args: argparse.Namespace) -> int:
    from margin_pipeline.storage import EmbeddedServer

    down = EmbeddedServer(_embedded(args)).stop()
    print("The embedded Postgres is down." if down else "Other commands use the embedded Postgres; the last of them stops it.")
    return cli.DONE


def _embedded(args: argparse.Namespace) -> Path:
    if args.settings.database_url:
        raise cli.UsageError("MARGIN_DATABASE_URL names a database of yours: there is no embedded server to start or stop")
    data_dir: Path = args.settings.data_dir
    return data_dir
