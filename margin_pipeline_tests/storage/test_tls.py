"""TLS to a Postgres that somebody else runs, with every driver in use; needs one on this machine. Not here: what is sent."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import psycopg
import pytest
import sqlalchemy

from margin_pipeline import storage
from margin_pipeline.orchestration.dagster_storage import MarginDagsterStorage
from margin_pipeline.storage import StorageError, connections
from margin_pipeline.storage.binaries import run, server_user
from margin_pipeline.storage.urls import from_settings

pytestmark = pytest.mark.slow

PASSWORD = "hidden-4210"
IS_ENCRYPTED = "select ssl from pg_stat_ssl where pid = pg_backend_pid()"
HBA = "local all all trust\nhostssl all all 127.0.0.1/32 scram-sha-256\n"
SETTINGS = """
ssl = on
ssl_cert_file = '{folder}/server.crt'
ssl_key_file = '{folder}/server.key'
port = {port}
listen_addresses = '127.0.0.1'
unix_socket_directories = '{folder}'
fsync = off
"""


def system_server() -> tuple[Path, str]:
    """Programs of the newest Postgres of this machine that speaks TLS, and openssl; skips without them."""
    openssl = shutil.which("openssl")
    for folder in sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name), reverse=True):
        configured = subprocess.run([folder / "pg_config", "--configure"], capture_output=True, text=True, check=False).stdout
        if openssl and ("--with-openssl" in configured or "--with-ssl=openssl" in configured):
            return folder, openssl
    return pytest.skip("no system Postgres with TLS (or no openssl) on this machine: the embedded one has no TLS")


def make_certificates(openssl: str, folder: Path) -> None:
    """A certificate authority with a certificate for localhost, and another authority that has signed nothing."""

    def call(*arguments: str) -> None:
        subprocess.run([openssl, *arguments], check=True, capture_output=True, cwd=folder)

    for name in ("ca", "other"):
        key = ["-newkey", "rsa:2048", "-nodes", "-keyout", f"{name}.key", "-days", "2"]
        call("req", "-x509", *key, "-subj", f"/CN=authority {name}", "-out", f"{name}.crt")
    call("req", "-newkey", "rsa:2048", "-nodes", "-keyout", "server.key", "-subj", "/CN=localhost", "-out", "server.csr")
    (folder / "names").write_text("subjectAltName=DNS:localhost\n")
    call(
        *("x509", "-req", "-in", "server.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2"),
        *("-extfile", "names", "-out", "server.crt"),
    )


@pytest.fixture(scope="module")
def secure():
    """A system Postgres that lets nobody in over TCP without TLS; gives a maker of its URL, by parameters of the connection."""
    programs, openssl = system_server()
    folder = Path(tempfile.mkdtemp(prefix="margin-tls-"))
    make_certificates(openssl, folder)
    user = server_user()
    for path in (folder, *folder.iterdir()) if user is not None else ():
        os.chown(path, user, user)
    made = run([programs / "initdb", "-D", folder / "data", "-U", "postgres", "--auth=trust", "--encoding=UTF8", "--no-sync"], user)
    assert made.returncode == 0
    (folder / "server.key").chmod(0o600)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with (folder / "data" / "postgresql.conf").open("a") as configuration:
        configuration.write(SETTINGS.format(folder=folder, port=port))
    (folder / "data" / "pg_hba.conf").write_text(HBA)
    control = [programs / "pg_ctl", "-D", folder / "data", "-w"]
    assert run([*control, "-l", folder / "log", "start"], user).returncode == 0, (folder / "log").read_text()
    try:
        with psycopg.connect(f"postgresql://postgres@/postgres?host={folder}&port={port}", autocommit=True) as connection:
            connection.execute(f"create role margin login createdb password '{PASSWORD}'")
            connection.execute("create database margin owner margin")
        folder.chmod(0o755)

        def make(mode: str, authority: str = "ca") -> str:
            return f"postgresql://margin:{PASSWORD}@localhost:{port}/margin?sslmode={mode}&sslrootcert={folder}/{authority}.crt"

        storage.session.ensure_dagster_database(from_settings(make("verify-full")))
        yield make
    finally:
        connections.close_all()
        run([*control, "-m", "immediate", "stop"], user)
        shutil.rmtree(folder)


def of_psycopg(url):
    with connections.connect(from_settings(url)) as connection:
        return connection.execute(IS_ENCRYPTED).fetchone()[0]


def of_adbc(url):
    return bool(storage.read_query(from_settings(url), IS_ENCRYPTED)["ssl"][0])


def of_sqlalchemy(url):
    with sqlalchemy.create_engine(from_settings(url).results).connect() as connection:
        return connection.execute(sqlalchemy.text(IS_ENCRYPTED)).scalar()


def of_dagster(url):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MARGIN_DATABASE_URL", url)
        with MarginDagsterStorage.from_config_value(None, {}).run_storage.connect() as connection:
            return connection.execute(sqlalchemy.text(IS_ENCRYPTED)).scalar()


DRIVERS = [of_psycopg, of_adbc, of_sqlalchemy, of_dagster]


@pytest.mark.parametrize("encrypted", DRIVERS)
def test_every_driver_encrypts_and_verifies_the_server(secure, encrypted):
    assert encrypted(secure("verify-full"))


@pytest.mark.parametrize("encrypted", DRIVERS)
@pytest.mark.parametrize(
    ("mode", "authority", "reason"), [("verify-full", "other", "certificate verify failed"), ("disable", "ca", "no encryption")]
)
def test_no_driver_takes_another_authoritys_server_or_goes_without_encryption(secure, encrypted, mode, authority, reason, caplog):
    with pytest.raises(Exception, match=f"{reason}|too many retries") as refused:
        encrypted(secure(mode, authority))
    # Dagster tries again a few times; what it was told each time is in the log.
    assert reason in f"{refused.value} {caplog.text}"
    assert PASSWORD not in f"{refused.value} {caplog.text}"


def call(url, *arguments):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MARGIN_")} | {"MARGIN_DATABASE_URL": url}
    command = [sys.executable, "-c", "import sys; from margin_pipeline.cli import main; sys.exit(main())", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)


def test_the_command_applies_the_schema_over_tls_and_names_no_password_where_it_cannot(secure):
    done = call(secure("verify-full"), "database", "upgrade")
    assert (done.returncode, done.stderr) == (0, "")
    assert "applied 0001.calculations" in done.stdout
    refused = call(secure("verify-full", "other"), "database", "upgrade")
    assert refused.returncode == 2
    assert "certificate verify failed" in refused.stderr
    assert refused.stderr.count("\n") == 1
    assert PASSWORD not in done.stdout + refused.stderr + refused.stdout


def test_a_refusal_shows_the_url_without_its_password(secure):
    with pytest.raises(StorageError) as refused:
        of_psycopg(secure("verify-full", "other"))
    assert "margin:***@localhost" in str(refused.value)
