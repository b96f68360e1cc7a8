"""Read the outputs of a graph or block: a source, a list of them, or `{public_name: source}`."""

from __future__ import annotations

from mimgraph.diagnostics import Diagnostic, Label
from mimgraph.ir.declared_graph import Output, Source
from mimgraph.ir.declared_values import OTHERS, Option
from mimgraph.language.reader.context import Context
from mimgraph.language.reader.mappings import check_keys, renewed
from mimgraph.language.reader.sources import read_source
from mimgraph.language.reader.values import read_option, read_text
from mimgraph.language.yaml_tree.tree import Mapping, Scalar, Tree, is_faulty
from mimgraph.source import Span


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
        help = f"write {{{source.port}: {source.name}.{source.port}}}"
        if source.port == "*":
            help = f"name each port: {{a: {source.name}.a, b: {source.name}.b}}"
        message = "a port in a list of outputs needs a name"
        context.fault("wrong-type", message, tree.span, help=help, tree=tree)
        return _unread(tree.span)
    return Output(source.name, source, tree.span)


def _named_output(context: Context, key: Scalar, tree: Tree, place: str) -> Output:
    """Read `name: source`, or `name: {from: source, only: training, batch_dim: 1, doc: ...}`."""
    source_tree: Tree | None = tree
    training, doc, batch_dim = False, None, None
    if isinstance(tree, Mapping):
        tree = renewed(context, place, tree)
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
