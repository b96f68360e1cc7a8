"""The difference of two graphs as data: what the author changed, what follows from it, and where."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, NamedTuple, TypeAlias

from mimgraph.compare.equality import comparable
from mimgraph.cost.cost import Cost
from mimgraph.ir.typed_graph import TypedNode
from mimgraph.ir.types import TensorType

Status: TypeAlias = Literal["added", "removed", "changed", "follows"]
Kind: TypeAlias = Literal["graph", "param", "input", "node", "block", "output"]


class Edit(NamedTuple):
    """A value that differs, old and new; None where there was or is none.

    A value `of_sizes` is computed from sizes of the sources, and from nothing that an author gives.
    """

    what: str
    old: Any
    new: Any
    of_sizes: bool = False

    @property
    def is_of_type(self) -> bool:
        """Whether it is about the shape or dtype of a result."""
        return self.what.split()[-1] in ("shape", "dtype")


@dataclass(frozen=True, slots=True)
class Change:
    """The change of one node, input, output, param or block.

    `edits` are what the author changed, `effects` what follows from those or from other changes.
    `name` is dotted, and the old one of something removed; `was` is the old name if it had another.
    A change that is the same in several places is listed once, with their number `times`: `name` is
    the first of them, `label` stands for all, `residual.conv` or `emb.*`. `costs` are the old and
    the new cost, of all places together.
    """

    status: Status
    kind: Kind
    name: str
    op: str = ""
    was: str = ""
    edits: tuple[Edit, ...] = ()
    effects: tuple[Edit, ...] = ()
    costs: tuple[Cost, Cost] = (Cost(), Cost())
    label: str = ""
    times: int = 1

    @property
    def params(self) -> tuple[int, int]:
        """The old and the new number of learned elements."""
        return self.costs[0].params, self.costs[1].params

    @property
    def shown_name(self) -> str:
        """The name, or the label if it is the same in several places."""
        return self.name if self.times == 1 else self.label


class InnerBody(NamedTuple):
    """The changes inside a node: the old and the new prefix of names there, how many modules in a row
    have these changes, and how often these modules ran and run (more often if they are shared)."""

    was: str
    name: str
    inside: BodyChanges
    times: int
    runs: tuple[int, int]


@dataclass(slots=True, eq=False)
class BodyChanges:
    """The changes inside a body, under the names that it uses itself.

    `family` is the name of its block; `renamed` has the old and new names of renamed inputs, nodes
    and items.
    """

    family: str
    changes: list[Change] = field(default_factory=list)
    inner: list[InnerBody] = field(default_factory=list)
    renamed: dict[str, str] = field(default_factory=dict)

    def everywhere(self, was: str = "", name: str = "") -> Iterator[Change]:
        """Yield every change at each place where a picture shows it; equal repeats are shown as one."""
        for change in self.changes:
            prefix = was if change.status == "removed" else name
            old = dotted(was, change.was or change.name)
            yield replace(change, name=dotted(prefix, change.name), was=old)
        for inner in self.inner:
            yield from inner.inside.everywhere(dotted(was, inner.was), dotted(name, inner.name))

    def names(self, was: str = "", name: str = "") -> Iterator[tuple[str, str]]:
        """Yield the old and new dotted names of all that was renamed, in inner bodies too."""
        for old, new in self.renamed.items():
            yield dotted(was, old), dotted(name, new)
        for inner in self.inner:
            yield from inner.inside.names(dotted(was, inner.was), dotted(name, inner.name))


@dataclass(frozen=True, slots=True)
class Difference:
    """All that changed between two graphs; false if nothing did.

    `names`, `constraints` and `costs` have the old and the new: the names of the graphs, the
    constraints at run time that only one of them has, and the costs of the whole.
    """

    names: tuple[str, str]
    changes: tuple[Change, ...]
    constraints: tuple[tuple[str, ...], tuple[str, ...]]
    costs: tuple[Cost, Cost]
    inside: BodyChanges

    def __bool__(self) -> bool:
        return bool(self.changes)


def dotted(prefix: str, name: str) -> str:
    """Return both with a dot between them, or the one that is not empty."""
    return f"{prefix}.{name}" if prefix and name else prefix or name


def edits(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Edit]:
    """Yield an edit for each name that has another value, or that one of the records lacks."""
    for name in dict.fromkeys((*old, *new)):
        if comparable(old.get(name)) != comparable(new.get(name)):
            yield Edit(name, old.get(name), new.get(name))


def type_edits(old: Mapping[str, TensorType], new: Mapping[str, TensorType]) -> Iterator[Edit]:
    """Yield the edits of shapes and dtypes, by port; only of shapes where one side has no results."""
    for what in ("shape", "dtype") if old and new else ("shape",):
        was, now = (
            {f"{port} {what}".strip(): str(getattr(type_, what)) for port, type_ in types.items()}
            for types in (old, new)
        )
        yield from edits(was, now)


def compared_results(node: TypedNode) -> Mapping[str, TensorType]:
    """Return the default result as the port "", or every result where none is the default."""
    return node.results if node.type is None else {"": node.type}
