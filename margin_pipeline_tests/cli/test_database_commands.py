"""`margin-pipeline database` and `sql` as a person calls them, on an embedded server of their own. Not here: their parts."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from margin_pipeline.storage import EmbeddedServer

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def data_dir():
    folder = Path(tempfile.mkdtemp(prefix="margin-cli-"))
    folder.chmod(0o711)
    yield folder
    EmbeddedServer(folder).remove()
    shutil.rmtree(folder)


@pytest.fixture
def call(data_dir):
    """Call the command; gives status, output and what it says on the error stream."""

    def make(*arguments, text="", **environment):
        env = {name: value for name, value in os.environ.items() if not name.startswith("MARGIN_")}
        command = [sys.executable, "-c", "import sys; from margin_pipeline.cli import main; sys.exit(main())", *arguments]
        env |= {"MARGIN_DATA_DIR": str(data_dir), **environment}
        done = subprocess.run(command, input=text, capture_output=True, text=True, env=env, cwd=Path(__file__).parents[2], check=False)
        return done.returncode, done.stdout, done.stderr

    return make


def test_a_server_is_kept_up_between_commands_until_it_is_stopped(call, data_dir):
    status, out, _ = call("database", "start")
    assert status == 0
    assert "postgresql://postgres@/margin?host=" in out
    assert call("database", "url")[1].startswith("postgresql://postgres@/margin?host=")
    assert "outstanding" not in call("database", "status")[1]
    assert call("database", "upgrade")[1] == "nothing to do: all migrations are applied\n"
    assert call("sql", "select 1 as one", "--format", "csv") == (0, "one\n1\n", "")
    assert EmbeddedServer(data_dir).is_running()
    assert call("database", "stop") == (0, "The embedded Postgres is down.\n", "")
    assert not EmbeddedServer(data_dir).is_running()


def test_roles_are_made_and_stay_in_force_after_an_upgrade(call):
    status, out, _ = call("database", "roles")
    assert status == 0
    assert "margin_analyst" in out
    assert call("database", "upgrade")[1] == "nothing to do: all migrations are applied\n"
    grants = "select count(*) > 50 as granted from pg_policies where roles = '{margin_analyst}'"
    assert call("sql", grants, "--format", "csv")[1] == "granted\nTrue\n"
    assert "roles_applied" in call("audit", "--event", "roles_applied", "--format", "csv")[1]


def test_statements_can_come_from_a_pipe(call):
    assert call("sql", "--format", "csv", text="select 1 as a;\nselect ';' as b;") == (0, "a\n1\nb\n;\n", "")


def test_a_refused_statement_is_one_line_and_status_2(call):
    status, out, error = call("sql", "delete from margin_data.prices")
    assert (status, out) == (2, "")
    assert error.startswith("margin-pipeline: cannot execute DELETE in a read-only transaction")
    assert error.count("\n") == 1


def test_an_unusable_url_is_one_line_and_status_2(call):
    status, _, error = call("database", "url", MARGIN_DATABASE_URL="mysql://ann:secret@db/margin")
    assert status == 2
    assert error.count("\n") == 1
    assert "secret" not in error


def test_a_url_of_somebody_elses_server_is_shown_without_password(call):
    status, out, _ = call("database", "url", MARGIN_DATABASE_URL="postgresql://ann:secret@db.example/margin")
    assert (status, out) == (0, "postgresql://ann:***@db.example/margin\n")


def test_somebody_elses_server_is_not_started_or_stopped(call):
    for action in ("start", "stop"):
        status, _, error = call("database", action, MARGIN_DATABASE_URL="postgresql://db.example/margin")
        assert status == 2
        assert "MARGIN_DATABASE_URL" in error
