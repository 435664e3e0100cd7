"""The console script `margin-pipeline`: one module a command.

Belongs here: parsing the call, settings, exit statuses. Not here: what a command does.
"""

from __future__ import annotations

import argparse
import importlib
import signal
import sys
from collections.abc import Sequence

COMMANDS = ("run", "ui", "sql", "database")
DONE, FAILED, UNUSABLE = 0, 1, 2


class UsageError(Exception):
    """The call or the input cannot be used; the message is one line that a person can act on."""


class StepError(Exception):
    """A step failed; the message says which, why and what to do."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; gives its exit status: 0 done, 1 a step failed, 2 the call or the input cannot be used."""
    from margin_pipeline import __version__, settings
    from margin_pipeline.storage import StorageError

    parser = argparse.ArgumentParser(prog="margin-pipeline", description="Positions in; margin, risk, regulatory lines and alerts out.")
    parser.add_argument("--version", action="version", version=f"margin-pipeline {__version__}")
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    modules = {name: importlib.import_module(f"margin_pipeline.cli.{name}") for name in COMMANDS}
    for module in modules.values():
        module.add_parser(subparsers)
    parsed = parser.parse_args(arguments)
    # A termination ends the command in order, so that the last to leave stops the embedded server.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    try:
        parsed.settings = settings.from_environment()
        return modules[parsed.command].run(parsed)
    except (UsageError, settings.SettingsError, StorageError) as error:
        return _say(error, UNUSABLE)
    except StepError as error:
        return _say(error, FAILED)
    except KeyboardInterrupt:
        return _say("interrupted; nothing half written is visible, run it again", FAILED)
    except BrokenPipeError:
        # The reader of the output (head, say) has seen enough.
        sys.stderr.close()
        return DONE


_interruptions: list[int] = []


def _interrupt(number: int, _frame: object) -> None:
    # Libraries may swallow the exception; what comes next in the command looks at the record.
    _interruptions.append(number)
    raise KeyboardInterrupt


def was_interrupted() -> bool:
    """Whether somebody asked this command to end."""
    return bool(_interruptions)


def _say(message: object, status: int) -> int:
    print(f"margin-pipeline: {message}", file=sys.stderr)
    return status
