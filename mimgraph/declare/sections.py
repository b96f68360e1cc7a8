"""Read the sections beside nodes: params, inputs with their shapes, and outputs."""

from __future__ import annotations

from collections import abc
from typing import Any

from mimgraph.declare.tree import MAX_INT, MIN_INT, Mapping, Scalar, Sequence, Tree, is_faulty
from mimgraph.declare.values import (
    Context,
    as_list,
    check_keys,
    faulty_option,
    is_expression,
    read_mapping,
    read_option,
    read_source,
    read_switch,
    read_text,
    read_value,
    section_entries,
)
from mimgraph.diagnostics import Diagnostic, Label
from mimgraph.diagnostics.text import MAPPING, code, drop, write
from mimgraph.ir.declared_graph import BlockInput, DeclaredLimits, Input, InputShape, Output, Source
from mimgraph.ir.declared_values import (
    ANOTHER,
    FAULTY,
    OTHERS,
    LinearSize,
    Option,
    Template,
    Written,
    is_computed,
    parse_size,
    size_help,
)
from mimgraph.ir.expression import ExpressionError
from mimgraph.ir.grammar import NODE_WORDS, PLACES
from mimgraph.ir.names import name_fault, param_fault
from mimgraph.ir.types import DTYPES, INTEGER, dtype_help
from mimgraph.source import Span

_NO_NUMBER = f"a string, {code('true')}, {code('false')} or a list"
PARAM = f"a number, {_NO_NUMBER}"


def read_params(
    context: Context, tree: Tree | None, overrides: abc.Mapping[str, Any]
) -> dict[str, Option]:
    """Return the params of a spec in order, with the overrides."""
    if tree is None:
        return {}
    params = _read(context, tree, read_mapping(context, "params", tree), ())
    for key, _ in tree.entries if isinstance(tree, Mapping) else ():
        if key.text in overrides:
            option = params[key.text]
            params[key.text] = given_option(context, key, option, overrides[key.text])
    return params


def given_option(context: Context, key: Scalar, option: Option, value: Any) -> Option:
    """Return a param with the value that a caller gives."""
    return option._replace(value=_override(context, key, value), part=None)


def read_block_params(context: Context, tree: Tree | None) -> dict[str, Option]:
    """Return the params of a block in order; they may not have the name of a key of a node."""
    found = read_mapping(context, "params", tree, _with_null_values(tree))
    return _read(context, tree, found, NODE_WORDS)


def _read(
    context: Context, tree: Tree | None, params: Mapping | None, reserved: tuple[str, ...]
) -> dict[str, Option]:
    """Return the params in order; a param whose key cannot be read has a faulty value."""
    found: dict[str, Option] = {}
    for key, value in params.entries if params else ():
        reason = param_fault(key.text)
        if key.text in reserved:
            reason = f"nodes have a key {key.text} of their own"
        if reason is not None:
            context.fault(
                "bad-name", f"{key.text!r} cannot be the name of a param", key.span, help=reason
            )
            context.misnamed.add(key.text)
        found[key.text] = _read_param(context, key, value, bool(reserved))
    lost = (OTHERS,) if tree is not None and params is None else params.lost if params else ()
    for name in lost:
        found.setdefault(name, faulty_option(params.span if params else context.origin))
    return found


def _read_param(context: Context, key: Scalar, tree: Tree, is_in_block: bool) -> Option:
    """Return a param, one of a spec also with a search space."""
    if not isinstance(tree, Mapping):
        return read_option(context, key, tree)
    from mimgraph.declare.search_space import is_space, read_searched  # needed by few specs

    if is_space(tree) and not is_in_block:
        return read_searched(context, key, tree)
    help = f"a search is written {code('{search: [64, 128], default: 64}')}"
    if is_in_block:
        help = f"search a param of the spec, and give its value here: {key.text}: $NAME"
    context.wrong_type("a param", PARAM, tree, help=help if is_space(tree) else "")
    return faulty_option(tree.span)._replace(key=key.span)


def _override(context: Context, key: Scalar, value: Any) -> Any:
    """Return the value that a caller gives to a param, converted as if it stood in the spec."""
    match value:
        case Written() | Template() | None | float() | bool():
            return value
        case int() if MIN_INT <= value <= MAX_INT:
            return value
        case str():
            return read_value(context, Scalar(value, key.span, value, plain=False))
        case list() | tuple():
            return [_override(context, key, item) for item in value]
    message = f"the value given for {key.text} is {value!r}"
    help = f"a param must be a number of at most 64 bits, {_NO_NUMBER}"
    context.fault("wrong-type", message, key.span, help=help)
    return FAULTY


