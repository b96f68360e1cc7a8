"""Read the inputs of a graph or block: a shape each, or a mapping with a dtype and more."""

from __future__ import annotations

from mimgraph.ir.declared_graph import BlockInput, Input, InputShape
from mimgraph.ir.declared_values import ANOTHER
from mimgraph.ir.types import INTEGER
from mimgraph.language.reader.context import Context
from mimgraph.language.reader.mappings import check_keys, renewed, section_entries
from mimgraph.language.reader.shapes import read_dtype, read_shape, read_sizes
from mimgraph.language.reader.values import (
    as_written,
    faulty_option,
    read_option,
    read_switch,
    read_text,
)
from mimgraph.language.yaml_tree.tree import Mapping, Scalar, Sequence, Tree


def read_inputs(context: Context, tree: Mapping) -> tuple[Input, ...]:
    """Return the inputs of a section `inputs`."""
    return tuple(
        _read_input(context, *entry) for entry in section_entries(context, tree, "an input")
    )


def _read_input(context: Context, key: Scalar, tree: Tree) -> Input:
    """Return an input; without a shape if the shape is faulty.

    If another part of it is faulty, the vocab stands for that: it is FAULTY, so inference gives the
    input no type.
    """
    if isinstance(tree, Sequence):
        shape = read_sizes(context, tree)
        return Input(key.text, key.span, shape, whole=key.span.to(tree.span))
    if isinstance(tree, Mapping):
        return _read_detailed(context, key, tree)
    help = as_written("write [{}]", tree)
    context.wrong_type("an input", "a shape, [3, 32, 32], or a mapping", tree, help=help)
    return Input(key.text, key.span, None)


def _read_detailed(context: Context, key: Scalar, tree: Mapping) -> Input:
    """Read `{shape, dtype, vocab, doc, optional}`."""
    tree = renewed(context, "an input", tree)
    known = check_keys(context, "an input", tree)
    if tree.lost:
        context.lost.add(ANOTHER)
    for word, value in tree.entries if not known else ():
        if not isinstance(value, Scalar):  # another input, indented too deep
            context.lost.add(word.text)
    shape, vocab = tree.get("shape"), tree.get("vocab")
    if shape is None and vocab is None and known:
        message = f"{key.text} needs a shape"
        context.fault("missing-key", message, key.span, help="write shape: [5]")
    sizes = InputShape((), ()) if vocab is not None and known else None
    if shape is not None:
        sizes = read_shape(context, shape)
    dtype = _read_dtype(context, tree.get("dtype"), vocab)
    doc = read_text(context, "doc", tree.get("doc")) or ""
    optional = read_switch(context, "optional", tree.get("optional"))
    vocab_option = read_option(context, vocab, vocab) if isinstance(vocab, Scalar) else None
    has_vocab = vocab is None or vocab_option is not None
    if vocab is not None and not has_vocab:
        context.wrong_type("vocab", "a number of categories", vocab)
    if not (known and has_vocab and dtype) or optional is None:
        return Input(key.text, key.span, sizes, vocab=faulty_option(tree.span))
    whole = key.span.to(tree.span)
    return Input(key.text, key.span, sizes, dtype, vocab_option, doc, optional, whole)


def read_block_input(context: Context, key: Scalar, tree: Mapping) -> BlockInput | None:
    """Read `{shape, dtype, vocab, optional}` of an input of a block; None if a part of it is faulty.

    A source must have the dtype and vocab if one of them is given.
    """
    before = len(context.report.diagnostics)
    tree = renewed(context, "an input of a block", tree)
    check_keys(context, "an input of a block", tree)
    shape, dtype, vocab = tree.get("shape"), tree.get("dtype"), tree.get("vocab")
    pattern = None if shape is None else read_shape(context, shape)
    optional = read_switch(context, "optional", tree.get("optional"))
    name = _read_dtype(context, dtype, vocab)
    number = read_option(context, vocab, vocab) if isinstance(vocab, Scalar) else None
    if vocab is not None and number is None:
        context.wrong_type("vocab", "a number of categories", vocab)
    if optional is None or name is None or len(context.report.diagnostics) > before:
        return None
    declared = None
    if dtype is not None or number is not None:
        declared = Input(key.text, key.span, pattern, name, number)
    return BlockInput(key.text, key.span, pattern, declared, optional)


def _read_dtype(context: Context, tree: Tree | None, vocab: Tree | None) -> str | None:
    """Return the dtype as written, or the default, which depends on whether there is a vocab."""
    dtype = read_dtype(context, tree, "int64" if vocab is not None else "float32")
    if vocab is None or tree is None or dtype is None or dtype in INTEGER:
        return dtype
    help = "leave dtype out: it is int64 beside a vocab"
    context.fault(
        "bad-option", "an input with a vocab must have an integer dtype", tree.span, help=help
    )
    return None
