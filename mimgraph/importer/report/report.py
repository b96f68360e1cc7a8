"""Render the report of an import as text, as plain data, and as comments of the spec."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mimgraph.diagnostics.render import render_text
from mimgraph.importer.draft import Body, Node, Op, inner_nodes
from mimgraph.importer.proof.prove import Proof
from mimgraph.importer.report.remarks import Kind, Remark
from mimgraph.importer.trace.records import Place
from mimgraph.ops import registry
from mimgraph.ops.custom.module_signature import Registered
from mimgraph.runtime.weight_transfer.by_keys import Keys
from mimgraph.support.columns import titled
from mimgraph.support.frozen_data import replace
from mimgraph.support.terminal import BOLD, NARROWEST, RED, WIDTH, line_width, painter

NOT_PROVEN = "Not proven: "
MOST_KEYS = 3  # that are shown
_COUNTED: Mapping[Kind, str] = {"opaque": "opaque", "frozen": "frozen", "left-out": "left out"}


@dataclass
class ImportReport:
    """What an import found; `str` is text for people, in the style of diagnostics.

    `tidied` is the number of lines of the spec before and after `--tidy`, None if it was tidied.
    """

    remarks: Sequence[Remark]
    proof: Proof
    nodes: int
    keys: Keys
    tidied: tuple[int, int] | None = None

    @property
    def is_exact(self) -> bool:
        """Whether the graph is proven, and has all of the model without Python code."""
        return self.proof.holds and not self.remarks

    def __str__(self) -> str:
        return self.text(line_width(sys.stdout))

    def text(self, width: int = WIDTH, color: bool = False) -> str:
        """Return the remarks in the style of diagnostics, then a summary with lines of at most `width`
        characters, in which `not proven` is red."""
        width, paint = max(width, NARROWEST), painter(color)
        lines = [render_text(_grouped(self.remarks), color), ""] if self.remarks else []
        for fact in self._summary():
            style = RED if fact.startswith(NOT_PROVEN.lower()) else BOLD
            lines += titled(fact, width, paint, style)
        return "\n".join(lines)

    def _summary(self) -> Iterator[str]:
        """Yield the counts, the keys, the effect of `--tidy`, and the proof."""
        counts = Counter(one.severity for one in self.remarks)
        told = [f"{counts[kind]} {word}" for kind, word in _COUNTED.items()]
        yield f"{self.nodes} node{'s' * (self.nodes != 1)}: {', '.join(told)}"
        renamed = [f"{ours} is {theirs}" for ours, theirs in self.keys.items()]
        shown = ", ".join(renamed[:MOST_KEYS]) + (", ..." if len(renamed) > MOST_KEYS else "")
        yield f"keys: {len(renamed)} renamed ({shown})" if renamed else "keys: all the same"
        if self.tidied is not None and self.tidied[1] < self.tidied[0]:
            yield f"--tidy: {self.tidied[0]} lines become {self.tidied[1]}"
        yield from self.proof.lines()

    def data(self) -> dict[str, Any]:
        """Return the report as plain data."""
        by_kind: dict[Kind, list[Remark]] = {kind: [] for kind in _COUNTED}
        for one in self.remarks:
            by_kind[one.severity].append(one)
        return {
            "proven": self.proof.holds,
            "opaque": [one.data("path") for one in by_kind["opaque"]],
            "frozen": [one.data("path") for one in by_kind["frozen"]],
            "left_out": [one.data("name") for one in by_kind["left-out"]],
            "keys": dict(self.keys),
        }

    def comments(self, root: Body, blocks: Mapping[str, Body]) -> dict[str, str]:
        """Return the comments of the spec by the paths of nodes: the remarks about a node above it, and
        at the top those about no node, and why nothing is proven."""
        scopes = {"nodes": root, **{f"blocks.{key}": body for key, body in blocks.items()}}
        found = dict[str, list[str]]()
        for scope, body in scopes.items():
            for node in body.nodes:
                texts = (text for one in inner_nodes([node]) for text in self._about(one))
                found[f"{scope}.{node.name}"] = [*dict.fromkeys(texts)]
        placed = {text for texts in found.values() for text in texts}
        top = [f"{NOT_PROVEN}{fault}" for fault in self.proof.faults[:1]]
        top += [text for one in self.remarks if (text := _text(one)) not in placed]
        found[""] = [*dict.fromkeys(top)]
        return {path: "\n".join(lines) for path, lines in found.items() if lines}

    def _about(self, node: Node) -> Iterator[str]:
        """Yield the texts of the remarks about a node: about its module, or about its line.

        A function that stays Python is found by its line too, but not the other nodes of the line.
        """
        is_python = node.op is not None and isinstance(_op(node.op), Registered)
        for one in self.remarks:
            is_module = one.severity == "opaque" and one.name == node.path
            is_line = one.place == node.place and bool(one.place.file) and node.op is not None
            is_its_line = is_line and (one.severity != "opaque" or is_python and not node.path)
            if is_module or is_its_line:
                yield _text(one)


def _op(op: Op) -> object:
    return registry.find(op.kind, op.name)


def _text(remark: Remark) -> str:
    return f"{remark.severity}[{remark.code}]: {remark.message}"


def _grouped(remarks: Sequence[Remark]) -> list[Remark]:
    """Return one remark for those that say the same of several modules at one line."""
    groups = dict[tuple[str, Place], list[Remark]]()
    for one in remarks:
        groups.setdefault((_text(one), one.place), []).append(one)
    return [replace(first, note=_more(others)) for first, *others in groups.values()]


def _more(others: Sequence[Remark]) -> str:
    return f"also {', '.join(one.name for one in others)}" if others else ""


def count_nodes(root: Body, blocks: Mapping[str, Body]) -> int:
    """Return the number of nodes of a graph and its blocks, those inside of chains counted."""
    return sum(1 for body in (root, *blocks.values()) for _ in inner_nodes(body.nodes))
