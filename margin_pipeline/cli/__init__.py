"""The console script `margin-pipeline`: one module a command.

Belongs here: parsing the call, settings, exit statuses. Not here: what a command does.
"""

from __future__ import annotations

import argparse
import getpass
import importlib
import os
import signal
import sys
from collections.abc import Sequence
from typing import NoReturn

COMMANDS = {
    "run": "run",
    "ui": "ui",
    "worker": "worker",
    "sql": "sql",
    "explain": "explain",
    "what-if": "what_if",
    "plan": "plan",
    "report": "report",
    "database": "database",
    "alerts": "alerts",
    "stop": "stop",
    "resume": "stop",
    "status": "status",
    "health": "health",
    "metrics": "metrics",
    "audit": "audit",
    "retention": "retention",
    "backup": "backup",
    "restore": "backup",
}
DONE, FAILED, UNUSABLE = 0, 1, 2


class UsageError(Exception):
    """The call or the input cannot be used; the message is one line that a person can act on."""


class StepError(Exception):
    """A step failed; the message says which, why and what to do."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(UNUSABLE, f"{self.prog}: {message}; see {self.prog} --help\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; gives its exit status: 0 done, 1 a step failed, 2 the call or the input cannot be used."""
    from margin_pipeline import __version__, settings
    from margin_pipeline.storage import StorageError

    parser = _Parser(prog="margin-pipeline", description="Positions in; margin, risk, regulatory lines and alerts out.")
    parser.add_argument("--version", action="version", version=f"margin-pipeline {__version__}")
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    modules = {name: importlib.import_module(f"margin_pipeline.cli.{module}") for name, module in COMMANDS.items()}
    for module in dict.fromkeys(modules.values()):
        module.add_parser(subparsers)
    parsed = parser.parse_args(arguments)
    heed_interruptions()
    try:
        parsed.settings = settings.from_environment()
        status = modules[parsed.command].run(parsed)
        sys.stdout.flush()
        return status
    except (UsageError, settings.SettingsError, StorageError) as error:
        return _say(error, UNUSABLE)
    except StepError as error:
        return _say(error, FAILED)
    except (PermissionError, NotADirectoryError, FileExistsError) as error:
        # Of a folder or file that the environment or the call names: the rest of the project leaves the disk alone.
        return _say(f"{error.filename or 'a file'}: {error.strerror}; let this user use it, or name another folder", UNUSABLE)
    except KeyboardInterrupt:
        return _say("interrupted; nothing half written is visible, run it again", FAILED)
    except BrokenPipeError:
        # The reader of the output (head, say) has seen enough: what is still to be written goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE


def entry() -> NoReturn:
    """Run a command as a process of its own and end with its exit status."""
    try:
        status: int | str | None = main()
    except SystemExit as end:
        status = end.code
    sys.stdout.flush()
    sys.stderr.flush()
    # Everything of ours is closed by now; taking the libraries down one by one would cost another second.
    os._exit(status if isinstance(status, int) else FAILED if status else DONE)


_interruptions: list[int] = []
"""File from which the numbers of received signals can be read."""


def heed_interruptions() -> None:
    """From now on a termination ends the command as Ctrl-C does, so that the last to leave stops the embedded server."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    # Dagster replaces handlers while it runs and may swallow what they got; the numbers of all signals come here regardless.
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    _interruptions.append(reader)


def was_interrupted() -> bool:
    """Whether somebody has asked this command to end since it was last asked."""
    try:
        received = os.read(_interruptions[-1], 4096) if _interruptions else b""
    except BlockingIOError:
        return False
    return signal.SIGINT in received or signal.SIGTERM in received


def user() -> str:
    """Name of the user of this machine; empty where it has none."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return ""


def _say(message: object, status: int) -> int:
    print(f"margin-pipeline: {message}", file=sys.stderr)
    return status
