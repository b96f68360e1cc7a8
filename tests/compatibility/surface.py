"""What programs and tools use of a version: names of Python with their arguments, options of ops, codes, commands with their
options, and fields of JSON. At each release it is recorded beside the specs; nothing of it may go."""

from __future__ import annotations

import contextlib
import inspect
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mimgraph as mg
from mimgraph.cli import main
from mimgraph.diagnostics.codes import CODES

Surface = dict[str, Any]
WRONG = "inputs: {a: [4], b: [T, 8]}\nnodes:\n  y: {merge: concat, from: [a, b]}\noutputs: y\n"
OLD = "inputs: {a: [4]}\nnodes:\n  y: {layer: Linear, from: a, out_features: 2}\noutputs: y\n"
NEW = OLD.replace("2}", "3, activation: ReLU}")
PRINT_JSON = {
    "check": "check wrong.yaml",
    "summary": "summary old.yaml",
    "diff": "diff old.yaml new.yaml",
    "layers": "layers Linear",
}


def surface(names: set[str], commands: list[str]) -> Surface:
    """Return what there is: of Python the names that are given, `load` or `Graph.save`. The working directory is one for files."""
    for file, text in (("wrong", WRONG), ("old", OLD), ("new", NEW)):
        Path(f"{file}.yaml").write_text(text)
    ops = json.loads(printed("layers", "--format", "json"))
    return {
        "python": {name: arguments(found) for name in sorted(names) for found in find(name)},
        "ops": {
            f"{op['kind']} {op['name']}": sorted(option["name"] for option in op["options"])
            for op in ops
            if op["kind"] in ("layer", "merge")
        },
        "codes": sorted(CODES),
        "commands": {
            name: sorted(set(re.findall(r"(?<![\w-])--[a-z][\w-]*", printed(name, "--help"))))
            for name in commands
        },
        "json": {
            name: sorted(set(fields(json.loads(printed(*words.split(), "--format", "json")))))
            for name, words in PRINT_JSON.items()
        },
    }


def find(name: str) -> Iterator[Any]:
    """Yield what a name of `mg` stands for, if it is there."""
    owner, _, member = name.partition(".")
    found = getattr(mg, owner, None)
    if found is not None and member:
        found = inspect.getattr_static(found, member, None)
    if found is not None:
        yield found


def arguments(thing: Any) -> list[str] | None:
    """Return the arguments of a function or class: `name`, `name=` with a default, `*name` only by keyword."""
    if not callable(thing) or thing in (mg.SpecError, mg.Tensor):  # which nobody makes
        return None
    parameters = inspect.signature(thing).parameters.values()
    return [
        "*" * (one.kind is one.KEYWORD_ONLY) + one.name + "=" * (one.default is not one.empty)
        for one in parameters
        if one.kind not in (one.VAR_KEYWORD, one.VAR_POSITIONAL)
    ]


def fields(data: Any, place: str = "") -> Iterator[str]:
    """Yield the paths of all fields of plain data."""
    if isinstance(data, dict):
        for key, value in data.items():
            yield f"{place}.{key}"
            yield from fields(value, f"{place}.{key}")
    elif isinstance(data, list):
        for value in data:
            yield from fields(value, f"{place}[]")


def printed(*words: str) -> str:
    """Return what a command prints."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.suppress(SystemExit):
        main(list(words))
    return out.getvalue()


def lost(old: Surface, now: Surface) -> list[str]:
    """Return the names that are gone, or whose calls have changed."""
    found = []
    for kind in ("ops", "commands", "json", "records"):
        for name, parts in old.get(kind, {}).items():
            missing = [part for part in parts if part not in now[kind].get(name, [])]
            found += [f"{kind}: {name}: {part}" for part in missing]
            if name not in now[kind]:
                found.append(f"{kind}: {name}")
    found += [f"code: {code}" for code in old["codes"] if code not in now["codes"]]
    for name, before in old["python"].items():
        if name not in now["python"]:
            found.append(f"python: {name}")
        elif before is not None:
            found += [f"python: {name}: {fault}" for fault in changed(before, now["python"][name])]
    return found


def changed(before: list[str], now: list[str] | None) -> Iterator[str]:
    """Yield why a call that was right may be wrong now."""
    if now is None:
        yield "cannot be called"
        return
    bare = [one.strip("*=") for one in now]
    for place, argument in enumerate(before):
        name = argument.strip("*=")
        if name not in bare:
            yield f"{name} is gone"
        elif not argument.startswith("*") and (
            bare.index(name) != place or now[place].startswith("*")
        ):
            yield f"{name} has moved"
    known = {one.strip("*=") for one in before}
    required = {one.strip("*=") for one in before if not one.endswith("=")}
    for argument in now:
        name = argument.strip("*=")
        if not argument.endswith("=") and name not in (required if name in known else ()):
            yield f"{name} is needed now"
