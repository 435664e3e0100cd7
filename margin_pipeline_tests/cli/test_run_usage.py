"""What the command says to calls that cannot be used. Not here: runs (test_run)."""

import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow


def call(*arguments, data_dir, **variables):
    return subprocess.run(**command(*arguments, data_dir=data_dir, **variables), check=False)


def command(*arguments, data_dir, **variables):
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("MARGIN_", "DAGSTER_"))}
    return {
        "args": [sys.executable, "-c", "import sys; from margin_pipeline.cli import main; sys.exit(main())", *arguments],
        "env": {**environment, "MARGIN_DATA_DIR": str(data_dir), **variables},
        "stdout": subprocess.PIPE,
        "stderr": subprocess.PIPE,
        "text": True,
    }


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run", "--as-of", "yesterday"], "not a date"),
        (["run", "--as-of", "2022-12-26"], "not a session"),
        (["run", "--as-of", "1989-12-29"], "not a session"),
        (["run", "--as-of", "2999-01-04"], "in the future"),
        (["run", "--as-of", "2022-12-28", "--at", "noon"], "not an instant"),
        (["run", "--as-of", "2022-12-28", "--at", "2022-12-28T12:00"], "no time zone"),
        (["run", "--landing", "/nowhere/at/all"], "no landing zone"),
        (["run", "--as-of", "2020-01-02"], "no folder"),
    ],
)
def test_an_unusable_call_is_told_in_one_line_with_status_2(arguments, said, tmp_path):
    done = call(*arguments, data_dir=tmp_path)
    assert done.returncode == 2
    assert said in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_an_empty_landing_zone_is_told(tmp_path):
    (tmp_path / "landing").mkdir()
    done = call("run", "--landing", str(tmp_path / "landing"), data_dir=tmp_path)
    assert (done.returncode, "no folder named" in done.stderr) == (2, True)


def test_a_bad_setting_is_told(tmp_path):
    done = call("run", data_dir=tmp_path, MARGIN_THREADS="many")
    assert (done.returncode, "MARGIN_THREADS" in done.stderr) == (2, True)


@pytest.mark.parametrize("arguments", [[], ["run", "--nope"], ["fly"], ["run", "--as-of"]])
def test_a_call_that_does_not_parse_is_told_in_one_line_with_status_2(arguments, tmp_path):
    done = call(*arguments, data_dir=tmp_path)
    assert (done.returncode, len(done.stderr.strip().splitlines()), "--help" in done.stderr) == (2, 1, True)


def test_files_that_cannot_be_used_are_told_in_a_line_each_with_status_2(tmp_path):
    folder = tmp_path / "landing" / "2022-12-28"
    folder.mkdir(parents=True)
    (folder / "portfolios.csv").write_text("portfolio_id,account_type,equity\nA,reg_t,1000\n", encoding="utf-8")
    (folder / "positions.csv").write_text("portfolio_id,symbol,quantity\nA,X,1\n", encoding="utf-8")
    (folder / "instruments.csv").write_text("symbol,asset_class\nX,equity\n", encoding="utf-8")
    done = call("run", "--landing", str(tmp_path / "landing"), data_dir=tmp_path / "data folder")
    assert done.returncode == 2
    told = done.stderr.strip().splitlines()
    assert len(told) == 2
    assert "prices.csv" in told[0]
    assert "no column strategy" in told[1]


def test_two_commands_at_once_on_a_new_data_folder_do_not_disturb_each_other(tmp_path):
    (tmp_path / "landing" / "2022-12-28").mkdir(parents=True)
    arguments = ["run", "--landing", str(tmp_path / "landing")]
    both = [subprocess.Popen(**command(*arguments, data_dir=tmp_path / "data")) for _ in range(2)]
    for process in both:
        _, told = process.communicate(timeout=120)
        assert process.returncode == 2
        assert all("is missing in" in line for line in told.strip().splitlines())


def test_a_data_folder_that_is_a_file_is_told(tmp_path):
    (tmp_path / "file").touch()
    done = call("run", data_dir=tmp_path / "file")
    assert (done.returncode, len(done.stderr.strip().splitlines())) == (2, 1)
