"""Workers share a study on PostgreSQL and behind a gRPC proxy, and the dashboard reads it."""

from __future__ import annotations

import getpass
import glob
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.request import Request, urlopen

import pytest

import mimgraph as mg
from tests.conftest import missing
from tests.trials.conftest import begin, search, wait_for

pytestmark = [
    pytest.mark.nightly,
    pytest.mark.skipif(os.name != "posix", reason="needs servers of a Unix"),
]
OBJECTIVE = ("--objective", "train.py:objective", "--seed", "3")


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("localhost", 0))
        port: int = one.getsockname()[1]
        return port


def is_open(port: int) -> bool:
    with socket.socket() as one:
        return one.connect_ex(("localhost", port)) == 0


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    """The URL of a database of a PostgreSQL server that runs for the tests."""
    # Debian has them in folders that are on no PATH
    path = os.pathsep.join([os.environ["PATH"], *glob.glob("/usr/lib/postgresql/*/bin")])
    programs = [shutil.which(name, path=path) for name in ("initdb", "postgres")]
    if not all(programs):
        missing("PostgreSQL is not installed")
    # the server does not run as root
    user = "postgres" if os.getuid() == 0 else getpass.getuser()
    given: dict[str, Any] = {"user": user} if os.getuid() == 0 else {}
    with TemporaryDirectory() as place:
        if given:
            shutil.chown(place, user)
        data, port = f"{place}/data", free_port()
        start = [programs[0], "-D", data, "-U", "me", "-A", "trust", "--no-sync"]
        subprocess.run(start, check=True, stdout=subprocess.DEVNULL, cwd=place, **given)
        words = [programs[1], "-D", data, "-p", str(port), "-k", place, "-F"]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        with subprocess.Popen(words, cwd=place, **quiet, **given) as server:  # type: ignore[call-overload]
            wait_for(lambda: is_open(port))
            yield f"postgresql+psycopg2://me:secret@localhost:{port}/postgres"
            server.send_signal(signal.SIGINT)


@contextmanager
def proxy_of(file: str) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """Yield the server of a gRPC proxy of a file, and its URL."""
    port = free_port()
    script = (
        "from optuna.storages import get_storage, run_grpc_proxy_server\n"
        f"run_grpc_proxy_server(get_storage('sqlite:///{file}'), port={port})\n"
    )
    with subprocess.Popen([sys.executable, "-W", "ignore", "-c", script]) as server:
        yield server, f"grpc://localhost:{port}"
        server.terminate()


@pytest.fixture
def proxy(folder: Path) -> Iterator[str]:
    """The URL of a gRPC proxy."""
    with proxy_of("proxied.db") as (_, url):
        yield url


def test_two_workers_on_postgresql(postgres: str, folder: Path) -> None:
    words = (*OBJECTIVE, "--storage", postgres, "--study", "two", "--workers", "2")
    assert len(search(*words, "--trials", "4")["trials"]) == 4
    found = search(*words, "--trials", "9")
    assert found["counts"]["running"] == 0 and len(found["trials"]) == 9
    assert "secret" not in found["storage"] and "***" in found["storage"]


def test_two_commands_share_a_study_on_postgresql(postgres: str, folder: Path) -> None:
    words = (*OBJECTIVE, "--storage", postgres, "--study", "shared", "--trials", "12")
    search(*words[:-1], "1")  # makes the tables and the study
    commands = [begin(*words) for _ in range(2)]
    for command in commands:
        _, told = command.communicate(timeout=120)
        assert command.returncode == 0, told
    found = search(*words)
    processes = {one["worker"] for one in found["trials"]}
    assert 12 <= len(found["trials"]) <= 13 and len(processes) >= 2  # both may begin the last one


def test_a_killed_worker_on_postgresql(postgres: str, folder: Path) -> None:
    words = ("--objective", "train.py:slow", "--storage", postgres, "--study", "killed")
    kill_one(folder, *words, "--workers", "2", "--trials", "4")


def test_workers_behind_a_proxy(proxy: str, folder: Path) -> None:
    words = (*OBJECTIVE, "--storage", proxy, "--workers", "2")
    assert len(search(*words, "--trials", "7")["trials"]) == 7
    words = ("--objective", "train.py:slow", "--storage", proxy, "--study", "killed")
    kill_one(folder, *words, "--workers", "2", "--trials", "4")


def kill_one(folder: Path, *words: str) -> None:
    """Kill a worker of a search, and check that this lost one trial."""
    file = folder / "running_0"
    with begin(*words) as process:
        wait_for(lambda: file.exists() and file.read_text())
        trial, number = map(int, file.read_text().split())
        os.kill(number, signal.SIGKILL)
        (folder / "fast").touch()
        _, told = process.communicate(timeout=120)
    assert process.returncode == 0, told
    found = search(*words)
    assert [one["number"] for one in found["trials"] if one["kind"] == "lost"] == [trial]
    assert (found["counts"]["running"], len(found["trials"])) == (0, 5)


def test_a_server_that_stops_ends_the_search(folder: Path) -> None:
    with proxy_of("proxied.db") as (server, url):
        words = ("--objective", "train.py:slow", "--storage", url, "--trials", "3")
        with begin(*words) as process:
            wait_for(lambda: (folder / "running_0").exists())
            server.kill()
            server.wait()
            (folder / "fast").touch()
            _, told = process.communicate(timeout=120)
    assert process.returncode == 2 and f"the search needs {url}: " in told
    assert "Traceback" not in told


def test_the_dashboard_reads_a_study(folder: Path) -> None:
    dashboard = shutil.which("optuna-dashboard", path=str(Path(sys.executable).parent))
    if dashboard is None:
        missing("optuna-dashboard is not installed")
    found = search(*OBJECTIVE, "--trials", "3")
    port = free_port()
    words = [dashboard, "sqlite:///model.db", "--port", str(port), "--host", "127.0.0.1"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(words, **quiet) as server:  # type: ignore[call-overload]
        try:
            wait_for(lambda: is_open(port))
            (study,) = _ask(port, "studies")["study_summaries"]
            assert study["study_name"] == "model"
            told = _ask(port, f"studies/{study['study_id']}")
        finally:
            server.terminate()
    assert [one["number"] for one in told["trials"]] == [0, 1, 2]
    assert {one["state"] for one in told["trials"]} == {"Complete"}
    attributes = {one["key"]: one["value"] for one in told["trials"][0]["user_attrs"]}
    assert mg.loads(attributes["spec"]).summary().params == found["trials"][0]["values"][0]


def _ask(port: int, path: str) -> dict[str, Any]:
    """Return an answer of the dashboard's API."""
    request = Request(f"http://127.0.0.1:{port}/api/{path}")
    with urlopen(request, timeout=30) as answer:
        told: dict[str, Any] = json.load(answer)
        return told
