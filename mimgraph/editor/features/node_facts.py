"""Collect the facts of a node for its hover: types, options, cost and emitted lines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cached_property

from mimgraph.cost.cost import Cost, Costs
from mimgraph.cost.limits import OF_A_FORWARD, used
from mimgraph.editor.analysis import Analysis
from mimgraph.editor.features.uses import Use
from mimgraph.editor.features.wording import listed, options_of, result_text, type_text
from mimgraph.emit.source_map import excerpts
from mimgraph.inspection.facts import ResolvedOption, block_params
from mimgraph.ir.typed_graph import Body, TypedNode
from mimgraph.ir.typed_operations import OneBody, Repeated, unwrap
from mimgraph.source import Excerpt
from mimgraph.summary import numbers
from mimgraph.summary.node_text import value_text
from mimgraph.summary.numbers import share_text, sizes_text

MOST_LINES = 40  # emitted lines that are shown
MOST_NODES = 1_000  # a larger graph is not emitted for a hover


class Facts:
    """The costs and the emitted source of a spec, computed when they are first asked for."""

    def __init__(self, analysis: Analysis) -> None:
        self.analysis = analysis

    @cached_property
    def _costs(self) -> Costs | None:
        """The costs of the graph, or of the known part of a wrong one."""
        typed = self.analysis.known_types
        return None if typed is None else Costs(typed)

    def total(self) -> Cost | None:
        """Return the cost of a correct spec."""
        return self._costs.total if self._costs and self.analysis.typed else None

    def limits(self) -> dict[str, str]:
        """Return how much of each limit is used, `11.7 M of 20 M (58%)`; nothing if a fault leaves out nodes."""
        typed, faults = self.analysis.known_types, self.analysis.diagnostics
        is_whole = self.analysis.typed is not None or all(f.code == "over-limit" for f in faults)
        if self._costs is None or typed is None or typed.limits is None or not is_whole:
            return {}
        at = sizes_text(typed.limits.sizes)
        return {
            one.name: share_text(one) + (at if one.name in OF_A_FORWARD else "")
            for one in used(typed.limits, self._costs)
        }

    def of_node(self, node: TypedNode) -> Cost | None:
        """Return the cost of a node; None inside of a block whose result is unknown."""
        with suppress(KeyError):
            return self._costs.node(node) if self._costs else None
        return None

    def of_body(self, body: Body) -> Cost | None:
        """Return the cost of one use of a block; None if its results are unknown."""
        return self._costs.body(body) if self._costs and body.results else None

    @cached_property
    def excerpts(self) -> Mapping[str, tuple[Excerpt, ...]]:
        """The emitted code of every node by its dotted name; nothing for a wrong or a very large spec."""
        typed = self.analysis.typed
        if typed is None or len(typed.body.nodes) > MOST_NODES:
            return {}
        return excerpts(typed)


def cost_text(cost: Cost | None) -> str:
    """Return parameters and multiply-accumulates in words, `1,024 parameters, 1,024·N MACs`; "" if there
    are none."""
    parts: list[str] = []
    if cost is None:
        return ""
    if cost.params:
        frozen = f" ({numbers.number(cost.frozen)} frozen)" if cost.frozen else ""
        parts.append(f"{numbers.number(cost.params)} parameters{frozen}")
    if cost.macs or cost.uncounted:
        parts.append(f"{numbers.macs(cost, numbers.short)} MACs")
    return ", ".join(parts)


def node_facts(facts: Facts, uses: Sequence[Use]) -> Iterator[str]:
    """Yield paragraphs of Markdown on a node: its results, options, cost and emitted lines."""
    if not uses:
        yield "*Its type is not known.*"
        return
    yield from _results(uses)
    first = uses[0]
    yield from _options(first)
    yield cost_text(facts.of_node(first.node))
    yield from _code(facts.excerpts.get(first.path, ()))


def _results(uses: Sequence[Use]) -> Iterator[str]:
    """Yield the results at each use, and the ports."""
    distinct = {result_text(use.node): use.path for use in reversed(uses)}
    if len(distinct) > 1:
        yield listed([f"`{path}`: `{text}`" for text, path in reversed(distinct.items())])
    node = uses[0].node
    if len(node.results) > 1:
        rows = [
            f"| `{port}` | `{type_text(type_)}` |{' default' if port == node.default else ''} |"
            for port, type_ in node.results.items()
        ]
        yield "\n".join(["| port | type | |", "|---|---|---|", *rows])


def _options(use: Use) -> Iterator[str]:
    """Yield a table of the options, or of the params of a block."""
    rows = [
        f"| `{o.name}` | `{_cell(o)}` | {o.origin} |"
        for o in (*options_of(use.node), *_params(use))
    ]
    if rows:
        yield "\n".join(["| option | value | |", "|---|---|---|", *rows])


def _params(use: Use) -> Iterator[ResolvedOption]:
    """Yield the params of the block that a node uses, at its first use."""
    whole = unwrap(use.node.operation)
    bodies: tuple[Body, ...] = whole.bodies
    if not bodies or whole.merge:
        return
    given = whole.settings[0] if isinstance(whole, OneBody | Repeated) and whole.settings else {}
    yield from block_params(bodies[0], given)


def _cell(option: ResolvedOption) -> str:
    return value_text(option.value).replace("|", "\\|")


def _code(found: Sequence[Excerpt]) -> Iterator[str]:
    """Yield the emitted lines, without whole classes that are long."""
    lines: list[str] = []
    for excerpt in found:
        text = excerpt.text.splitlines()
        if len(lines) + len(text) < MOST_LINES:
            lines += (f"# {excerpt.place}", *text)
    if lines:
        yield "\n".join(["```python", *lines, "```"])
