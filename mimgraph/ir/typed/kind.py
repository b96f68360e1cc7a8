"""The protocol of typed operations: the nodes that a kind runs and keeps, and how it is rebuilt."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from operator import is_
from typing import TYPE_CHECKING, Any, Self

from mimgraph.ir.code import Code
from mimgraph.ir.dims.dim import Size

if TYPE_CHECKING:
    from mimgraph.ir.typed.graph import Body, TypedNode


class TypedKind:
    """The base of every kind of operation, with the properties that passes read.

    An operation runs `items`, which are nodes, or `bodies`, which are graphs, or neither. Its
    `parts` are the items or bodies whose modules its own module keeps.
    """

    __slots__ = ()

    # identity

    @property
    def op_name(self) -> str:
        """The name of the operation: `Conv2d`, `concat`, `seq`, or the name of a block."""
        raise NotImplementedError

    @property
    def op(self) -> tuple[str, str] | None:
        """The kind and name of the op in the registry, `("layer", "Conv2d")`, if it is one."""
        return None

    @property
    def is_block(self) -> bool:
        """Whether it runs bodies, even if it runs them zero times."""
        return False

    @property
    def merge(self) -> str:
        """The merge of the registry whose implementation its body is, or ""."""
        return ""

    @property
    def activation(self) -> Code | None:
        """The activation of the default result, with INPUT as operand."""
        return None

    @property
    def activation_name(self) -> str:
        return ""

    @property
    def settings(self) -> tuple[Mapping[str, Any], ...]:
        """The options or params that each run is given."""
        return ()

    @property
    def traits(self) -> tuple[Hashable, ...]:
        """The values that distinguish it from others of its kind, besides items, bodies and settings."""
        return ()

    # items and bodies

    @property
    def items(self) -> tuple[TypedNode, ...]:
        """The nodes that it runs, named as in its module."""
        return ()

    @property
    def steps(self) -> tuple[TypedNode, ...]:
        """The items, if they run in a row, each fed by the one before."""
        return ()

    @property
    def branches(self) -> tuple[TypedNode, ...]:
        """The items, if they run side by side, each on a source and result of its name."""
        return ()

    @property
    def copies(self) -> int:
        """The number of branches if they are copies on one source, which a spec gives by their number;
        else 0."""
        return 0

    def branch(self, port: str) -> TypedNode | None:
        """Return the branch of that name."""
        return None

    @property
    def sole(self) -> TypedNode | None:
        """The branch whose module is that of all branches, if they have one module."""
        return None

    @property
    def bodies(self) -> tuple[Body, ...]:
        """The bodies that it runs one after the other."""
        return ()

    @property
    def shared(self) -> bool:
        """Whether all its bodies are one module."""
        return False

    @property
    def loops(self) -> Size:
        """The number of times that it runs one module: a named size is known only at run time."""
        return 1

    # modules

    def key(self, index: int) -> str:
        """Return the key of the body at an index, "" if that is the module itself."""
        return ""

    @property
    def is_list(self) -> bool:
        """Whether its module is a list, whose keys are numbers from 0."""
        return False

    def parts(self) -> Iterator[tuple[str, TypedNode | Body]]:
        """Yield the parts that the module keeps, each with its key; a part that is the module
        itself has ""."""
        yield from self._own_items()
        for index, body in enumerate(self.modules):
            yield self.key(index), body

    def _own_items(self) -> Iterator[tuple[str, TypedNode]]:
        if self.sole is not None:
            yield "", self.sole
        else:
            yield from ((item.name, item) for item in self.items)

    def part(self, key: str) -> TypedNode | Body | None:
        """Return the part under a key; a node of the body, if the body is the module itself."""
        return None

    @property
    def modules(self) -> tuple[Body, ...]:
        """The bodies with modules of their own: the first if all share one module, else all."""
        return self.bodies[:1] if self.shared else self.bodies

    def inner(self) -> Iterator[tuple[str, TypedNode]]:
        """Yield the nodes that the module keeps, each by its dotted key: `0`, `conv`, `2.conv`."""
        yield from self._own_items()
        for index, body in enumerate(self.modules):
            key = self.key(index)
            yield from ((f"{key}.{node.name}".strip("."), node) for node in body.nodes)

    @property
    def has_state(self) -> bool:
        """Whether its module has weights or buffers, in inner nodes too."""
        return any(node.operation.has_state for _, node in self.inner())

    # rebuilding

    def with_items(self, items: tuple[TypedNode, ...]) -> Self:
        """Return the operation with these items in place of its own."""
        return self

    def map_items(self, change: Callable[[TypedNode], TypedNode]) -> Self:
        """Return the operation with every item changed; itself if none is."""
        items = tuple(map(change, self.items))
        return self if all(map(is_, items, self.items)) else self.with_items(items)
