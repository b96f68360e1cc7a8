"""Read Ultralytics' YAML of a model into a spec, a block for each kind of module."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from math import gcd, lcm
from pathlib import Path
from typing import Any

from mimgraph.diagnostics import Report, SpecError
from mimgraph.importer.foreign.located import read_file
from mimgraph.importer.foreign.model import ForeignModel, Note
from mimgraph.importer.foreign.ultralytics import joins
from mimgraph.importer.foreign.ultralytics.heads import HEADS
from mimgraph.importer.foreign.ultralytics.library import Block, inner_blocks, with_inner
from mimgraph.importer.foreign.ultralytics.made import Made, Result
from mimgraph.importer.foreign.ultralytics.make import make, times
from mimgraph.importer.foreign.ultralytics.rows import Row, read_rows
from mimgraph.importer.foreign.ultralytics.settings import Settings, model_name, read_settings

IMAGE = "image"
NEW = ("C3k2", "A2C2f", "C2fCIB")  # the modules of version 10 and later, whose head is lighter
STATISTICS = {"bn_eps": 1e-3, "bn_momentum": 0.03}
STATISTICS_OF_CLASSIFIERS = {"bn_eps": 1e-5, "bn_momentum": 0.1}  # torch's


def is_ultralytics(data: object) -> bool:
    """Return whether plain data has the form of an Ultralytics model: rows of backbone and head."""
    if not isinstance(data, dict):
        return False
    parts = [data.get("backbone"), data.get("head")]
    return all(
        isinstance(part, list) and part and all(isinstance(row, list) for row in part)
        for part in parts
    )


def read_ultralytics(path: str | Path, scale: str | None = None) -> ForeignModel:
    """Return the model in a YAML file of Ultralytics, such as `yolov8.yaml` at the scale "n".

    Its input `image` is (N, 3, 32*H, 32*W), or what the strides of the model need. The outputs are what
    the model returns in training, and `predictions`, decoded. The file has no weights, and nothing of it
    is run.

    >>> read_ultralytics("yolov8.yaml", "n").spec["nodes"]["c2f_2"]
    {'block': 'C2f', 'from': 'conv_1', 'out_channels': 32}
    """
    data = read_file(path)
    data.of(dict, "a model must be a mapping with backbone and head")
    settings = read_settings(data, str(path), scale)
    reading = _Reading(settings)
    for row in read_rows(data, settings.names):
        reading.add(row)
    reading.report.raise_if_any()
    return reading.model(model_name(str(path), settings.scale))


@dataclass
class _Reading:
    """A model that is being read: its nodes, and the result of each row, None after a fault."""

    settings: Settings
    report: Report = field(default_factory=Report)
    rows: list[Row] = field(default_factory=list)
    results: list[Result | None] = field(default_factory=list)
    areas: list[tuple[Fraction, int]] = field(default_factory=list)  # of maps, with their strides
    nodes: dict[str, Any] = field(default_factory=dict)
    blocks: dict[str, Block] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    outputs: dict[str, str] = field(default_factory=dict)
    only_in_training: tuple[str, ...] = ()
    notes: list[Note] = field(default_factory=list)

    def add(self, row: Row) -> None:
        """Add the node of a row; a fault goes to the report."""
        self.rows.append(row)
        found = [self._result(source) for source in row.sources]
        sources = [one for one in found if one is not None]
        if len(sources) < len(found):
            self.results.append(None)  # it follows from a fault that is reported
            return
        try:
            self.results.append(self._added(row, sources))
        except SpecError as error:
            self.results.append(None)
            for fault in error.diagnostics:
                self.report.add(fault)

    def _result(self, source: int) -> Result | None:
        if source == -1:
            return Result(IMAGE, self.settings.channels, Fraction(1))
        return self.results[source]

    def _added(self, row: Row, sources: list[Result]) -> Result:
        name = f"{row.module.rpartition('.')[2].lower()}_{row.number}"
        if row.module == "CBLinear":
            return self._split(row, name, sources[0])
        if row.module == "CBFuse":
            made, names = joins.fuse(sources, row.arguments, row.arguments_span)
        else:
            is_legacy = not any(earlier.module in NEW for earlier in self.rows)
            made = make(row, sources, self.settings, is_legacy)
            names = [one.source for one in sources]
        if row.module == "Classify" and len(names) > 1:
            self.nodes[f"{name}_input"] = {"merge": "concat", "from": names}
            names = [f"{name}_input"]
        self._add_node(row, name, made, names)
        if made.outputs:
            self._end(name, made, sources if row.module in HEADS and made.has_feats else [])
        stride = sources[0].stride * made.stride
        self.areas.append((stride, made.areas))
        return Result(name, made.channels, stride)

    def _add_node(self, row: Row, name: str, made: Made, sources: list[str]) -> None:
        node = dict(made.node)
        op = next(iter(node))
        several = len(sources) > 1 or "merge" in node or row.module in HEADS
        number = times(row, self.settings)
        repeat = {"repeat": number} if number > 1 else {}
        node = {op: node.pop(op), "from": sources if several else sources[0], **node, **repeat}
        self.nodes[name] = node
        for block in made.blocks.values():
            self.blocks |= with_inner(inner_blocks(block))
        self.blocks |= made.blocks
        if "block" in node and node["block"] not in made.blocks:
            self.blocks |= with_inner([node["block"]])
        inside = [f".{index}" for index in range(number)] if number > 1 else [""]
        self.keys[name] = f"model.{row.number}"
        for place in inside:
            for ours, theirs in made.keys.items():
                self.keys[f"{name}{place}.{ours}"] = f"model.{row.number}{place}.{theirs}"

    def _split(self, row: Row, name: str, source: Result) -> Result:
        parts = joins.split(row.arguments, row.arguments_span)
        conv = {"layer": "Conv2d", "from": source.source, "out_channels": sum(parts)}
        self.nodes[name] = {**conv, "kernel_size": 1}
        split = {"layer": "Split", "from": name, "split_size_or_sections": list(parts), "dim": 1}
        self.nodes[f"{name}_parts"] = split
        self.keys[name] = f"model.{row.number}.conv"
        return Result(f"{name}_parts", sum(parts), source.stride, parts)

    def _end(self, name: str, made: Made, maps: list[Result]) -> None:
        """Add the outputs of a head, and the maps that it was given."""
        if made.outputs == {"logits": ""}:
            self.nodes["probabilities"] = {"layer": "Softmax", "from": name, "dim": 1}
            self.outputs = {"logits": name, "probabilities": "probabilities"}
            return
        self.outputs = {output: f"{name}.{port}" for output, port in made.outputs.items()}
        self.only_in_training = made.only_in_training
        self.outputs |= {f"feats_{index}": one.source for index, one in enumerate(maps)}
        self.notes += [Note("left-out", why, text, name) for why, text in made.left_out.items()]

    def model(self, name: str) -> ForeignModel:
        """Return the whole model."""
        last = self.results[-1]
        assert last is not None  # else there is a fault
        self._leave_out_unused([last.source, *self.outputs.values()])
        outputs: dict[str, Any] = dict(self.outputs)
        for output in self.only_in_training:
            outputs[output] = {"from": outputs[output], "only": "training"}
        is_classifier = self.rows[-1].module.lower() == "classify"
        spec = {
            "name": name,
            "params": dict(STATISTICS_OF_CLASSIFIERS if is_classifier else STATISTICS),
            "inputs": {IMAGE: [self.settings.channels, *self._sizes()]},
            "blocks": self._activated(),
            "nodes": self.nodes,
            "outputs": outputs or last.source,
        }
        return ForeignModel(spec, None, self.keys, tuple(self.notes))

    def _sizes(self) -> tuple[str, str]:
        """Return the height and width of the image: multiples for which no map has a rest."""
        needed = lcm(*(one.stride.numerator for one in self.results if one is not None))
        for stride, areas in self.areas:
            side = needed / stride
            needed *= areas // gcd(areas, (side * side).numerator)
        return (f"{needed}*H", f"{needed}*W") if needed > 1 else ("H", "W")

    def _activated(self) -> dict[str, Block]:
        """Return the blocks with the activation of the file."""
        if "Conv" in self.blocks:
            self.blocks["Conv"]["nodes"]["bn"]["activation"] = self.settings.activation
        return self.blocks

    def _leave_out_unused(self, used: list[str]) -> None:
        """Leave out the nodes that no output needs, with a note for each."""
        needed = {one.partition(".")[0] for one in used}
        for name, node in reversed(self.nodes.items()):
            if name in needed:
                given = node["from"] if isinstance(node["from"], list) else [node["from"]]
                needed.update(one.partition(".")[0] for one in given)
        for name in [name for name in self.nodes if name not in needed]:
            message = "no output needs it"
            self.notes.append(Note("left-out", "unused", message, name))
            del self.nodes[name]
            for key in [key for key in self.keys if key.partition(".")[0] == name]:
                del self.keys[key]
