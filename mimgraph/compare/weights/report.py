"""Say which weights carry over: as text for a terminal, as Markdown and as plain data."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mimgraph.compare.markdown import code
from mimgraph.compare.weights.plan import LayerCopy, OutputNews, Plan
from mimgraph.ir.tensor_copy import Along, TensorCopy, keeps_all, news
from mimgraph.support.columns import titled, wrapped
from mimgraph.support.entry_point import entry_points
from mimgraph.support.terminal import (
    BOLD,
    GREEN,
    NARROWEST,
    RED,
    WIDTH,
    YELLOW,
    line_width,
    padded,
    painter,
    printable,
    text_width,
)

COLORS = {"+": GREEN, "-": RED, "~": YELLOW, "=": BOLD}
MOST_SHOWN = 8  # layers or tensors that a line lists
MOST_TENSORS = 3  # of one fate in a layer
ZEROS = "padded with zeros"
LEAST = 30  # characters of a line for the words; without that room they are below the name

Row = tuple[str, str, str]  # sign, name, words


@entry_points
@dataclass(frozen=True)
class CarryReport:
    """Which tensors of a new graph carry over from an old one, by which rule, and which start anew.

    It prints as a table. `.data()` returns plain data, `.markdown()` a table for a pull request.
    """

    plan: Plan

    def __repr__(self) -> str:
        """Return the text as wide as the terminal, in ASCII if that has no other characters."""
        return printable(self.text(line_width(sys.stdout)))

    @property
    def carried(self) -> Mapping[str, str]:
        """For each key of the new graph that takes values from an old tensor, the key of that."""
        return {one.key: one.source for one in self.plan.copies if one.source is not None}

    @property
    def anew(self) -> tuple[str, ...]:
        """The keys of the new graph that start anew."""
        return tuple(one.key for one in self.plan.copies if one.source is None)

    @property
    def dropped(self) -> tuple[str, ...]:
        """The keys of the old graph that no tensor takes values from."""
        return tuple(self.plan.dropped)

    @property
    def equal_outputs(self) -> tuple[str, ...]:
        """The outputs with the same numbers as before for the same inputs, in evaluation; a longer output has
        them in its old positions."""
        return tuple(one.name for one in self.plan.outputs if not one.why)

    def text(self, width: int = WIDTH, color: bool = False) -> str:
        """Return the layers that changed, start anew or are dropped, and the outputs, with lines of at most
        `width` characters."""
        width, paint = max(width, NARROWEST), painter(color)
        lines = [*titled(f"Weights: {self._total()}", width, paint), ""]
        rows, outputs = [*self._rows()], [*map(_output_row, self.plan.outputs)]
        for sign, name, words in rows:
            lines += _lines(sign, name, words, width, rows, COLORS[sign] if color else "")
        lines += ["", paint(BOLD, "Outputs, in evaluation:")]
        for sign, name, words in outputs:
            lines += _lines(sign, name, words, width, outputs, COLORS[sign] if color else "")
        return "\n".join(lines)

    def markdown(self) -> str:
        """Return a table of the layers that changed and of the outputs."""
        rows = [
            *self._rows(),
            *((s, f"output {n}", w) for s, n, w in map(_output_row, self.plan.outputs)),
        ]
        cells = [f"| {sign} | {code(name)} | {code(words)} |" for sign, name, words in rows]
        head = ["| | weights | |", "| --- | --- | --- |"]
        return "\n".join([f"**Weights:** {self._total()}", "", *head, *cells, ""])

    def data(self) -> dict[str, Any]:
        """Return all tensors as plain data, for JSON."""
        return {
            "tensors": [
                _record(layer, copy) for layer in self.plan.layers for copy in layer.copies
            ],
            "dropped": [{"key": key, "shape": list(s)} for key, s in self.plan.dropped.items()],
            "outputs": [
                {"name": one.name, "equal": not one.why, "why": one.why, "kept": _listed(one.kept)}
                for one in self.plan.outputs
            ],
        }

    def _total(self) -> str:
        every = [*self.plan.copies]
        carried = [one for one in every if one.source is not None]
        changed = sum(1 for one in carried if one.axes)
        words = f"{len(carried)} of {len(every)} tensors carry over"
        words += f" ({changed} padded, cut or rearranged)" if changed else ""
        fresh = len(every) - len(carried)
        words += f", {fresh} start{'s' if fresh == 1 else ''} anew" if fresh else ""
        gone = len(self.plan.dropped)
        return words + (
            f"; {gone} of the old {'is' if gone == 1 else 'are'} dropped" if gone else ""
        )

    def _rows(self) -> Iterator[Row]:
        """Yield a row for each layer that changed, one for all others, and one for each that is gone."""
        same = [layer.path for layer in self.plan.layers if _is_same(layer)]
        if same:
            yield "=", _count(len(same), "layer"), f"as before: {_few(same)}"
        for layer in self.plan.layers:
            if not _is_same(layer):
                sign = "+" if not any(one.source is not None for one in layer.copies) else "~"
                yield sign, f"{layer.path} ({layer.op})", "; ".join(_words(layer))
        for owner, names in _by_owner(self.plan).items():
            yield "-", owner, f"dropped: {_few(names)}"


def _lines(
    sign: str, name: str, words: str, width: int, rows: Iterable[Row], color: str
) -> Iterator[str]:
    """Yield a row in lines, with the words of all rows below each other if there is room."""
    paint = painter(bool(color))
    widest = max(text_width(row[1]) for row in rows)
    start = f"{sign} {padded(name, widest)}  "
    named = f"{sign} {name}"
    if width - text_width(start) < LEAST:
        yield paint(color, named)
        yield from (f"    {line}" for line in wrapped(words, width - 4))
        return
    first, *more = wrapped(words, width - text_width(start))
    yield paint(color, named) + (start + first).removeprefix(named).rstrip()
    yield from (" " * text_width(start) + line for line in more)


def _output_row(output: OutputNews) -> Row:
    if output.why:
        return "~", output.name, f"may differ: {output.why}"
    if output.kept is not None:
        kept, every = output.kept
        return "=", output.name, f"equal to before in {kept} of {every} positions"
    return "=", output.name, "equal to before"


def _is_same(layer: LayerCopy) -> bool:
    """Return whether a layer has its name and all tensors as they were."""
    return layer.was == layer.path and all(
        c.source is not None and not c.axes for c in layer.copies
    )


def _words(layer: LayerCopy) -> Iterator[str]:
    """Yield in words how a layer and its tensors changed, tensors with the same change together."""
    if layer.was is not None and layer.was != layer.path:
        yield f"{_name_rule(layer.was, layer.path)} from {layer.was}"
    if all(one.source is None for one in layer.copies):
        sizes = [
            _sizes(layer, one) for one in layer.copies if one.shapes[0] not in (None, one.shapes[1])
        ]
        yield "starts anew" + (f": {_few(sizes, MOST_TENSORS)}" if sizes else "")
        return
    fates: dict[str, list[str]] = {}
    for copy in layer.copies:
        if copy.source is None:
            fates.setdefault("new", []).append(_sizes(layer, copy))
        elif copy.axes:
            fates.setdefault(_and(_rules(copy)), []).append(_sizes(layer, copy))
    yield from (f"{fate}: {_few(tensors, MOST_TENSORS)}" for fate, tensors in fates.items())


def _sizes(layer: LayerCopy, copy: TensorCopy) -> str:
    """Return the name of a tensor in its layer, and its shape if that is another one now."""
    old, new = copy.shapes
    return _name(layer, copy) if old in (None, new) else f"{_name(layer, copy)} {old} → {new}"


def _name(layer: LayerCopy, copy: TensorCopy) -> str:
    return copy.key[len(layer.path) :].lstrip(".") or copy.key


def _name_rule(was: str, path: str) -> str:
    """Return whether a layer has another name where it was, or is somewhere else."""
    return "renamed" if was.rpartition(".")[0] == path.rpartition(".")[0] else "moved"


def _rules(copy: TensorCopy) -> list[str]:
    """Return the rules by which a tensor changed: cut, padded, padded with zeros, rearranged."""
    old = copy.shapes[0] or copy.shapes[1]
    found = dict.fromkeys(
        rule for axis, along in sorted(copy.axes.items()) for rule in _of(along, old[axis])
    )
    if "padded" in found and ZEROS in found:
        found = {rule: None for rule in found if rule != "padded"}
    return [*found]


def _of(along: Along, old: int) -> Iterator[str]:
    starts = [start for start, _ in along.positions if start is not None]
    if not keeps_all(along.positions, old):
        yield "cut"
    if starts != sorted(starts):
        yield "rearranged"
    if any(True for _ in news(along.positions)):
        yield ZEROS if along.zero else "padded"


def _and(words: list[str]) -> str:
    return " and ".join(words)


def _record(layer: LayerCopy, copy: TensorCopy) -> dict[str, Any]:
    """Return a tensor as plain data; its rules are empty if it carries over as it is."""
    rules = _rules(copy) if copy.source is not None else ["anew"]
    if copy.source is not None and layer.was is not None and layer.was != layer.path:
        rules = [_name_rule(layer.was, layer.path), *rules]
    old, new = copy.shapes
    return {
        "key": copy.key,
        "from": copy.source,
        "rules": rules,
        "shape": {"old": _listed(old if copy.source is not None else None), "new": list(new)},
    }


def _listed(sizes: tuple[int, ...] | None) -> list[int] | None:
    return None if sizes is None else list(sizes)


def _by_owner(plan: Plan) -> dict[str, list[str]]:
    """Return the names of the old tensors that are dropped, by the path of their module."""
    paths, found = set(plan.paths), dict[str, list[str]]()
    for key in plan.dropped:
        owner = key
        while owner and owner not in paths:
            owner = owner.rpartition(".")[0]
        name = key.removeprefix(f"{owner}.")
        found.setdefault(owner or key, []).append(name)
    return found


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _few(names: list[str], most: int = MOST_SHOWN) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
