"""Import one model of the zoo in a process of its own, and return the result as plain data."""

from __future__ import annotations

import multiprocessing
import time
import traceback
import warnings
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import torch

import mimgraph as mg
from tests.conftest import ROOT
from tests.importer.zoo.model import Model

# fork: the libraries of models are imported once, by the parent
PROCESSES = multiprocessing.get_context("fork")


def measure(model: Model, limit: float) -> dict[str, Any]:
    """Return the facts of an import as `facts` has them; a crash or a hang is an error."""
    ours, theirs = PROCESSES.Pipe(duplex=False)
    process = PROCESSES.Process(target=partial(_report, model, theirs))
    started = time.monotonic()
    process.start()
    theirs.close()  # so that the end of the process ends the pipe
    try:
        found = ours.recv() if ours.poll(limit) else {"error": f"no result in {limit:.0f} s"}
    except EOFError:
        process.join(10)
        found = {"error": f"the process ended with {process.exitcode}"}
    process.kill()
    process.join()
    seconds = round(time.monotonic() - started, 1)
    return {"name": model.name, "family": model.family, "seconds": seconds, **found}


def _report(model: Model, connection: Connection) -> None:
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    try:
        connection.send(facts(model))
    except Exception as error:  # noqa: BLE001 - whatever the importer raises is a row of the table
        frame = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{Path(frame.filename).name}:{frame.lineno}"
        connection.send({"error": f"{type(error).__name__}: {error} ({place})"[:2000]})


def facts(model: Model) -> dict[str, Any]:
    """Import a model and return the plain data of its row in the table."""
    torch.manual_seed(0)
    module = model.make()
    made = mg.from_module(module, dict(model.inputs))
    data, spec = made.data(), ROOT / "specs" / f"{model.gallery}.yaml"
    return {
        "proven": data["proven"],
        "opaque": data["opaque"],
        "frozen": data["frozen"],
        "left_out": data["left_out"],
        "renamed": len(data["keys"]),
        "lines": _lines(made.dumps()),
        "tidy": _lines(mg.from_module(module, dict(model.inputs), tidy=True).dumps()),
        "gallery": _lines(spec.read_text()) if model.gallery else None,
    }


def _lines(spec: str) -> int:
    """Return the number of lines of a spec but for blank ones and comments."""
    lines = (line.strip() for line in spec.splitlines())
    return sum(1 for line in lines if line and not line.startswith("#"))
