"""`margin-pipeline status`: what is published, what is open, what runs, what is stopped.

Belongs here: the call. Not here: what is read (`storage`), wording (`reports.pipeline_state`), whether that is healthy (`health`).
"""

from __future__ import annotations

import argparse

from margin_pipeline import cli


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command and its options."""
    parser = subparsers.add_parser("status", help="what is published, open, running, stopped", description=__doc__.splitlines()[0])
    parser.add_argument("--format", choices=("table", "json"), default="table", help="how it is printed (default: table)")


def run(args: argparse.Namespace) -> int:
    """Look and print; gives the exit status."""
    from margin_pipeline.cli import operations
    from margin_pipeline.reports import pipeline_state
    from margin_pipeline.storage.dagster_state import dagster_state
    from margin_pipeline.storage.operations import pipeline_status

    settings = args.settings
    with operations.databases(settings) as urls:
        from margin_pipeline.orchestration import deadline

        row = pipeline_status(urls)
        behind = None if row["as_of"] is None else deadline.sessions_behind(settings.calendar, row["as_of"], row["seen_at"])
        due = deadline.due_session(settings.calendar, row["seen_at"])
        state = pipeline_state.PipelineState(
            urls.safe, row, due, behind, dagster_state(urls), settings.data_dir, *operations.disk(settings)
        )
    print(pipeline_state.as_json(state) if args.format == "json" else pipeline_state.as_text(state))
    return cli.DONE
