"""Turn indexing of handles into nodes: `x[:, 0]` is a Select, `x[:, 2:5]` a Slice, `x[..., None]` an
Unsqueeze."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from types import EllipsisType
from typing import Any, Self, SupportsIndex, TypeAlias

from mimgraph.builder.handles.record_call import AppliesLayers
from mimgraph.builder.tracing.trace import note_refusal
from mimgraph.builder.tracing.watched import Watched
from mimgraph.builder.user_line import spec_error, user_line
from mimgraph.diagnostics import SpecError
from mimgraph.diagnostics.codes import DiagnosticCode
from mimgraph.ir.dim import Dim
from mimgraph.support.arguments import plain, shown
from mimgraph.support.entry_point import entry_points

Item: TypeAlias = SupportsIndex | slice | EllipsisType | None
ALL = slice(None)


@entry_points
class Indexing(AppliesLayers):
    """The indexing of a handle: as in torch, but for the batch."""

    __slots__ = ()

    def __getitem__(self, key: str | Item | tuple[Item, ...]) -> Self:
        """Return one of several results by the name of its port, or the part that torch would index.

        `lstm["last"]` is a port; so is `chunk[0]`, as a Chunk has several results and no default
        one. `x[:, 0]`, `x[:, 2:5]`, `x[..., None]` and their combinations are layers: the first axis
        is the batch, and stays whole.
        """
        if isinstance(key, str) or self._is_port(key):
            return self._port(str(key))
        items = list(key) if isinstance(key, tuple) else [key]
        before, after = _around_ellipsis(self, [_checked(self, item) for item in items])
        self._check_axes(before, after)
        found = self
        for position, item in _placed(before):
            found = found._at(position, item)
        for position, item in _placed(reversed(after)):
            found = found._at(-1 - position, item)
        return found

    def _is_port(self, key: object) -> bool:
        """Return whether a key is the number of a port, of a call that has no default result."""
        is_number = type(key) is not Watched and isinstance(key, int) and not isinstance(key, bool)
        return is_number and self.port is None and self.record.default is None

    def _port(self, port: str) -> Self:
        """Return one of several results."""
        if self.port is not None:
            raise TypeError(f"{self!r} is one tensor and has no ports")
        found = type(self)(self.record, port)
        found.typed()  # raises if there is no such port
        return found

    def _check_axes(self, before: list[Any], after: list[Any]) -> None:
        """Refuse an index of too many axes, or of the batch."""
        type_ = self.typed()
        count = sum(item is not None for item in (*before, *after))
        if count > type_.rank:
            message = f"{self!r} has {type_.rank} axes, and is indexed with {count}"
            raise _fault("rank-mismatch", message, "leave the last ones out")
        reaches_batch = type_.batched and (before or count == type_.rank)
        first = next(iter((*before, *after)), None) if reaches_batch else ALL
        if not _is_whole(first):
            raise _batch_fault(self, first)

    def _at(self, dim: int, item: Any) -> Self:
        """Return the result of the layer that one item of an index stands for."""
        if item is None:
            return self._applied("layer", "Unsqueeze", options={"dim": dim})
        if not isinstance(item, slice):
            return self._applied("layer", "Select", options={"dim": dim, "index": item})
        bounds = {"start": item.start, "end": item.stop, "step": item.step}
        given = {name: bound for name, bound in bounds.items() if bound is not None}
        return self._applied("layer", "Slice", options={"dim": dim, **given}) if given else self


def _around_ellipsis(handle: Indexing, items: list[Any]) -> tuple[list[Any], list[Any]]:
    """Return the items that count axes from the first, and those that count from the last."""
    places = [place for place, item in enumerate(items) if item is ...]
    if len(places) > 1:
        message = f"{handle!r} is indexed with more than one ..."
        raise _fault("wrong-type", message, "write one, for the axes left")
    place = places[0] if places else len(items)
    return items[:place], items[place + 1 :]


def _placed(items: Iterable[Any]) -> Iterator[tuple[int, Any]]:
    """Yield each item of an index with the number of axes that those before it leave."""
    position = 0
    for item in items:
        yield position, item
        if item is None or isinstance(item, slice):
            position += 1


def _is_whole(item: object) -> bool:
    """Return whether an item takes a whole axis, as `:` does."""
    return isinstance(item, slice) and item.start is item.stop is item.step is None


def _checked(handle: Indexing, item: Any) -> Any:
    """Return one item of an index, a number as Python's; refuse an item of another kind."""
    if type(item) is Watched or isinstance(item, Dim | slice) or item is None or item is ...:
        return item
    is_array = hasattr(item, "tolist")
    number = plain(item) if is_array else item
    if isinstance(number, int) and not isinstance(number, bool):
        return number
    what, help = shown(item), "write numbers, slices, None or ..."
    if isinstance(item, Indexing):
        help = "write merges.gather(x, index) or merges.take(x, index), and for a mask"
        help += " merges.masked_fill or merges.where"
    elif is_array or isinstance(item, list | tuple):
        help = "write merges.take(x, indices), where mg.Buffer declares the indices"
    raise _fault("wrong-type", f"{handle!r} cannot be indexed with {what}", help)


def _batch_fault(handle: Indexing, item: object) -> SpecError:
    """Return the error for an index of the first axis, the batch."""
    if item is None:
        message = f"the new axis would stand before the batch of {handle!r}"
        return _fault("bad-option", message, "write x[:, None]")
    help = "write x[:, 0], where : is the batch; a model takes samples, and the caller indexes them"
    message = f"the first axis of {handle!r} is the batch, which is not indexed"
    return _fault("bad-option", message, help)


def _fault(code: DiagnosticCode, message: str, help: str) -> SpecError:
    note_refusal()
    return spec_error(code, message, user_line(), help)