def _with_null_values(tree: Tree | None) -> str:
    """Return how to write the params of a block if they are names alone: `write {width: null}`."""
    items = tree.items if isinstance(tree, Sequence) else (tree,)
    names = [item.name if isinstance(item, Scalar) else None for item in items]
    if not names or not all(names):
        return ""
    return write(f"{{{', '.join(f'{name}: null' for name in names)}}}")


# Read shapes.


def read_shape(context: Context, tree: Tree) -> InputShape | None:
    """Return a shape of sizes, names and expressions; None if it cannot be read."""
    if isinstance(tree, Sequence):
        return read_sizes(context, tree)
    help = as_list(tree)
    context.wrong_type("a shape", "a list of sizes", tree, help=help)
    return None


def read_sizes(context: Context, tree: Sequence) -> InputShape | None:
    """Return the shape with the sizes of a list; None if one cannot be read."""
    dims, spans = list[Any](), list[Span]()
    for item in tree.items:
        dims.append(_read_size(context, tree, item))
        spans.append(item.span)
    return None if FAULTY in dims else InputShape(tuple(dims), tuple(spans))


def _read_size(context: Context, shape: Sequence, item: Tree) -> Any:
    """Return an integer, a name, a `LinearSize` or a `Written`, or FAULTY for something else, which
    is reported."""
    text = item.value if isinstance(item, Scalar) else None
    if isinstance(text, str) and not is_expression(text) and is_computed(text):  # such as `8*H`
        value = _read_computed(context, item)
    else:
        value = read_value(context, item)
    if isinstance(value, str):
        reason = name_fault(value) if value != "N" else "N is the batch size"
        if reason is None:
            return value
        help = _help(shape, item) or reason
        context.fault("bad-name", f"{value!r} cannot name a size", item.span, help=help)
    elif type(value) is int:
        if value >= 1:
            return value
        help = _help(shape, item)
        context.fault("bad-option", "a size must be at least 1", item.span, help=help)
    elif isinstance(value, Written | LinearSize):
        return value
    elif value is not FAULTY:
        context.wrong_type("a size", "an integer or a name", item, help=_help(shape, item))
    return FAULTY


def _help(shape: Sequence, item: Tree) -> str:
    values = [one.value if isinstance(one, Scalar) else one for one in shape.items]
    return size_help(values, shape.items.index(item))


def _read_computed(context: Context, item: Tree) -> Any:
    """Return the size that a text such as `8*H` is, or FAULTY, which is reported."""
    assert isinstance(item, Scalar)
    try:
        return parse_size(str(item.value), item.span, item.part)
    except ExpressionError as error:
        span = item.part(error.start, error.end) if error.start <= error.end else item.span
        context.fault(error.code, error.message, span, help=error.help)
        return FAULTY


# Read the inputs of a graph or block: a shape each, or a mapping with a dtype and more.


def read_inputs(context: Context, tree: Mapping) -> tuple[Input, ...]:
    """Return the inputs of a section `inputs`."""
    inputs = list[Input]()
    for key, value in section_entries(context, tree, "an input"):
        inputs.append(read_input(context, key, value))
    return tuple(inputs)


def read_input(context: Context, key: Scalar, tree: Tree) -> Input:
    """Return an input; without a shape if the shape is faulty.

    If another part of it is faulty, the vocab stands for that: it is FAULTY, so inference gives the
    input no type.
    """
    if isinstance(tree, Sequence):
        shape = read_sizes(context, tree)
        return Input(key.text, key.span, shape, whole=key.span.to(tree.span))
    if isinstance(tree, Mapping):
        return _read_detailed(context, key, tree)
    help = as_list(tree)
    context.wrong_type("an input", f"a shape, [3, 32, 32], or a {MAPPING}", tree, help=help)
    return Input(key.text, key.span, None)


