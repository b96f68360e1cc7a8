"""Record what this version gives, so that every later version must give it: at a release,
`python -m tests.compatibility.record tests/compatibility/v0_2` copies `specs/` and `examples/` there, collects the specs of the
manual, and records what they give and the public surface.

The records of 0.1 were made by its own code.
"""

from __future__ import annotations

import contextlib
import inspect
import json
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

import mimgraph as mg
from tests.compatibility.surface import Surface, surface

Record = dict[str, Any]
ROOT = Path(__file__).parents[2]
if str(ROOT / "docs") not in sys.path:
    sys.path.append(str(ROOT / "docs"))  # the extension of Sphinx knows what is documented
YAML = re.compile(r"^```yaml\n(.*?)^```$", re.MULTILINE | re.DOTALL)


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


def cases() -> Iterator[str]:
    """Yield the specs of the pages of the language and of each layer and merge, with the shapes of their outputs."""
    from extension import language_keys
    from extension.worked import worked

    from mimgraph.language.reference import every_op

    pages = {path.name: path.read_text() for path in sorted((ROOT / "docs/language").glob("*.md"))}
    pages |= {page.path: page.content.decode() for page in language_keys.pages()}
    found = {name: YAML.findall(text) for name, text in pages.items()}
    found |= {f"{op.kind} {op.name}": [worked(op).spec] for op in every_op()}
    for name, specs in found.items():
        yield f"## {name}\n"
        for spec in specs:
            with contextlib.suppress(mg.SpecError):  # a part of a spec, or a wrong one
                outputs = (f"{name} {output}" for name, output in mg.loads(spec).outputs.items())
                shown = "\n".join(outputs)
                yield f"```yaml\n{spec.rstrip()}\n```\n\n```text\n{shown}\n```\n"


def documented() -> set[str]:
    """Return the names of the pages of the Python API, `load` or `Graph.save`."""
    from extension import api

    names = {name for part in api.PARTS for name in part.names}
    classes = {name for name in names - {"Graph"} if inspect.isclass(getattr(mg, name))}
    names |= {f"{name}.{member}" for name in classes for member in api._members(getattr(mg, name))}
    return names | {f"Graph.{name}" for line in api.GRAPH.values() for name in line.split()}


def records() -> dict[str, list[str]]:
    """Return the fields and members of the records that functions return."""
    from extension import api

    classes = [record for part in api.PARTS for record in part.records]
    return {one.__name__: sorted({*api._fields(one), *api._members(one)}) for one in classes}


def public_surface() -> Surface:
    """Return what programs and tools use of this version."""
    from mimgraph.cli.parser import COMMANDS

    before = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            return surface(documented(), [*COMMANDS]) | {"records": records()}
        finally:
            os.chdir(before)


def main(folder: Path) -> None:
    """Copy the specs and examples into a folder, and write what they give."""
    copies = folder / "specs"
    shutil.copytree(ROOT / "specs", copies, dirs_exist_ok=True)
    (folder / "python").mkdir(exist_ok=True)
    for path in sorted((ROOT / "examples").glob("*.py")):
        shutil.copy(path, folder / "python")
    records = {path.stem: record(mg.load(path)) for path in sorted(copies.glob("*.yaml"))}
    (folder / "records.json").write_text(listed(records))
    (folder / "surface.json").write_text(
        "{\n"
        + ",\n".join(
            f"{json.dumps(kind)}: {listed(found).rstrip() if isinstance(found, dict) else json.dumps(found)}"
            for kind, found in public_surface().items()
        )
        + "\n}\n"
    )
    head = f"# Specs of {mg.__version__}\n\nThe specs of its manual, and the shapes of their outputs there.\n"
    (folder / "cases.md").write_text("\n".join([head, *cases()]))


def listed(found: dict[str, Any]) -> str:
    """Return a dict as JSON, one line for each key."""
    lines = (f"{json.dumps(name)}: {json.dumps(given)}" for name, given in found.items())
    return "{\n" + ",\n".join(lines) + "\n}\n"


if __name__ == "__main__":
    main(Path(sys.argv[1]))
