"""Fold an axis of tensors into the batch, and take it out again: types, and the code that does it."""

from __future__ import annotations

from dataclasses import dataclass

from mimgraph.ir.code import Code, Constant, Slice, Subscript, Tuple
from mimgraph.ir.dims.dim import Size
from mimgraph.ir.types import BATCH, TensorType


@dataclass(frozen=True, slots=True)
class Fold:
    """An axis, counted from the batch as 0, that an operation runs over: `over: 1`.

    All sources with a batch have it in the same `size`. The operation runs on tensors without it, whose
    batch is `N * size`; its results get the axis back.
    """

    axis: int
    size: Size

    def __str__(self) -> str:
        """Return the words of tables and pictures: `over T`, or `over axis 1`."""
        name = str(self.size)
        return f"over {name}" if name.isidentifier() else f"over axis {self.axis}"

    @property
    def batch(self) -> Size:
        """The batch of the tensors that the operation sees."""
        return BATCH * self.size

    def fold(self, type_: TensorType) -> TensorType:
        """Return the type of a source without the axis; one without a batch stays as it is."""
        return type_.without_axis(self.axis - 1) if type_.batched else type_

    def unfold(self, type_: TensorType) -> TensorType:
        """Return the type of a result with the axis; one without a batch stays as it is."""
        if not type_.batched:
            return type_
        return type_.with_axis(self._place(type_.rank + 1) - 1, self.size)

    def _place(self, rank: int) -> int:
        """Return the index of the axis in a result of this rank: its own, or 1 in one that is too
        short."""
        return self.axis if self.axis < rank else 1

    def fold_code(self, source: Code) -> Code:
        """Return the code that folds the axis of a source: `x.flatten(0, 1)`."""
        return _moved(source, self.axis, 1).method("flatten", 0, 1)

    def unfold_code(self, result: Code, shape: Code, rank: int) -> Code:
        """Return the code that gives the axis back to a result, which has `rank` axes then:
        `y.unflatten(0, x.shape[:2])`; `shape` is that of a source."""
        sizes: Code = Subscript(shape, Slice(None, Constant(2)))
        if self.axis > 1:
            sizes = Tuple((shape.at(0), shape.at(self.axis)))
        return _moved(result.method("unflatten", 0, sizes), 1, self._place(rank))


def _moved(tensor: Code, axis: int, to: int) -> Code:
    """Return the code that moves an axis; of neighbours, `transpose` says it plainer."""
    if axis == to:
        return tensor
    if abs(axis - to) == 1:
        return tensor.method("transpose", min(axis, to), max(axis, to))
    return tensor.method("movedim", axis, to)
