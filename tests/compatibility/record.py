"""Record what the specs of this version give, so that every later version must give it: at a release,
`python -m tests.compatibility.record tests/compatibility/v0_2` copies `specs/` there and records them.

The records of 0.1 were made by its own code. Only the public Python API is used here.
"""

from __future__ import annotations

import inspect
import json
import shutil
import sys
from pathlib import Path
from typing import Any

import torch

import mimgraph as mg

Record = dict[str, Any]


def record(graph: mg.Graph) -> Record:
    """Return what users of a spec rely on: the class, its `forward`, its outputs, keys and shapes of weights."""
    with torch.device("meta"):
        model = graph.compile()
    return {
        "class": type(model).__name__,
        "forward": signature(model),
        "outputs": list(graph.outputs),
        "weights": {key: list(value.shape) for key, value in model.state_dict().items()},
    }


def signature(model: torch.nn.Module) -> list[str]:
    """Return the arguments of `forward`, those that may be left out with `?`."""
    parameters = inspect.signature(model.forward).parameters.values()
    return [p.name + "?" * (p.default is not p.empty) for p in parameters]


def main(folder: Path) -> None:
    """Copy the specs into a folder, and write what each of them gives."""
    copies = folder / "specs"
    shutil.copytree("specs", copies, dirs_exist_ok=True)
    records = {path.stem: record(mg.load(path)) for path in sorted(copies.glob("*.yaml"))}
    lines = (f"{json.dumps(name)}: {json.dumps(given)}" for name, given in records.items())
    (folder / "records.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
