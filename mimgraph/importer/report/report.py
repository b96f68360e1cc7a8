"""Render the report of an import as text, as plain data, and as comments of the spec."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from mimgraph.diagnostics.render import render_text
from mimgraph.importer.draft import Body, Node, Op, inner_nodes
from mimgraph.importer.inputs.lengths import FixedShape
from mimgraph.importer.inputs.model import Size
from mimgraph.importer.proof.prove import Proof
from mimgraph.importer.report.remarks import LARGE_CONSTANT, Kind, Remark
from mimgraph.importer.trace.records import Place
from mimgraph.ops import registry
from mimgraph.ops.custom.registration import Registered
from mimgraph.runtime.weight_transfer.by_keys import Keys
from mimgraph.support.columns import titled
from mimgraph.support.terminal import BOLD, NARROWEST, RED, WIDTH, line_width, painter

NOT_PROVEN = "Not proven"
MOST_KEYS = 3  # that are shown
_COUNTED: Mapping[Kind, str] = {"opaque": "opaque", "frozen": "frozen", "left-out": "left out"}


@dataclass
class ImportReport:
    """What an import found; `str` is text for people, in the style of diagnostics.

    `fixed` are inputs whose sizes are numbers in the spec, while the module runs with others.
    """

    remarks: Sequence[Remark]
    proof: Proof
    nodes: int
    keys: Keys
    fixed: Sequence[FixedShape] = ()

    @property
    def proven(self) -> bool:
        """Whether the graph as it is written, with the module's weights, computes the same as the module."""
        return self.proof.holds and not self._constants

    @property
    def _constants(self) -> list[str]:
        """The keys of constants that the spec has zeros for."""
        return [one.name for one in self.remarks if one.code == LARGE_CONSTANT]

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
        """Yield the counts, the keys and the proof."""
        counts = Counter(one.severity for one in self.remarks)
        told = [f"{counts[kind]} {word}" for kind, word in _COUNTED.items()]
        yield f"{self.nodes} node{'s' * (self.nodes != 1)}: {', '.join(told)}"
        if self.fixed:
            yield f"fixed sizes: {self._fixed_sizes}"
        renamed = [f"{ours} is {theirs}" for ours, theirs in self.keys.items()]
        same = "all the module's are the same" if self._constants else "all the same"
        yield f"keys: {len(renamed)} renamed ({_first(renamed)})" if renamed else f"keys: {same}"
        yield from self.proof.lines()
        if self._constants:
            yield f"{NOT_PROVEN.lower()} {self._without_weights}"

    @property
    def _fixed_sizes(self) -> str:
        """Which sizes are numbers, and how to keep them free."""
        given = ", ".join(_shape(one.input, one.shape) for one in self.fixed)
        free = ", ".join(_shape(one.input, one.free) for one in self.fixed)
        return (
            f"{given}; the module runs at other sizes too, but the spec may then compute something else; "
            f"to free them, import with {free}"
        )

    @property
    def _without_weights(self) -> str:
        return f"without --weights: the spec has zeros for {_first(self._constants)}"

    def with_weights(self) -> ImportReport:
        """Return the report of an import that also writes the weights of our model, with its constants."""
        return replace(self, remarks=[r for r in self.remarks if r.code != LARGE_CONSTANT])

    def data(self) -> dict[str, Any]:
        """Return the report as plain data."""
        by_kind: dict[Kind, list[Remark]] = {kind: [] for kind in _COUNTED}
        for one in self.remarks:
            by_kind[one.severity].append(one)
        return {
            "proven": self.proven,
            "opaque": [one.data("path") for one in by_kind["opaque"]],
            "frozen": [one.data("path") for one in by_kind["frozen"]],
            "left_out": [one.data("name") for one in by_kind["left-out"]],
            "keys": dict(self.keys),
            "fixed_sizes": [one._asdict() for one in self.fixed],
        }

    def comments(self, root: Body, blocks: Mapping[str, Body]) -> dict[str, str]:
        """Return the comments of the spec by the paths of nodes: the remarks about a node above it, and
        at the top those about no node, and why nothing is proven."""
        scopes = {"nodes": root, **{f"blocks.{key}": body for key, body in blocks.items()}}
        found = dict[str, list[str]]()
        for scope, body in scopes.items():
            for node in body.nodes:
                inner = [*inner_nodes([node])]
                texts = [text for one in inner for text in (*one.comments, *self._about(one))]
                found[f"{scope}.{node.name}"] = [*dict.fromkeys(texts)]
        placed = "\n".join(text for texts in found.values() for text in texts)
        top = [f"{NOT_PROVEN}: {fault}" for fault in self.proof.faults[:1]]
        top += [f"{NOT_PROVEN} {self._without_weights}"] if self._constants else []
        top += [f"Fixed sizes: {self._fixed_sizes}"] if self.fixed else []
        top += [_text(one) for one in self.remarks if one.message not in placed]
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


def _shape(input: str, sizes: Sequence[Size]) -> str:
    """Return the shape of an input as `--input` takes it."""
    return f"{input}={','.join(map(str, sizes))}"


def _first(names: Sequence[str]) -> str:
    return ", ".join(names[:MOST_KEYS]) + (", ..." if len(names) > MOST_KEYS else "")


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
