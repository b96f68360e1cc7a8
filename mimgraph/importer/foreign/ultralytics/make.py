"""Make what a row becomes: find its module, complete its arguments, and call its function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mimgraph.diagnostics.nearest import suggestion
from mimgraph.importer.foreign.located import refuse
from mimgraph.importer.foreign.ultralytics import joins
from mimgraph.importer.foreign.ultralytics.arguments import bind
from mimgraph.importer.foreign.ultralytics.heads import HEADS, Levels
from mimgraph.importer.foreign.ultralytics.made import Made, Result
from mimgraph.importer.foreign.ultralytics.modules import MODULES
from mimgraph.importer.foreign.ultralytics.rows import Row
from mimgraph.importer.foreign.ultralytics.settings import Settings

# the scales at which a module has more inside, and the arguments from a position on that say so
DEEPER: dict[str, tuple[str, slice, list[Any]]] = {
    "C3k2": ("mlx", slice(3, 4), [True]),
    "A2C2f": ("lx", slice(1_000, None), [True, 1.2]),
}


def make(row: Row, sources: list[Result], settings: Settings, legacy: bool) -> Made:
    """Return what a row becomes; `legacy` is whether all modules before it are of version 9 or older."""
    for one in sources:
        if one.parts:
            refuse(
                "wrong-arity", f"{row.module} cannot read {one.source}, which is split", row.span
            )
    if row.module == "Concat":
        return _concat(row, sources)
    if row.module in HEADS:
        return _head(row, sources, settings, legacy)
    if row.module in MODULES:
        if row.module != "Classify":
            _refuse_list(row)
        arguments = _completed(row, sum(one.channels for one in sources), settings)
        return _call(MODULES[row.module].make, arguments, row)
    if row.module.startswith("nn."):
        _refuse_list(row)
        given = row.arguments
        return joins.torch_layer(row.module[3:], given, sources[0].channels, row.arguments_span)
    choices = [*MODULES, *HEADS, "Concat", "CBLinear", "CBFuse"]
    message = f"the module {row.module:.40} cannot be read"
    refuse("unknown-layer", message, row.module_span, suggestion(row.module, choices))


def times(row: Row, settings: Settings) -> int:
    """Return how often the module of a row stands there; some take the number as an argument."""
    known = MODULES.get(row.module)
    return 1 if known and known.repeats_at is not None else settings.repeated(row.repeats)


def _concat(row: Row, sources: list[Result]) -> Made:
    dim = row.arguments[0] if row.arguments else 1
    if dim not in (1, -3) or len(row.arguments) > 1:
        refuse("bad-option", "Concat joins channels only, [1]", row.arguments_span)
    return Made({"merge": "concat"}, sum(one.channels for one in sources))


def _head(row: Row, sources: list[Result], settings: Settings, legacy: bool) -> Made:
    levels = Levels(
        [one.channels for one in sources],
        [one.stride for one in sources],
        *(settings.reg_max, settings.end2end, legacy),
    )
    given = list(row.arguments)
    if row.module.startswith("Segment") and len(given) > 2 and type(given[2]) is int:
        given[2] = settings.scaled(given[2])
    return _call(HEADS[row.module], [levels, *given], row)


def _completed(row: Row, channels: int, settings: Settings) -> list[Any]:
    """Return the arguments of a module with those that a row does not write."""
    known, given = MODULES[row.module], list(row.arguments)
    if known.takes == "scaled":
        if not given or type(given[0]) is not int:
            refuse("bad-option", f"{row.module} takes channels first", row.arguments_span)
        if row.module != "Classify":
            given[0] = settings.scaled(given[0])
    if known.takes != "row":
        given.insert(0, channels)
    if known.repeats_at is not None:
        given.insert(known.repeats_at, settings.repeated(row.repeats))
    if row.module in DEEPER:
        scales, place, more = DEEPER[row.module]
        if settings.scale and settings.scale in scales:
            given[place] = more
    return given


def _call(function: Callable[..., Made], arguments: list[Any], row: Row) -> Made:
    bound = bind(function, arguments, row.module, row.arguments_span)
    try:
        return function(**bound)
    except ValueError as error:
        refuse("bad-option", str(error), row.arguments_span)


def _refuse_list(row: Row) -> None:
    if row.takes_list:
        refuse("wrong-arity", f"{row.module} reads one row, not a list", row.span)
