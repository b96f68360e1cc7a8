"""Read tensors of the model, `buffer: [8]` or `arange: x`, and scans: both have sources of their own."""

from __future__ import annotations

from mimgraph.declare.tree import Mapping, Scalar, Sequence, Tree, is_faulty
from mimgraph.declare.uses import read_apply
from mimgraph.declare.values import (
    Context,
    Entry,
    entries_of,
    read_option,
    read_source,
    read_sources,
)
from mimgraph.diagnostics.text import MAPPING, code, put, write
from mimgraph.ir.declared_graph import VALUE_OPTION, Apply, Scan, Source
from mimgraph.ir.declared_values import Option
from mimgraph.ir.grammar import CONSTANTS


def read_tensor_sources(
    context: Context, op: Entry, tree: Mapping, here: str
) -> tuple[Source, ...] | None:
    """Return the source from which the shape of a tensor follows, if it has one; None if that cannot
    be read."""
    key, value = op
    if key.text in CONSTANTS and (like := tree.get("like")) is not None:
        source = read_source(context, like, here)
        return None if source is None else (source,)
    if key.text == "arange" and not _is_number(value):
        return read_sources(context, value, here)
    from_ = tree.get("from") if key.text in ("parameter", "buffer") else None
    return () if from_ is None else read_sources(context, from_, here)  # inference reports it


def read_tensor(
    context: Context, op: Entry, tree: Mapping, beside: tuple[str, ...], here: str
) -> Apply | None:
    """Return a tensor with its options, of which the value of its key is one, unless it is a source;
    `beside` are the keys of any node."""
    key = op[0]
    option = VALUE_OPTION[key.text]
    own = (key.text, *beside, *(("like",) if key.text in CONSTANTS else ()))
    rest = {k: entry for k, entry in entries_of(tree).items() if k not in own}
    if option in rest:
        message = f"{key.text} takes its {option} as its value"
        help = f"write {key.text}: {'[sizes]' if option == 'shape' else '...'}"
        context.fault("unknown-option", message, rest[option][0].span, help=help, node=here)
        return None
    if key.text in ("parameter", "buffer"):
        rest.pop("from", None)  # inference reports it
    elif "from" in rest:
        _report_from(context, key.text, rest["from"], here)
        return None
    if option == "shape" and not _is_shape(context, op, here):
        return None
    if not _is_source(op):
        rest = {option: op, **rest}
    return read_apply(context, "tensor", key.text, key.span, rest, here)


def _report_from(context: Context, name: str, entry: Entry, here: str) -> None:
    """Report `from` beside a tensor whose source has another key."""
    key, value = entry
    message, help = "arange takes its source as its value", "write arange: source"
    if name in CONSTANTS:
        source = value.text if isinstance(value, Scalar) else "NAME"
        message, help = f"{name} takes like, not from", f"write {put('like')}: {source}"
    context.fault("unknown-key", message, key.span, help=help, node=here)


def _is_source(op: Entry) -> bool:
    """Return whether the value of a tensor's key is no option: the source of an `arange`, or `true`,
    which stands for the shape of a source."""
    key, value = op
    if key.text == "arange":
        return not _is_number(value)
    has_shape = VALUE_OPTION[key.text] == "shape" and key.text in CONSTANTS
    return has_shape and isinstance(value, Scalar) and value.value is True


def _is_number(value: Tree) -> bool:
    """Return whether a value is a number, or an expression for one."""
    if not isinstance(value, Scalar):
        return False
    return type(value.value) in (int, float) or "$" in value.text


def _is_shape(context: Context, op: Entry, here: str) -> bool:
    """Return whether a value may be a shape; report it if not."""
    key, value = op
    is_shape = isinstance(value, Sequence) or "$" in getattr(value, "text", "") or _is_source(op)
    if not is_shape:
        may_be_like = f" or {code('true')}" if key.text in CONSTANTS else ""
        wants = f"a list of sizes{may_be_like}"
        context.wrong_type("a shape", wants, value, here, _shape_help(key.text, value))
    return is_shape


def _shape_help(name: str, value: Tree) -> str:
    """Return how to write a shape that is a lone size, or the name of the source that has it."""
    if not isinstance(value, Scalar):
        return ""
    if type(value.value) is int:
        return write(f"{name}: [{value.text}]")
    is_source = name in CONSTANTS and value.name is not None
    return write(f"{name}: true, like: {value.text}") if is_source else ""


# Read `scan`: the inputs of a block that are read step by step, and those that are carried on.


OVER = f"write {put('over: x', 'over=1')}, or with the axis of each input {put('over: {x: 1}')}"
CARRY = f"write the initial value of each carried input: {code('carry: {h: h0}')}"


def read_scan(context: Context, op: Entry, tree: Mapping, here: str) -> Scan | None:
    """Return the axes and carried inputs of a node with `scan`; None if they cannot be read."""
    over, carry = tree.get("over"), tree.get("carry")
    if over is None:
        if not tree.lost:
            context.fault("missing-key", "scan needs over", op[0].span, help=OVER, node=here)
        return None
    if carry is not None and not isinstance(carry, Mapping):
        context.wrong_type("carry", f"a {MAPPING}", carry, here, CARRY)
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
    is_number = isinstance(over.value, int) and not isinstance(over.value, bool)
    return is_number or over.text.startswith("$")


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
