"""Storages are opened by their URLs; one that cannot be says why."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import pytest

from mimgraph.trials import storage
from mimgraph.trials.storage import SearchError

pytestmark = pytest.mark.slow


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("localhost", 0))
        port: int = one.getsockname()[1]
        return port


FAULTS = {
    "none/a.db": "cannot open none/a.db: unable to open database file",
    "train.py": "cannot open train.py: file is not a database",
    "sqlite:///train.py": "cannot open sqlite:///train.py: file is not a database",
    "nosuch://me:secret@there/x": "cannot open nosuch://me:***@there/x: Can't load plugin",
    "grpc://localhost": "grpc://localhost is no address of a proxy; write grpc://HOST:PORT",
    "mysql://me:secret@there/x": "mysql://me:***@there/x needs the package MySQLdb; "
    "pip install mysqlclient",
}


@pytest.mark.parametrize("url", FAULTS)
def test_faults(url: str, folder: Path) -> None:
    with pytest.raises(SearchError) as caught:
        storage.open_storage(url)
    assert f"{caught.value}; {caught.value.help}".startswith(FAULTS[url])
    assert (folder / "train.py").read_text().startswith("import os")


def test_a_server_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage, "REACHED", 0.2)
    port = _free_port()
    with pytest.raises(SearchError, match=f"no proxy answers at grpc://localhost:{port}"):
        storage.open_storage(f"grpc://localhost:{port}")
    pytest.importorskip("psycopg2")
    with pytest.raises(SearchError, match="Connection refused"):
        storage.open_storage(f"postgresql+psycopg2://me@localhost:{port}/x")


def test_a_file_is_made(folder: Path) -> None:
    storage.open_storage("new.db")
    assert (folder / "new.db").read_bytes().startswith(b"SQLite format 3")


def test_optuna_may_be_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(SearchError) as caught:
        storage.require_optuna()
    assert caught.value.help == "pip install 'mimgraph[search]'"


def test_optuna_may_be_old(monkeypatch: pytest.MonkeyPatch) -> None:
    import optuna

    monkeypatch.setattr(optuna, "__version__", "4.5.0")
    with pytest.raises(SearchError, match="needs Optuna 5, and Optuna 4.5.0 is installed"):
        storage.require_optuna()
