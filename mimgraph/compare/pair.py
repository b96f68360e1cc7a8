"""Find which inputs, nodes, ports and outputs of two compared bodies correspond."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any

from mimgraph.compare.equality import ValueNumbers
from mimgraph.compare.match import Source, renamed_source, same_names, source_of
from mimgraph.compare.match_parts import is_same_op, paired_branches
from mimgraph.compare.model import dotted
from mimgraph.cost.cost import Costs
from mimgraph.ir.expression import Expression, variables
from mimgraph.ir.typed_graph import Body, TypedGraph, TypedNode, Value
from mimgraph.ir.typed_operations import TypedOperation


class Comparison:
    """Two graphs that are compared, with their costs; each two bodies are paired once."""

    def __init__(self, old: TypedGraph, new: TypedGraph) -> None:
        self.roots = old.body, new.body
        self.costs = Costs(old), Costs(new)
        self.numbers = ValueNumbers()
        self._pairs: dict[tuple[Body, Body], Pair] = {}

    def pair(self, old: Body, new: Body, is_fusion: bool = False) -> Pair:
        """Return the pair of two bodies, made only once."""
        if (old, new) not in self._pairs:
            self._pairs[old, new] = Pair(self, old, new, is_fusion)
        return self._pairs[old, new]

    def inner_pairs(self, old: TypedOperation, new: TypedOperation) -> Iterator[Pair | None]:
        """Yield a pair for each two bodies that uses of a block have; None where those are equal."""
        for was, now in zip(old.modules, new.modules, strict=False):
            differ = self.numbers.body(was) != self.numbers.body(now)
            yield self.pair(was, now, bool(new.merge)) if differ else None


class Pair:
    """An old body and a new one.

    `names` are the new names of the old inputs and nodes that are there still, and, dotted, of
    ports that were renamed; `back` are the old names of the new inputs and nodes. The body of a
    fusion (`is_fusion`) is not in the spec: all of it follows from options and sources.
    """

    def __init__(self, comparison: Comparison, old: Body, new: Body, is_fusion: bool) -> None:
        self.comparison, self.old, self.new, self.is_fusion = comparison, old, new, is_fusion
        self.costs, self.numbers = comparison.costs, comparison.numbers
        self.names = same_names(old, new, self.numbers)
        self.back = {now: was for was, now in self.names.items()}
        for was, now in [*self.names.items()]:
            if was in old.by_name and now in new.by_name:
                ports = self.renamed_ports(old.by_name[was], new.by_name[now])
                self.names |= {dotted(was, p): dotted(now, port) for p, port in ports.items()}

    def does_same(self, old: TypedNode, new: TypedNode) -> bool:
        """Return whether two nodes compute the same from their sources."""
        return self.numbers.operation(old) == self.numbers.operation(new)

    def renamed_ports(self, old: TypedNode, new: TypedNode) -> dict[str, str]:
        """Return the ports of an old node that have another name now, with that name."""
        found: dict[str, str] = {}
        one, other = old.operation, new.operation
        if self.does_same(old, new) or not is_same_op(one, other):
            return {}
        for pair in dict.fromkeys(self.comparison.inner_pairs(one, other)):
            found |= {} if pair is None else pair.renamed_outputs
        for was, now in paired_branches(one, other, self.numbers):
            if was is not None and now is not None and was.name != now.name:
                found[was.name] = now.name
        return found

    @cached_property
    def outputs(self) -> dict[str, str]:
        """The new outputs that were there before, with their old names."""
        old, new = self.old.outputs, self.new.outputs
        if self.has_nameless_output:
            return {next(iter(new)): next(iter(old))}
        names = {name: name for name in new if name in old}
        left = {self.renamed(value): name for name, value in old.items() if name not in names}
        for name, value in new.items():
            if name not in names and (was := left.pop(self.source(value), None)) is not None:
                names[name] = was
        return names

    @property
    def renamed_outputs(self) -> dict[str, str]:
        """The old outputs that have another name now, with that name."""
        if self.has_nameless_output:
            return {}
        return {was: name for name, was in self.outputs.items() if was != name}

    @property
    def has_nameless_output(self) -> bool:
        """Whether the bodies are of a block with one output, whose name no reader uses."""
        return bool(self.new.family) and len(self.old.outputs) == len(self.new.outputs) == 1

    def source(self, value: Value) -> Source:
        """Return a new value as a source."""
        return source_of(self.new, value)

    def renamed(self, value: Value) -> Source:
        """Return an old value as a source, under its new name."""
        return renamed_source(source_of(self.old, value), self.names)

    def is_computed(self, old: Any, new: Any) -> bool:
        """Return whether one expression gave both values, so that a param or size changed."""
        return self.is_one_expression(*(getattr(value, "written", None) for value in (old, new)))

    def is_one_expression(self, old: Expression | None, new: Expression | None) -> bool:
        """Return whether the expressions are equal, and so is what their names stand for."""
        return (
            old is not None
            and old == new
            and all(
                _scope(v.name, self.old, self.comparison.roots[0])
                == _scope(v.name, self.new, self.comparison.roots[1])
                for v in variables(old)
            )
        )


def _scope(name: str, body: Body, root: Body) -> tuple[bool, bool]:
    """Return whether a name in an expression is of the body, not of the whole spec; and whether it
    is a param, not a size."""
    is_own = name in body.params or name in body.dims
    return is_own, name in (body if is_own else root).params
