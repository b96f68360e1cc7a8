"""The names of a spec as symbols, and the places where each stands."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from mimgraph.language.yaml_tree.tree import Mapping, Scalar, Tree
from mimgraph.source import Span

if TYPE_CHECKING:
    from mimgraph.language.occurrences.scopes import Scopes

Kind: TypeAlias = Literal["input", "node", "param", "size", "block", "output", "port", "variable"]


class Symbol(NamedTuple):
    """One thing that has a name: an input, node, param or size of the spec or of a `block`, a block,
    an output, a port of an `each`, or a variable of a formula.

    The last two belong to a `node`. `part` is the path of the part, as the spec writes it, that declares
    the name; "" if the spec does.
    """

    kind: Kind
    name: str
    block: str = ""
    node: str = ""
    part: str = ""

    @property
    def path(self) -> str:
        """Its name behind the names of its block and node: `residual.conv`."""
        inside = self.kind in ("port", "variable")
        names = (self.block, self.node if inside else "", self.name)
        return ".".join(name for name in names if name)


class Site(NamedTuple):
    """A source in a list, or alone, whose name is also that of something else: of a port of an `each`,
    a variable of a formula, an output, or a scanned input of a block.

    `whole` is the value of `key` that holds it, in the mapping `around`: a node, or what has the outputs.
    """

    key: Scalar
    whole: Tree
    item: Scalar
    around: Mapping


class Occurrence(NamedTuple):
    """A place where the name of a symbol stands; at a `site`, two symbols have one place.

    `implied` is the symbol that has its name from the source that stands there.
    """

    symbol: Symbol
    span: Span
    defines: bool = False
    site: Site | None = None
    implied: bool = False


@dataclass(frozen=True)
class Occurrences:
    """All occurrences in one text, in order, and the scopes in which its names hold."""

    all: tuple[Occurrence, ...]
    scopes: Scopes

    @property
    def parts(self) -> dict[str, str]:
        """The paths of its parts, by the names of their blocks."""
        return self.scopes.parts

    @cached_property
    def by_symbol(self) -> dict[Symbol, list[Occurrence]]:
        """The occurrences of each symbol."""
        found: dict[Symbol, list[Occurrence]] = {}
        for one in self.all:
            found.setdefault(one.symbol, []).append(one)
        return found

    def of(self, symbol: Symbol) -> list[Occurrence]:
        """Return the occurrences of a symbol."""
        return self.by_symbol.get(symbol, [])

    def defined(self) -> Iterator[Symbol]:
        """Yield every symbol that has a definition here."""
        for symbol, places in self.by_symbol.items():
            if any(one.defines for one in places):
                yield symbol

    def at(self, line: int, column: int) -> list[Occurrence]:
        """Return the occurrences at a place, which may be right behind the name; implied ones come last."""
        here = (line, column)
        found = [one for one in self.all if one.span[1:3] <= here <= one.span[3:5]]
        return sorted(found, key=lambda one: one.implied)


def definitions(places: Iterable[Occurrence]) -> list[Occurrence]:
    """Return the first occurrence that defines a symbol: the explicit ones, or else what implies it."""
    found = [one for one in places if one.defines]
    explicit = [one for one in found if not one.implied]
    return (explicit or found)[:1]
