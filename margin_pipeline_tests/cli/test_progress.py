"""What a person sees while a date runs, and when it fails. Not here: what runs."""

from __future__ import annotations

import io
import time

import dagster as dg
import pytest

from margin_pipeline import cli
from margin_pipeline.cli import progress
from margin_pipeline.cli import run as run_command


class Terminal(io.StringIO):
    def isatty(self):
        return True

    def screen(self):
        """The last line as it stands on the screen."""
        row = ""
        for part in self.getvalue().split("\r"):
            row = part + row[len(part) :]
        return row.rstrip()


class Clock:
    seconds = 0.0

    def __call__(self):
        return self.seconds


def test_a_line_says_which_step_of_how_many_runs_and_for_how_long():
    clock, out = Clock(), Terminal()
    shown = progress.Progress("2022-12-28", 33, out, clock)
    clock.seconds = 1.25
    assert shown.line() == "2022-12-28 … 1.2 s"
    shown.step_began("landing")
    clock.seconds = 3.0
    shown.step_began("correlation_clusters")
    shown.step_began("landing")
    clock.seconds = 6.2
    shown.draw()
    assert out.screen() == "2022-12-28 … 2/33 correlation_clusters 3.2 s"
    shown.step_began("stress")
    assert out.screen() == "2022-12-28 … 3/33 stress 0.0 s"


def test_the_line_of_a_terminal_is_gone_at_the_end_and_changes_in_between():
    out = Terminal()
    with progress.Progress("2022-12-28", 2, out) as shown:
        shown.step_began("landing")
        time.sleep(2.5 * progress.REDRAWN_SECONDS)
        assert out.getvalue().count("1/2 landing") >= 3
    assert out.screen() == ""
    assert out.getvalue().endswith("\r")


def test_elsewhere_a_line_is_said_now_and_then_and_short_runs_say_nothing():
    clock, out = Clock(), io.StringIO()
    shown = progress.Progress("2022-12-28", 33, out, clock)
    for second in range(25):
        clock.seconds = float(second)
        shown.step_began(f"step {second // 5}")
        shown.draw()
    assert out.getvalue() == "2022-12-28 … 3/33 step 2 0.0 s, 10 s in all\n2022-12-28 … 5/33 step 4 0.0 s, 20 s in all\n"


def test_a_reader_that_has_gone_does_not_end_the_run():
    tried = []

    class Gone(Terminal):
        def write(self, text):
            tried.append(text)
            raise BrokenPipeError

    with progress.Progress("2022-12-28", 2, Gone()) as shown:
        shown.step_began("landing")
        shown.draw()
    assert tried


def result(*, fails):
    """Run three steps in a row, as the chain ends with, of which one fails."""

    def step(name):
        @dg.op(name=name, ins={"after": dg.In(dg.Nothing)})
        def made():
            if name == fails:
                raise dg.Failure(f"{name} is broken", allow_retries=False)

        return made

    stages = [step(name) for name in ("portfolio_margins", "publication", "alert_evaluation")]

    @dg.op(out=dg.Out(dg.Nothing))
    def first():
        """Begin."""

    @dg.job
    def chain():
        done = first()
        for stage in stages:
            done = stage(done)

    began, names = progress.Progress("x", 4, io.StringIO()), []
    began.step_began = names.append
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_event_listener("aaaaaaaa-0000-4000-8000-000000000000", progress.listener(began))
        quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
        done = chain.execute_in_process(
            instance=instance, raise_on_error=False, run_config=quiet, run_id="aaaaaaaa-0000-4000-8000-000000000000"
        )
    return done, names


@pytest.mark.parametrize(
    ("fails", "said", "steps"),
    [
        ("portfolio_margins", "Nothing of it was published.", 2),
        ("publication", "Nothing of it was published.", 3),
        ("alert_evaluation", "The date is published, with all its tables; what failed comes after that.", 4),
    ],
)
def test_what_failed_after_the_publication_is_told_as_that(fails, said, steps, capsys):
    done, names = result(fails=fails)
    assert names == ["first", "portfolio_margins", "publication", "alert_evaluation"][:steps]
    assert run_command._explain_failure(done) == cli.FAILED
    out = capsys.readouterr().out
    assert f"step {fails}: {fails} is broken" in out
    assert said in out
    assert ("Nothing of it was published" in out) == (fails != "alert_evaluation")