def _read_detailed(context: Context, key: Scalar, tree: Mapping) -> Input:
    """Read `{shape, dtype, vocab, doc, optional}`."""
    known = check_keys(context, "an input", tree)
    if tree.lost:
        context.lost.add(ANOTHER)
    for word, value in tree.entries if not known else ():
        if not isinstance(value, Scalar):  # another input, indented too deep
            context.lost.add(word.text)
    shape, vocab = tree.get("shape"), tree.get("vocab")
    if shape is None and vocab is None and known:
        message = f"{key.text} needs a shape"
        help = write("shape: [5]")
        context.fault("missing-key", message, key.span, help=help)
    sizes = InputShape((), ()) if vocab is not None and known else None
    if shape is not None:
        sizes = read_shape(context, shape)
    elements = _read_elements(context, tree)
    doc = read_text(context, "doc", tree.get("doc")) or ""
    optional = read_switch(context, "optional", tree.get("optional"))
    if not known or elements is None or optional is None:
        return Input(key.text, key.span, sizes, vocab=faulty_option(tree.span))
    whole = key.span.to(tree.span)
    return Input(key.text, key.span, sizes, *elements, doc, optional, whole)


def read_block_input(context: Context, key: Scalar, tree: Mapping) -> BlockInput | None:
    """Read `{shape, dtype, vocab, optional}` of an input of a block; None if a part of it is faulty.

    A source must have the dtype and vocab if one of them is given.
    """
    before = len(context.report.diagnostics)
    check_keys(context, "an input of a block", tree)
    shape = tree.get("shape")
    pattern = None if shape is None else read_shape(context, shape)
    optional = read_switch(context, "optional", tree.get("optional"))
    elements = _read_elements(context, tree)
    if optional is None or elements is None or len(context.report.diagnostics) > before:
        return None
    declared = None
    if tree.get("dtype") is not None or tree.get("vocab") is not None:
        declared = Input(key.text, key.span, pattern, *elements)
    return BlockInput(key.text, key.span, pattern, declared, optional)


def _read_elements(context: Context, tree: Mapping) -> tuple[str, Option | None] | None:
    """Return the dtype of an input, whose default depends on whether there is a vocab, and the vocab;
    None if one of them is faulty."""
    dtype, vocab = tree.get("dtype"), tree.get("vocab")
    name: str | None = "float32" if vocab is None else "int64"
    if dtype is not None and (name := read_text(context, "dtype", dtype)) is not None:
        if name not in DTYPES:
            message, help = f"no dtype is called {name!r}", dtype_help(name)
            context.fault("bad-option", message, dtype.span, help=help)
            name = None
        elif vocab is not None and name not in INTEGER:
            message = "an input with a vocab must have an integer dtype"
            help = f"remove {drop('dtype')}: it is int64 with a vocab"
            context.fault("bad-option", message, dtype.span, help=help)
            name = None
    if vocab is not None and not isinstance(vocab, Scalar):
        context.wrong_type("vocab", "a number of categories", vocab)
        return None
    number = None if vocab is None else read_option(context, vocab, vocab)
    return None if name is None else (name, number)


# Read the outputs of a graph or block: a source, a list of them, or `{public_name: source}`.


def read_outputs(context: Context, tree: Tree, place: str = "an output") -> tuple[Output, ...]:
    """Return the outputs; `place` decides which keys an output may have. An output that cannot be
    read may be any node."""
    if isinstance(tree, Scalar):
        return (_output_of_source(context, tree),)
    if not (tree.entries or tree.lost if isinstance(tree, Mapping) else tree.items):
        context.wrong_type("outputs", "a source, a list of sources, or {name: source}", tree)
        return (_unread(tree.span),)
    if isinstance(tree, Mapping):
        if _lacks_name(tree):
            return (_nameless(context, tree),)
        named = [_named_output(context, key, value, place) for key, value in tree.entries]
        return (*named, _unread(tree.span)) if tree.lost else tuple(named)
    found: dict[str, Output] = {}
    for item in tree.items:
        output = _listed_output(context, item, place)
        if output.name in found and output.name != OTHERS:
            _refuse_duplicate(context, output, found[output.name])
            continue
        found[output.name] = output
    return tuple(found.values())


def _lacks_name(tree: Mapping) -> bool:
    """Return whether outputs are written as one output: `{from: y, batch_dim: 1}`."""
    batch_dim, only = tree.get("batch_dim"), tree.get("only")
    is_axis = isinstance(batch_dim, Scalar) and type(batch_dim.value) is int
    is_training = isinstance(only, Scalar) and only.value == "training"
    return tree.get("from") is not None and (is_axis or is_training)


def _nameless(context: Context, tree: Mapping) -> Output:
    """Report an output without a name."""
    message, help = "an output with options needs a name", "write outputs: {NAME: {from: ...}}"
    context.fault("missing-key", message, tree.span, help=help, tree=tree)
    return _unread(tree.span)


