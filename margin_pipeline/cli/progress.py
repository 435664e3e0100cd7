"""Progress of a date while its chain runs: one line that changes on a terminal, a line now and then elsewhere.

Belongs here: what a person sees of steps that begin and end. Not here: running them.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self, TextIO

REDRAWN_SECONDS = 0.5
SAID_SECONDS = 10.0
"""Where the line cannot change, a run that takes no longer than this says nothing before its end."""


class Progress:
    """Shows which step of a run is at work, how many have begun and for how long.

    Parameters
    ----------
    label : what runs, e.g. the business date.
    steps : steps of the run, count.
    out : where it is shown.
    clock : seconds that only grow.

    Use as a context manager; `step_began` may be called from any thread.
    """

    def __init__(self, label: str, steps: int, out: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._label, self._steps, self._out, self._clock = label, steps, out, clock
        self._changes = out.isatty()
        self._shown = 0
        self._begun: dict[str, float] = {}
        self._started = self._said = clock()
        self._ended = threading.Event()
        self._lock = threading.Lock()
        self._drawer = threading.Thread(target=self._draw_until_the_end, name="progress", daemon=True)

    def __enter__(self) -> Self:
        self._drawer.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._ended.set()
        self._drawer.join()
        if self._changes:
            # An empty line, and back to its beginning.
            self._write("")
            self._write("")

    def step_began(self, name: str) -> None:
        """Take note of a step that begins; one that is tried again is no further step."""
        with self._lock:
            self._begun.setdefault(name, self._clock())
        if self._changes:
            self.draw()

    def line(self) -> str:
        """What is shown now: label, count and name of the newest step, seconds of it."""
        with self._lock:
            if not self._begun:
                return f"{self._label} … {self._clock() - self._started:.1f} s"
            name, since = next(reversed(self._begun.items()))
            return f"{self._label} … {len(self._begun)}/{max(self._steps, len(self._begun))} {name} {self._clock() - since:.1f} s"

    def draw(self) -> None:
        """Show the line where it changes; elsewhere say it when nothing was said for a while."""
        text = self.line()
        if self._changes:
            self._write(text)
        elif self._clock() - self._said >= SAID_SECONDS:
            self._said = self._clock()
            self._write(f"{text}, {self._said - self._started:.0f} s in all\n")

    def _write(self, text: str) -> None:
        with self._lock:
            if self._changes:
                # Blanks wipe out what was longer, also where a terminal knows no codes for that.
                text, self._shown = f"\r{text.ljust(self._shown)}", len(text)
            try:
                self._out.write(text)
                self._out.flush()
            except (OSError, ValueError):
                # Nobody reads any more, or the stream is closed: that must not end the run.
                self._ended.set()

    def _draw_until_the_end(self) -> None:
        while not self._ended.wait(REDRAWN_SECONDS):
            self.draw()


def listener(progress: Progress) -> Callable[[Any], None]:
    """Listener of a run's events that tells the progress which step begins."""

    def heard(entry: Any) -> None:
        event = entry.dagster_event
        if event is not None and event.is_step_start and event.step_key:
            progress.step_began(event.step_key)

    return heard
