"""Whole runs on a disk that fills up and over connections that are cut. Not here: single loads (storage/test_faults)."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import psycopg
import pytest

from margin_pipeline.storage.embedded import EmbeddedServer
from margin_pipeline_tests.chaos.harness import LIMIT_SECONDS, Site, rounds, seeded
from margin_pipeline_tests.chaos.test_kills import check_after_the_fault, check_after_the_next_run
from margin_pipeline_tests.severing_proxy import SeveringProxy

SMALL, LARGE = "size=220m", "size=900m"
MEGABYTES_FREE = (3, 12)
"""What a run finds free, at least and at most: less than the 15 that it writes, the database's log included."""
SENT_BY_A_RUN = 5_000_000


def test_connections_that_are_cut_in_mid_load(make_site, undisturbed):
    site = make_site("cuts")
    random_numbers = seeded("connections")
    for number in range(rounds(0.08)):
        variant = ("strained", "calm")[number % 2]
        before = site.shown()
        site.put(variant)
        sent = random_numbers.randrange(100_000, SENT_BY_A_RUN)
        with SeveringProxy(site.urls) as proxy:
            proxy.cut_after(sent)
            site.given = {"MARGIN_DATABASE_URL": proxy.urls.libpq, "MARGIN_DAGSTER_DATABASE_URL": proxy.urls.dagster_libpq}
            status = site.start_run().wait(LIMIT_SECONDS)
            assert "Traceback" not in site.said(), site.said()
        site.given = {}
        print(f"connections: cut {proxy.cuts} times after {sent:,} bytes, the run ended with {status}", flush=True)
        check_after_the_fault(site, undisturbed, before, variant)
        check_after_the_next_run(site, undisturbed, variant)


@pytest.fixture
def small_disk():
    """A folder on a file system of its own, which the server's user can enter; gives it and how to make it larger."""
    folder = Path(tempfile.mkdtemp(prefix="margin-disk-"))

    def mount(options: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], capture_output=True, text=True, check=False)

    made = mount(SMALL) if os.geteuid() == 0 and shutil.which("mount") else None
    if made is None or made.returncode != 0:
        folder.rmdir()
        pytest.skip(f"no file system of a given size can be mounted here: {made.stderr.strip() if made else 'only root may'}")
    folder.chmod(0o711)
    yield folder, lambda: mount(f"remount,{LARGE}")
    subprocess.run(["umount", "--lazy", folder], check=True)
    folder.rmdir()


def test_a_disk_that_fills_up_in_mid_run(small_disk, book, undisturbed, tmp_path):
    folder, enlarge = small_disk
    shutil.copytree(book, tmp_path / "landing")
    server = EmbeddedServer(folder)
    try:
        with server.hold() as urls:
            site = Site(folder, tmp_path / "landing", urls)
            site.put("strained")
            before = site.shown()
            free = seeded("disk").uniform(*MEGABYTES_FREE)
            _fill(folder, urls, free)
            process = site.start_run()
            status = process.wait(LIMIT_SECONDS)
            said = site.said()
            print(f"disk: {free:.1f} MB were free, the run ended with {status}: {said[-600:]}")
            assert (server.data_dir / "postgres").is_dir(), "the server is on another disk"
            assert status in (1, 2), said
            # Dagster shows at length what it could not record; words of the server, or of one that had to end, are there.
            assert (
                "No space left on device" in said
                or "went away" in said
                or "cannot be reached" in said
                or "did not start" in said
                or "could not extend" in said
            )
            assert enlarge().returncode == 0
            with EmbeddedServer(folder).hold():
                check_after_the_fault(site, undisturbed, before, "strained")
                check_after_the_next_run(site, undisturbed, "strained")
    finally:
        server.remove()


def _fill(folder: Path, urls, megabytes: float) -> None:
    """Leave room for the tables and the first of their rows only."""
    with psycopg.connect(urls.libpq, autocommit=True) as connection:
        connection.execute("checkpoint")
    free = shutil.disk_usage(folder).free
    with (folder / "ballast").open("wb") as ballast:
        ballast.write(b"\0" * max(free - int(megabytes * 2**20), 0))
