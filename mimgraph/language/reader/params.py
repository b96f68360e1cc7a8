"""Read the params of a spec or block, and the values that a caller gives in their place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mimgraph.ir.declared_values import FAULTY, OTHERS, Option, Template, Written
from mimgraph.ir.names import NODE_WORDS, param_fault
from mimgraph.language.reader.context import Context
from mimgraph.language.reader.mappings import read_mapping
from mimgraph.language.reader.values import faulty_option, read_option, read_scalar
from mimgraph.language.yaml_tree.scalars import MAX_INT, MIN_INT
from mimgraph.language.yaml_tree.tree import Mapping as MappingTree
from mimgraph.language.yaml_tree.tree import Scalar, Sequence, Tree

PARAM = "a number, a string, true, false or a list"


def read_params(
    context: Context, tree: Tree | None, overrides: Mapping[str, Any]
) -> dict[str, Option]:
    """Return the params of a spec in order, with the overrides."""
    params = _read(context, tree, read_mapping(context, "params", tree), ())
    for key, _ in tree.entries if isinstance(tree, MappingTree) else ():
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
    context: Context, tree: Tree | None, params: MappingTree | None, reserved: tuple[str, ...]
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
    if not isinstance(tree, MappingTree):
        return read_option(context, key, tree)
    from mimgraph.language.reader.search_space import is_space, read_searched  # needed by few specs

    if is_space(tree) and not is_in_block:
        return read_searched(context, key, tree)
    help = "a search is written {search: [64, 128], default: 64}"
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
            return read_scalar(context, Scalar(value, key.span, value, plain=False))
        case list() | tuple():
            return [_override(context, key, item) for item in value]
    message = f"the value given for {key.text} is {value!r}"
    help = "a param must be a number of at most 64 bits, a string, true, false or a list"
    context.fault("wrong-type", message, key.span, help=help)
    return FAULTY


def _with_null_values(tree: Tree | None) -> str:
    """Return how to write the params of a block if they are names alone: `write {width: null}`."""
    items = tree.items if isinstance(tree, Sequence) else (tree,)
    names = [item.name if isinstance(item, Scalar) else None for item in items]
    return (
        f"write {{{', '.join(f'{name}: null' for name in names)}}}" if names and all(names) else ""
    )
