"""Measure one declaration of the model, in an environment that has its library: `python measure.py with_keras`.

It prints JSON: the seconds until the model is there, the time of a forward against the class by hand, and what the library
says of two mistakes.
"""

from __future__ import annotations

from time import perf_counter

STARTED = perf_counter()  # the imports below count

import difflib
import importlib
import json
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

HERE = Path(__file__).parent
LONGEST = 600  # characters of a message


def code(name: str, part: str) -> list[str]:
    """Return the lines of a declaration, `model` or `gated`, between its comments; none if it is not there."""
    text = (HERE / f"{name}.py").read_text()
    _, begin, rest = text.partition(f"# begin {part}\n")
    lines = rest.partition(f"# end {part}")[0].strip("\n").splitlines() if begin else []
    if lines and lines[0].endswith('"""\\'):  # a text: without the quotes
        lines = lines[1:-1]
    return lines


def declared(lines: list[str]) -> int:
    """Return how many lines are not empty."""
    return sum(bool(line.strip()) for line in lines)


def changed(name: str) -> int | None:
    """Return how many lines the other fusion adds or replaces."""
    if not code(name, "gated"):
        return None
    lines = difflib.ndiff(code(name, "model"), code(name, "gated"))
    return sum(line.startswith("+ ") and bool(line[2:].strip()) for line in lines)


def outcome(module: ModuleType, name: str, inputs: tuple[Any, ...]) -> dict[str, str]:
    """Return when a wrong model fails, and with which message."""
    make: Callable[[], Any] | None = getattr(module, name, None)
    if make is None:
        return {"when": "not declared here", "message": ""}
    when = "when it is declared"
    try:
        model = make()
        when = "when it runs"
        module.call(model, *inputs)
    except Exception as error:  # noqa: BLE001 - whatever the library raises
        text = str(error).strip()
        return {"when": when, "message": f"{type(error).__name__}: {text}"[:LONGEST]}
    return {"when": "never", "message": ""}


def forwards(run: Callable[[], Any], other: Callable[[], Any]) -> tuple[float, float]:
    """Return the least seconds of two calls, which take turns."""
    times: tuple[list[float], list[float]] = ([], [])
    for turn in range(600):
        for call, seconds in zip((run, other), times, strict=True):
            start = perf_counter()
            call()
            if turn >= 100:
                seconds.append(perf_counter() - start)
    return min(times[0]), min(times[1])


def measure(name: str) -> dict[str, Any]:
    """Return the facts."""
    warnings.simplefilter("ignore")
    module = importlib.import_module(name)
    model = module.build()
    ready = perf_counter() - STARTED

    import torch

    torch.set_num_threads(1)
    by_hand = importlib.import_module("by_hand")
    hand = by_hand.build().eval()
    partial = getattr(module, "PARTIAL", False)  # then its time says nothing
    inputs = torch.randn(1, 3, 32, 32), torch.randn(1, 5)
    if hasattr(model, "eval"):
        model.eval()
    with torch.no_grad():
        ours, theirs = forwards(
            lambda: module.call(model, *inputs), lambda: by_hand.call(hand, *inputs)
        )
    weights = getattr(model, "state_dict", dict)()
    return {
        "lines": declared(code(name, "model")),
        "changed": changed(name),
        "seconds": round(ready, 1),
        "ratio": None if partial else round(ours / theirs, 2),
        "keys": list(weights),
        "both": outcome(module, "both", inputs) if partial else None,
        "unflattened": outcome(module, "unflattened", inputs),
        "misspelt": outcome(module, "misspelt", inputs),
    }


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1])))
