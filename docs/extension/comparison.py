"""Lay out the measured table of the comparison with other libraries."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

HERE = Path(__file__).parents[1] / "explanation" / "comparison"
NAMES = {
    "by_hand": "[by hand](#by-hand)",
    "with_mimgraph": "[mimgraph](#mimgraph)",
    "with_keras": "[Keras](#keras-3)",
    "with_pytorch_symbolic": "[pytorch-symbolic](#pytorch-symbolic)",
    "with_tensordict": "[tensordict](#tensordict)",
    "with_mlnode": "[MLnode](#mlnode)",
    "with_konfai": "[KonfAI](#konfai)",
    "with_ludwig": "[Ludwig](#ludwig)",
    "with_ultralytics": "[Ultralytics](#ultralytics-yaml)",
}
PARTIAL = r" \*"  # a library that cannot hold the whole model
# when a mistake is found, as `measure.py` says it
FOUND = {
    "when it is declared": "at once",
    "when it runs": "first batch",
    "never": "never",
    "not declared here": "",
}


def results() -> dict[str, dict[str, Any]]:
    """Return what `run.py` measured."""
    found: dict[str, dict[str, Any]] = json.loads((HERE / "results.json").read_text())
    return found


def table() -> str:
    """Return the table in Markdown."""
    head = "| library | version | lines | gate | forward | ready | no `Flatten` | misspelt |"
    return "\n".join([head, "| --- " * 8 + "|", *map(_row, NAMES)])


def _row(name: str) -> str:
    facts = results()[name]
    forward = "" if facts["ratio"] is None else f"{facts['ratio']:.2f}"
    cells = [
        NAMES[name],
        facts["version"].partition("+")[0],
        str(facts["lines"]) + (PARTIAL if facts["both"] else ""),
        _gate(facts),
        forward,
        _ready(facts),
        FOUND[facts["unflattened"]["when"]],
        FOUND[facts["misspelt"]["when"]],
    ]
    return f"| {' | '.join(cells)} |"


def _gate(facts: dict[str, Any]) -> str:
    """Return the number of lines that another fusion takes; "" where there is nothing to fuse."""
    if facts["changed"] is None:
        return "" if facts["both"] else "needs a class"
    return str(facts["changed"])


def _ready(facts: dict[str, Any]) -> str:
    """Return the seconds until the model exists, and until a check has ended where there is one."""
    check = f" (check: {facts['check_seconds']:.1f} s)" if "check_seconds" in facts else ""
    return f"{facts['seconds']:.1f} s{check}"
