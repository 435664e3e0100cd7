"""Runs whose process is gone: failed, and their pool slots freed, before a new run starts.

Belongs here: telling whether the process of a run still lives. Not here: rows of abandoned calculations (`storage`).
"""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Sequence
from pathlib import Path

import dagster as dg

HOST_TAG = "margin/host"
PROCESS_TAG = "margin/process"
UNFINISHED = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


def process_identity(pid: int) -> str | None:
    """Process id with its start time, so that a reused id is not taken for the process; None when there is none."""
    stat = Path(f"/proc/{pid}/stat")
    if Path("/proc/self/stat").exists():
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            return None
        # A zombie holds its id but does nothing any more.
        return None if fields[0] == "Z" else f"{pid}:{fields[19]}"
    shown = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout.strip()
    return f"{pid}:{shown}" if shown else None


def own_tags() -> dict[str, str]:
    """Tags that let a later command tell whether this process still lives."""
    return {HOST_TAG: socket.gethostname(), PROCESS_TAG: process_identity(os.getpid()) or ""}


_claimed: set[str] = set()
"""Runs that this process has claimed."""


def claim(instance: dg.DagsterInstance, run: dg.DagsterRun) -> None:
    """Tag a run with this process, which runs it: the daemon starts runs that carry no such tag, a repetition carries that of the first."""
    if run.run_id in _claimed:
        return
    own = own_tags()
    if any(run.tags.get(tag) != value for tag, value in own.items()):
        instance.add_run_tags(run.run_id, own)
    _claimed.add(run.run_id)


def is_alive(tags: dict[str, str]) -> bool:
    """Whether the process of a run with these tags lives; runs of other hosts and those that nobody has claimed count as alive."""
    recorded = tags.get(PROCESS_TAG)
    if not recorded or tags.get(HOST_TAG) != socket.gethostname():
        return True
    return process_identity(int(recorded.partition(":")[0])) == recorded


def fail_dead_runs(instance: dg.DagsterInstance) -> list[str]:
    """Report runs as failed whose process on this host is gone, free their pool slots; gives their ids."""
    dead = [run for run in _unfinished(instance) if not is_alive(run.tags)]
    return _fail(instance, dead, "The process of this run is gone; a later command noticed.")


def fail_unfinished_runs(instance: dg.DagsterInstance, reason: str) -> list[str]:
    """Report all runs as failed that are not over, free their pool slots; gives their ids."""
    return _fail(instance, _unfinished(instance), reason)


def _unfinished(instance: dg.DagsterInstance) -> Sequence[dg.DagsterRun]:
    return instance.get_runs(dg.RunsFilter(statuses=UNFINISHED))


def _fail(instance: dg.DagsterInstance, runs: Sequence[dg.DagsterRun], reason: str) -> list[str]:
    for run in runs:
        instance.report_run_failed(run, reason)
        instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)
    return [run.run_id for run in runs]


def run_is_alive(instance: dg.DagsterInstance, run_id: str) -> bool:
    """Whether a run may still write: it is unfinished and its process lives."""
    run = instance.get_run_by_id(run_id)
    return run is not None and run.status in UNFINISHED and is_alive(run.tags)
