"""Read `scan`: the inputs of a block that are read step by step, and those that are carried on."""

from __future__ import annotations

from mimgraph.ir.declared_graph import Scan, Source
from mimgraph.ir.declared_values import Option
from mimgraph.language.reader.context import Context
from mimgraph.language.reader.mappings import Entry
from mimgraph.language.reader.sources import read_source
from mimgraph.language.reader.values import read_option
from mimgraph.language.yaml_tree.tree import Mapping, Scalar, Tree, is_faulty

OVER = "write over: x, or with the axis of each input over: {x: 1}"
CARRY = "write the initial value of each carried input: carry: {h: h0}"


def read_scan(context: Context, op: Entry, tree: Mapping, here: str) -> Scan | None:
    """Return the axes and carried inputs of a node with `scan`; None if they cannot be read."""
    over, carry = tree.get("over"), tree.get("carry")
    if over is None:
        if not tree.lost:
            context.fault("missing-key", "scan needs over", op[0].span, help=OVER, node=here)
        return None
    if carry is not None and not isinstance(carry, Mapping):
        context.wrong_type("carry", "a mapping", carry, here, CARRY)
        return None
    carried = tuple(key.text for key, _ in carry.entries) if carry is not None else ()
    if _is_axis(over):
        assert isinstance(over, Scalar)
        return Scan({}, read_option(context, tree.key("over"), over), carried, over.span)
    axes = _axes(context, over, here)
    if axes is None or (carry is not None and carry.lost):
        return None
    twice = next((key for key in axes if key in carried), None)
    if twice is not None:
        message = f"{twice} is scanned, so it cannot be carried"
        assert carry is not None
        context.fault("bad-option", message, carry.key(twice).span, node=here)
        return None
    return Scan(axes, None, carried, over.span)


def scan_sources(
    context: Context, given: tuple[Source, ...] | None, tree: Mapping, here: str
) -> tuple[Source, ...] | None:
    """Return the sources of a scan: those that `from` gives, the names in `over` that it does not
    give, and the initial values in `carry`; None if one cannot be read."""
    if given is None and tree.get("from") is not None:
        return None
    names = {key.text: key for key in _scanned(tree.get("over"))}
    found: list[Source | None] = [_named(source, names) for source in given or ()]
    known = {source.argument for source in found if source is not None}
    found += [
        read_source(context, key, here, key) for name, key in names.items() if name not in known
    ]
    carry = tree.get("carry")
    for key, value in carry.entries if isinstance(carry, Mapping) else ():
        if key.text in known:
            message = f"{key.text} has a source in from already"
            context.fault("duplicate-key", message, key.span, node=here)
            return None
        found.append(read_source(context, value, here, key))
    complete = tuple(source for source in found if source is not None)
    return complete if len(complete) == len(found) else None


def _named(source: Source, scanned: dict[str, Scalar]) -> Source:
    """Return the source as that of the scanned input of its name, if it stands in a list."""
    if source.argument is not None or source.port is not None or source.name not in scanned:
        return source
    return source._replace(argument=source.name, argument_span=source.span)


def _is_axis(over: Tree) -> bool:
    """Return whether `over` is one axis, a number or `$axis`."""
    if not isinstance(over, Scalar) or is_faulty(over):
        return False
    return over.text.startswith("$") or type(over.value) is int


def _scanned(over: Tree | None) -> list[Scalar]:
    """Return the names of the scanned inputs, as they stand in `over`."""
    if over is None or _is_axis(over):
        return []
    if isinstance(over, Mapping):
        return [key for key, _ in over.entries]
    return [over] if isinstance(over, Scalar) and over.name is not None else []


def _axes(context: Context, over: Tree, here: str) -> dict[str, Option] | None:
    """Return the axis of each scanned input: that of a mapping, or 1 for a lone name."""
    if isinstance(over, Scalar) and over.name is not None:
        return {over.text: Option(1, over.span, over.span)}
    if isinstance(over, Mapping) and over.entries and not over.lost:
        return {key.text: read_option(context, key, value) for key, value in over.entries}
    if not (isinstance(over, Mapping) and over.lost):
        context.wrong_type("over", "the name of a source, or {name: axis}", over, here, OVER)
    return None
