#!/bin/sh
# Makes .venv (step "environment") and installs the locked packages into it (steps "base" and "dev"; "celery" and "ray" on top).
# Called by make, which decides when; needs nothing but a Python with venv or pip, and the package index.
# PYTHON names the interpreter to use; without it the first of python3, python3.13, python3.12, python3.11 that fits.
set -eu

venv=.venv
python=$venv/bin/python
quiet="-qq --disable-pip-version-check --no-input"

fail() {
    printf '%s\n' "$1" >&2
    exit 1
}

fits() {
    "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null
}

find_python() {
    if [ -n "${PYTHON:-}" ]; then
        fits "$PYTHON" || fail "PYTHON=$PYTHON is not a Python 3.11, 3.12 or 3.13."
        echo "$PYTHON"
        return
    fi
    for candidate in python3 python3.13 python3.12 python3.11; do
        if fits "$candidate"; then
            echo "$candidate"
            return
        fi
    done
    fail "Python 3.11, 3.12 or 3.13 is needed and none is on the PATH: install one, or name it with make PYTHON=/path/to/python3.12."
}

make_environment() {
    chosen=$(find_python)
    echo "Making $venv with $("$chosen" --version) ..."
    rm -rf "$venv"
    if "$chosen" -m venv "$venv" >/dev/null 2>&1 && "$python" -m pip --version >/dev/null 2>&1; then
        echo "$python -m pip" >"$venv/.pip"
    else
        # A Python without ensurepip (Debian without python3-venv) leaves half an environment: start over without pip,
        # and let the pip of that Python install into it from outside.
        rm -rf "$venv"
        if ! "$chosen" -m pip --python "$chosen" --version >/dev/null 2>&1 || ! "$chosen" -m venv --without-pip "$venv" >/dev/null 2>&1; then
            rm -rf "$venv"
            fail "$chosen can make no virtual environment: install the system package python3-venv (or python3-pip), then run make again."
        fi
        echo "$chosen -m pip --python $python" >"$venv/.pip"
    fi
    pwd >"$venv/.made"
}

install_locked() {
    pip=$(cat "$venv/.pip")
    echo "Installing the locked packages of requirements/$1.lock (about a minute the first time) ..."
    $pip install $quiet --require-hashes -r "requirements/$1.lock" \
        || fail "The packages could not be installed: does this machine reach a Python package index?"
    # MLX is optional: it has no build for every platform, and NumPy computes the same figures.
    $pip install $quiet --require-hashes -r requirements/mlx.lock >/dev/null 2>&1 \
        || echo "No build of MLX here: NumPy computes."
    # So is the engine that computes ISDA SIMM: without it netting sets under SIMM have no margin, and say why.
    $pip install $quiet --require-hashes -r requirements/simm.lock >/dev/null 2>&1 \
        || echo "No build of the Open Source Risk Engine here: initial margin by SIMM is not computed."
    $pip install $quiet --no-deps --no-build-isolation --no-index -e . \
        || fail "The package itself could not be installed from this folder."
}

install_extra() {
    pip=$(cat "$venv/.pip")
    echo "Installing the locked packages of requirements/$1.lock ..."
    $pip install $quiet --require-hashes -r "requirements/$1.lock" \
        || fail "The packages of $1 could not be installed: is there a build for this platform, and does this machine reach a package index?"
}

case "${1:-}" in
    environment) make_environment ;;
    base | dev) install_locked "$1" ;;
    celery | ray) install_extra "$1" ;;
    *) fail "usage: sh requirements/set_up.sh environment|base|dev|celery|ray" ;;
esac
