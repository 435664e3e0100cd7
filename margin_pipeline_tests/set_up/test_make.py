"""Set-up by make notices what is half made, gone or unsuitable, and says so in one line."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    folder = tmp_path / "a folder"
    shutil.copytree(ROOT / "requirements", folder / "requirements")
    for name in ("Makefile", "pyproject.toml"):
        shutil.copy(ROOT / name, folder / name)
    return folder


def make(folder: Path, *arguments: str, path: str | None = None) -> subprocess.CompletedProcess[str]:
    variables = {"PATH": path or os.environ["PATH"], "HOME": os.environ.get("HOME", "/")}
    return subprocess.run(
        [shutil.which("make") or "make", *arguments], cwd=folder, env=variables, capture_output=True, text=True, check=False
    )


def pretend_environment(folder: Path, made_in: str | None) -> None:
    (folder / ".venv" / "bin").mkdir(parents=True)
    (folder / ".venv" / "bin" / "python").symlink_to("/bin/true")
    if made_in is not None:
        (folder / ".venv" / ".made").write_text(made_in + "\n")


def test_a_finished_environment_is_kept(checkout: Path):
    pretend_environment(checkout, str(checkout))
    assert "set_up.sh environment" not in make(checkout, "-n", "demo").stdout


@pytest.mark.parametrize("made_in", [None, "/elsewhere"], ids=["half made", "moved"])
def test_a_half_made_or_moved_environment_is_made_again(checkout: Path, made_in: str | None):
    pretend_environment(checkout, made_in)
    assert "set_up.sh environment" in make(checkout, "-n", "demo").stdout


def test_an_environment_whose_interpreter_is_gone_is_made_again(checkout: Path):
    pretend_environment(checkout, str(checkout))
    (checkout / ".venv" / "bin" / "python").unlink()
    assert "set_up.sh environment" in make(checkout, "-n", "demo").stdout


def test_new_locks_are_installed_again_and_old_ones_not(checkout: Path):
    pretend_environment(checkout, str(checkout))
    for name in (".base", ".dev"):
        (checkout / ".venv" / name).touch()
    assert "set_up.sh" not in make(checkout, "-n", "demo", "test").stdout
    os.utime(checkout / ".venv" / ".base", (1, 1))
    assert "set_up.sh base" in make(checkout, "-n", "demo").stdout


def test_an_unsuitable_interpreter_is_named_in_one_line(checkout: Path):
    result = make(checkout, ".venv/.made", "PYTHON=/bin/true2")
    assert result.returncode != 0
    assert result.stderr.splitlines()[0] == "PYTHON=/bin/true2 is not a Python 3.11, 3.12 or 3.13."
    assert not (checkout / ".venv").exists()


def test_without_a_python_one_line_says_which_to_install(checkout: Path, tmp_path: Path):
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("sh", "cat", "rm", "printf"):
        (tools / name).symlink_to(shutil.which(name) or "/bin/sh")
    result = make(checkout, ".venv/.made", path=str(tools))
    assert result.returncode != 0
    assert result.stderr.splitlines()[0].startswith("Python 3.11, 3.12 or 3.13 is needed")


def test_an_interpreter_without_venv_and_pip_leaves_nothing_half_made(checkout: Path, tmp_path: Path):
    poor = tmp_path / "poor-python"
    poor.write_text('#!/bin/sh\ncase "$1" in -c) exit 0 ;; --version) echo Python 3.12 ;; *) mkdir -p .venv; exit 1 ;; esac\n')
    poor.chmod(0o755)
    result = make(checkout, ".venv/.made", f"PYTHON={poor}")
    assert result.returncode != 0
    assert "python3-venv" in result.stderr.splitlines()[0]
    assert not (checkout / ".venv").exists()


def test_locks_name_no_package_host():
    for lock in (ROOT / "requirements").glob("*.lock"):
        assert "://" not in lock.read_text()