def _refuse_duplicate(context: Context, output: Output, first: Output) -> None:
    labels = (Label(first.span, "first given here"),)
    message = f"{output.name} is already an output"
    fault = Diagnostic("duplicate-name", message, output.span, labels=labels)
    context.report.add(fault, output.name)


def _listed_output(context: Context, tree: Tree, place: str) -> Output:
    """Return an output in a list: a source, or `{public_name: source}`."""
    if isinstance(tree, Mapping) and _lacks_name(tree):
        return _nameless(context, tree)
    if isinstance(tree, Mapping) and len(tree.entries) == 1:
        return _named_output(context, *tree.entries[0], place)
    return _output_of_source(context, tree, in_list=True)


def _output_of_source(context: Context, tree: Tree, in_list: bool = False) -> Output:
    """Return an output that has the name of its node."""
    source = read_source(context, tree, "")
    if source is None:
        return _unread(tree.span)
    if in_list and source.port is not None and source.name not in context.lost:
        help = write(f"{{{source.port}: {source.name}.{source.port}}}")
        if source.port == "*":
            help = "name each port: " + code(f"{{a: {source.name}.a, b: {source.name}.b}}")
        message = "a port in a list of outputs needs a name"
        context.fault("wrong-type", message, tree.span, help=help, tree=tree)
        return _unread(tree.span)
    return Output(source.name, source, tree.span)


def _named_output(context: Context, key: Scalar, tree: Tree, place: str) -> Output:
    """Read `name: source`, or `name: {from: source, only: training, batch_dim: 1, doc: ...}`."""
    source_tree: Tree | None = tree
    training, doc, batch_dim = False, None, None
    if isinstance(tree, Mapping):
        known = check_keys(context, place, tree)
        training = _only_training(context, tree.get("only"))
        batch_dim = _batch_dim(context, tree)
        source_tree = tree.get("from")
        if source_tree is None:
            if known:
                message, help = f"{key.text} needs from", f"write {key.text}: {{from: ...}}"
                context.fault("missing-key", message, key.span, help=help)
            return _unread(key.span, key.text)
        doc = tree.get("doc")
    assert source_tree is not None
    source = read_source(context, source_tree, "")
    if not (key.text.isascii() and key.text.isidentifier()):
        help = "a name is letters, digits and underscores, and starts with no digit"
        message = f"{key.text!r} cannot be the name of an output"
        context.fault("bad-name", message, key.span, help=help, tree=source_tree)
        return _unread(key.span, key.text)
    if source is None:
        return _unread(key.span, key.text)
    text = read_text(context, "doc", doc) or ""
    whole = key.span.to(tree.span)
    return Output(key.text, source, key.span, training, text, whole, batch_dim)


def _only_training(context: Context, only: Tree | None) -> bool:
    if isinstance(only, Scalar) and only.value == "training":
        return True
    if only is not None and not is_faulty(only):
        context.fault("bad-option", "only must be training", only.span, tree=only)
    return False


def _batch_dim(context: Context, output: Mapping) -> Option | None:
    """Return the axis to which the batch is moved; None if there is none, or something else, which
    is reported."""
    tree = output.get("batch_dim")
    if isinstance(tree, Scalar) and type(tree.value) is int:
        return read_option(context, output.key("batch_dim"), tree)
    if tree is not None:
        context.wrong_type("batch_dim", "an integer, such as 1", tree)
    return None


def _unread(span: Span, name: str = OTHERS) -> Output:
    """Return an output whose source could not be read, and may be any node."""
    return Output(name, Source(OTHERS, None, span), span)


# Read the limits of the cost.


def read_limits(context: Context, key: Scalar, tree: Tree) -> DeclaredLimits | None:
    """Return the limits of the cost; None for a value that is no mapping, which is reported."""
    limits = read_mapping(context, "limits", tree)
    if limits is None:
        return None
    check_keys(context, "limits", limits)
    sizes = read_mapping(context, "sizes", limits.get("sizes"))
    kinds = PLACES["limits"]
    amounts = [one for one in limits.entries if kinds.get(one[0].text) == "amount"]
    return DeclaredLimits(
        key.span,
        {key.text: read_option(context, key, value) for key, value in amounts},
        {key.text: read_option(context, key, value) for key, value in sizes.entries}
        if sizes
        else {},
    )
