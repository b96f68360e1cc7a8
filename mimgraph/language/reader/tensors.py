"""Read the tensors of the model itself: `buffer: [8]`, `arange: x`, `zeros: true`, `random: normal`."""

from __future__ import annotations

from mimgraph.ir.declared_graph import VALUE_OPTION, Apply, Source
from mimgraph.ir.names import CONSTANTS
from mimgraph.language.reader.context import Context
from mimgraph.language.reader.mappings import Entry, entries_of
from mimgraph.language.reader.sources import read_source, read_sources
from mimgraph.language.reader.uses import read_apply
from mimgraph.language.yaml_tree.tree import Mapping, Scalar, Sequence, Tree


def is_tensor(op: Entry) -> bool:
    """Return whether the entry of a node's operation is that of a tensor of the model."""
    return op[0].text in VALUE_OPTION


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
        message, help = f"{name} takes like, not from", f"write like: {source}"
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
        may_be_like = " or true" if key.text in CONSTANTS else ""
        wants = f"a list of sizes{may_be_like}"
        context.wrong_type("a shape", wants, value, here, _shape_help(key.text, value))
    return is_shape


def _shape_help(name: str, value: Tree) -> str:
    """Return how to write a shape that is a lone size, or the name of the source that has it."""
    if not isinstance(value, Scalar):
        return ""
    if type(value.value) is int:
        return f"write {name}: [{value.text}]"
    is_source = name in CONSTANTS and value.name is not None
    return f"write {name}: true, like: {value.text}" if is_source else ""
