"""How the page ends what it has started: in order, then all at once, then by force. Not here: the real page (test_ui)."""

import os
import signal
import subprocess
import sys
import time

import pytest

WAITING = """
import subprocess, sys
from margin_pipeline.cli import ui
ui.GRACE_SECONDS, ui.STOP_SECONDS = int(sys.argv[1]), int(sys.argv[1])
sys.exit(ui._wait(subprocess.Popen([sys.executable, "-c", sys.argv[2]], process_group=0)))
"""
TELLING = """
import os, signal, subprocess, sys, time
def told(name, status):
    def tell(*_):
        os.write(1, f"{{name}}\\n".encode())  # whole, also where two write at once
        if status is not None:
            os._exit(status)
    signal.signal(signal.SIGINT, tell)
"""
SERVICE = (
    TELLING
    + """
told("service", {service})
print("ready", os.getpgid(0), flush=True)
time.sleep(60)
"""
)
LEADER = (
    TELLING
    + """
told("leader", {leader})
service = subprocess.Popen([sys.executable, "-c", {program!r}])
while True:
    time.sleep(0.05)
"""
)


@pytest.fixture
def ended():
    """Runs the wait over a leader and its service, each ending with a status when interrupted, or not at all; gives what was told."""
    started = []

    def run(leader, service, *, patience, asked=1):
        program = LEADER.format(leader=leader, program=SERVICE.format(service=service))
        process = subprocess.Popen([sys.executable, "-c", WAITING, str(patience), program], stdout=subprocess.PIPE, text=True)
        started.append(process)
        group = int(process.stdout.readline().split()[1])
        told = []
        for number in range(1, asked + 1):
            process.terminate()
            # Who was asked has told so before the next time: two signals at once would be one.
            told += [process.stdout.readline().strip() for _ in range(number) if number < asked]
        told += process.communicate(timeout=30)[0].split()
        with pytest.raises(ProcessLookupError):
            os.killpg(group, 0)
        return process.returncode, told

    yield run
    for process in started:
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
            process.wait()


@pytest.mark.parametrize("status", [0, 1])
def test_whoever_starts_the_services_ends_them_before_anybody_interrupts_them(ended, status):
    """The service outlives it by its patience, and is interrupted then."""
    assert ended(status, 0, patience=1) == (0, ["leader", "service"])


def test_what_goes_on_is_interrupted_after_a_while(ended):
    """Both are: the leader, which waits for it, once more."""
    status, told = ended(None, 0, patience=1)
    assert (status, told[0], sorted(told)) == (0, "leader", ["leader", "leader", "service"])


def test_what_heeds_no_interrupt_is_ended_by_force_at_once_for_whoever_asks_again(ended):
    began = time.monotonic()
    status, told = ended(None, None, patience=20, asked=3)
    assert (status, told[0], sorted(told)) == (0, "leader", ["leader", "leader", "service"])
    assert time.monotonic() - began < 15


def test_services_that_end_by_themselves_are_a_failure():
    program = "import sys; sys.exit(3)"
    assert subprocess.run([sys.executable, "-c", WAITING, "1", program], check=False).returncode == 1
