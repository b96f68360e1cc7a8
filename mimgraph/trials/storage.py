"""Open the storage of a search, and define the errors of one that cannot begin or go on."""

from __future__ import annotations

import re
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from optuna.storages import BaseStorage


class SearchError(ValueError):
    """Raised with the reason why a search cannot begin or go on; `help` says what to do."""

    def __init__(self, message: str, help: str = "") -> None:
        super().__init__(message)
        self.help = help


class TrialsFail(SearchError):
    """Raised when a search ends because its trials fail or their workers die."""


HEARTBEAT = 10  # seconds between two signs of life of a trial
GRACE = 60  # seconds without one after which a trial of another machine has failed
PATIENCE = 60  # seconds to wait for a file that other workers write to
REACHED = 10  # seconds to wait for a proxy
_PROXY = re.compile(r"grpc://(?P<host>[^/:]+):(?P<port>\d{1,5})/?")
_URL = re.compile(r"\w+(\+\w+)?://")
_PASSWORD = re.compile(r"(?<=://)([^/@:]*):[^/@]*@")
_NEEDED = {  # what other packages are imported as, and installed by
    "psycopg": "'psycopg[binary]'",
    "psycopg2": "psycopg2-binary",
    "MySQLdb": "mysqlclient",
    "grpc": "grpcio protobuf",
    "google": "grpcio protobuf",
}


def require_optuna() -> None:
    """Raise a `SearchError` if Optuna is not installed, or too old."""
    try:
        import optuna
    except ImportError:
        raise SearchError("a search needs Optuna", "pip install 'mimgraph[search]'") from None
    if int(optuna.__version__.partition(".")[0]) < 5:
        message = f"a search needs Optuna 5, and Optuna {optuna.__version__} is installed"
        raise SearchError(message, "pip install --upgrade 'optuna>=5'")
    optuna.logging.set_verbosity(optuna.logging.ERROR)  # the outcome has what it would say


def is_url(text: str) -> bool:
    """Return whether a text is the URL of a storage, not the path of a file."""
    return _URL.match(text) is not None


def shown(storage: str) -> str:
    """Return a storage for messages, without the password."""
    return _PASSWORD.sub(r"\1:***@", storage)


def open_storage(storage: str) -> BaseStorage:
    """Return the storage at a URL, or in a file that is made if it does not exist."""
    try:
        with quiet(), needing(storage, "cannot open"):
            return _proxy(storage) if storage.startswith("grpc:") else _database(storage)
    except ImportError as error:
        raise _missing_package(storage, error) from None
    except RuntimeError as error:  # tables of another version of Optuna
        raise SearchError(f"cannot open {shown(storage)}: {reason(error)}") from None


@contextmanager
def needing(storage: str, fault: str = "the search needs") -> Iterator[None]:
    """Turn what a storage raises in a `with` block into a `SearchError`."""
    try:
        yield
    except Exception as error:
        # Optuna reads an unset variable if it cannot write how a trial ended
        found = error.__context__ if isinstance(error, UnboundLocalError) else error
        if found is None or not isinstance(found, _faults()):
            raise
        raise SearchError(f"{fault} {shown(storage)}: {reason(found)}") from None


def _faults() -> tuple[type[Exception], ...]:
    """Return what storages raise; gRPC is imported for a proxy alone."""
    from optuna.exceptions import OptunaError
    from sqlalchemy.exc import SQLAlchemyError

    proxy = sys.modules.get("grpc")
    return (OptunaError, SQLAlchemyError, OSError, *([proxy.RpcError] if proxy else []))


def reason(error: BaseException) -> str:
    """Return the first line of an error of a storage, without the class names of its driver."""
    while error.__cause__ is not None:
        error = error.__cause__
    details = getattr(error, "details", str)  # of gRPC, whose text is long
    text = details() if callable(details) else ""
    line = next(iter((text or str(error)).splitlines()), "") or type(error).__name__
    return re.sub(r"^\([\w.]+\) ", "", line)


@contextmanager
def quiet() -> Iterator[None]:
    """Leave out the warnings of Optuna that a part which we use is new."""
    from optuna.exceptions import ExperimentalWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        yield


def _database(storage: str) -> BaseStorage:
    """Return a database, where workers that live say so from time to time."""
    from optuna.storages import RDBStorage

    url = storage if is_url(storage) else f"sqlite:///{storage}"
    waits = {"connect_args": {"timeout": PATIENCE}} if url.startswith("sqlite:") else {}
    return RDBStorage(url, waits, heartbeat_interval=HEARTBEAT, grace_period=GRACE)


def _proxy(storage: str) -> BaseStorage:
    """Return the client of a proxy that answers."""
    from optuna.storages import GrpcStorageProxy

    address = _PROXY.fullmatch(storage)
    if address is None:
        raise SearchError(f"{storage} is no address of a proxy", "write grpc://HOST:PORT")
    proxy = GrpcStorageProxy(host=address["host"], port=int(address["port"]))
    try:
        proxy.wait_server_ready(REACHED)
    except ConnectionError:
        raise SearchError(f"no proxy answers at {storage}", "start one first") from None
    return proxy


def _missing_package(storage: str, error: ImportError) -> SearchError:
    """Return the error for a driver that is not installed; Optuna hides its name behind another error."""
    missing = error.__cause__ if isinstance(error.__cause__, ImportError) else error
    name = (missing.name or "").partition(".")[0]
    message = f"{shown(storage)} needs the package {name}"
    return SearchError(message, f"pip install {_NEEDED.get(name, name)}")
