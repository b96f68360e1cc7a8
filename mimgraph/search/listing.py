"""List the params of a search space: their values, where each is read, and when it is asked."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

from mimgraph.diagnostics.render import render_json
from mimgraph.infer.search import Guard
from mimgraph.ir.declared_values import Choices, Dimension, Floats, Integers, written
from mimgraph.search.explain import Among, Rule
from mimgraph.search.prove import Impossible, Proof
from mimgraph.search.space import Space
from mimgraph.support.columns import GAP, fitting, row_lines, shrunk
from mimgraph.support.terminal import BOLD, DIM, painter

TITLES = ("Param", "Search", "Default", "Read by", "Asked")
MOST_PLACES = 4  # that a line names


def text(space: Space, width: int, color: bool = False) -> str:
    """Return the space as a table, with the number of its points below."""
    paint = painter(color)
    rows = [TITLES, *(_row(space, name) for name in space)]
    columns = dict(enumerate(zip(*rows, strict=True)))
    widths = fitting(columns, width, whole=(0,)) or shrunk(columns, width)
    lines = [GAP.join(cells).rstrip() for row in rows[1:] for cells in row_lines(row, widths)]
    title = [paint(BOLD, GAP.join(cells).rstrip()) for cells in row_lines(TITLES, widths)]
    rule = paint(DIM, GAP.join("─" * one for one in widths.values()))
    return "\n".join([*title, rule, *lines, "", f"Points: {points_text(space.size)}"])


def points_text(size: float) -> str:
    """Return a number of points, exactly if it is short."""
    if size == math.inf:
        return "no end of them"
    return f"{int(size):,}" if size < 10**15 else f"about 10^{len(str(int(size))) - 1}"


def _row(space: Space, name: str) -> tuple[str, ...]:
    places = list(dict.fromkeys(read.place for read in space.reads[name]))
    more = len(places) - MOST_PLACES
    shown = ", ".join(places[:MOST_PLACES]) + (f", {more} more" if more > 0 else "")
    one = space[name]
    return name, str(one), written(one.default), shown or "-", asked_text(space.when[name])


def asked_text(guards: frozenset[Guard]) -> str:
    """Return when a param is asked, in words."""
    if not guards:
        return "never"
    return " or ".join(sorted(map(_guard_text, guards))) or "always"


def _guard_text(guard: Guard) -> str:
    some = (f"{name} = {' or '.join(sorted(allowed))}" for name, allowed in sorted(guard))
    return " and ".join(some) or "always"


def proof_text(proof: Proof) -> str:
    """Return what a proof found, in one line."""
    number = f"{proof.checked:,} point{'s' * (proof.checked != 1)}"
    checked = f"all {number}" if proof.is_whole else f"{number} of {points_text(proof.size)}"
    if proof.size == math.inf:
        checked = f"{number} drawn at random"
    if not proof.failed:
        return f"{checked}: each can be"
    return f"{checked}: {proof.failed:,} cannot be"


# --- as data --------------------------------------------------------------------------------------


def data(space: Space, proof: Proof | None = None) -> dict[str, Any]:
    """Return the space, and a proof if there is one, as plain data."""
    found: dict[str, Any] = {
        "params": [_param(space, name) for name in space],
        "points": None if space.size == math.inf else int(space.size),
    }
    if proof is not None:
        faults = [
            {**record, **_impossible(one)}
            for one in proof.impossible
            for record in json.loads(render_json([one.diagnostic]))
        ]
        found["proof"] = {"checked": proof.checked, "failed": proof.failed, "faults": faults}
    return found


def _param(space: Space, name: str) -> dict[str, Any]:
    return {
        "name": name,
        **_dimension(space[name]),
        "default": space[name].default,
        "read_by": list(dict.fromkeys(read.place for read in space.reads[name])),
        "asked": [
            {param: sorted(allowed) for param, allowed in sorted(guard)}
            for guard in sorted(space.when[name], key=_guard_text)
        ],
    }


def _dimension(one: Dimension) -> dict[str, Any]:
    match one:
        case Choices(values):
            return {"kind": "choices", "values": list(values)}
        case Integers(low, high, _, step, log):
            return {"kind": "int", "low": low, "high": high, "step": step, "log": log}
        case Floats(low, high, _, by, log):
            return {"kind": "float", "low": low, "high": high, "step": by, "log": log}


def _impossible(one: Impossible) -> dict[str, Any]:
    return {
        "points": one.points,
        "when": [*map(_rule, one.rules)],
        "example": dict(one.example),
    }


def _rule(rule: Rule) -> dict[str, Any]:
    return {name: _among(among) for name, among in rule.items()}


def _among(among: Among) -> Any:
    values: Sequence[Any] = among.values
    return {"low": values[0], "high": values[-1]} if among.is_range else list(values)
