"""Compute the declared parts of a graph: params, input types, blocks, limits."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from mimgraph.diagnostics import Label, Report
from mimgraph.diagnostics.text import put, write
from mimgraph.infer.apply import bind_op
from mimgraph.infer.blocks import find_block
from mimgraph.infer.each import check_text
from mimgraph.infer.evaluation import (
    Evaluation,
    as_yaml,
    check_names,
    compute,
    layered,
    linear_size,
)
from mimgraph.infer.state import State
from mimgraph.infer.structure import (
    MAX_NAMES,
    check_scope,
    cycles,
    inner_blocks,
    outer_shares,
    reached,
    report_cycle,
    scope_of,
    unique,
)
from mimgraph.infer.unknown_names import OtherScopes, SpecNames
from mimgraph.ir.declared_graph import Apply, Block, Call, DeclaredLimits, Input, InputShape, Node
from mimgraph.ir.declared_values import FAULTY, OTHERS, LinearSize, Option, size_help
from mimgraph.ir.dim import MAX_COEFFICIENT, Size, symbol, terms_of
from mimgraph.ir.expression import plain
from mimgraph.ir.typed_graph import Limits, read_amount
from mimgraph.ir.types import MAX_AXES, TensorType
from mimgraph.ops import registry


def params(declared: Mapping[str, Option], report: Report) -> dict[str, Any]:
    """Return the values of the spec's params; each may use those above it."""
    found: dict[str, Any] = {}
    for name, option in declared.items():
        found[name] = plain(compute(option.value, Evaluation(found, report)))
    return found


def input_types(
    state: State, inputs: Iterable[Input]
) -> tuple[dict[str, TensorType | None], dict[str, Any]]:
    """Return the type of each input, None for a faulty one, and the sizes that shapes name; if a
    shape could not be read, every name counts as a size."""
    types: dict[str, TensorType | None] = {}
    named: dict[str, Any] = {}
    for declared in inputs:
        shape = declared.shape
        vocab = _vocab(state, declared.vocab) if declared.vocab is not None else None
        dims = _dims(state, shape) if shape is not None else None
        fine = dims is not None and vocab is not FAULTY
        types[declared.name] = TensorType(dims or (), declared.dtype, vocab) if fine else None
        if shape is None:
            named[OTHERS] = FAULTY
            continue
        for name in shape.names:
            named[name] = symbol(name)
    return types, named


def _vocab(state: State, option: Option) -> Any:
    """Return the number of categories; FAULTY if it is wrong, which is reported."""
    value = plain(compute(option.value, Evaluation(state.params, state.report)))
    if value is FAULTY or (type(value) is int and value >= 1):
        return value
    message = "vocab must be the number of categories, an integer of at least 1"
    state.fault("bad-option", message, option.span)
    return FAULTY


def _dims(state: State, shape: InputShape) -> tuple[Size, ...] | None:
    """Return the sizes of a declared shape; None if one is faulty, which is reported."""
    found: list[Size] = []
    elements = 1
    for at, (dim, span) in enumerate(zip(shape.dims, shape.spans, strict=True)):
        if isinstance(dim, str):
            found.append(symbol(dim))
            continue
        size = _input_size(state, shape, at)
        if size is None:
            return None
        found.append(size)
        # a name counts as 1
        elements *= size if isinstance(size, int) else sum(dict(terms_of(size)).values())
        if elements > MAX_COEFFICIENT or len(found) > MAX_AXES:
            message = f"a shape has at most {MAX_AXES} axes, and fewer than 2**63 elements"
            state.fault("too-large", message, span)
            return None
    return tuple(found)


def _input_size(state: State, shape: InputShape, index: int) -> Size | None:
    """Return a size that is a number, or linear in a name; None if it is faulty, which is reported."""
    dim, span = shape.dims[index], shape.spans[index]
    hint = "write a size name without $: H, 8*H"
    at = Evaluation(state.params, state.report, hint=hint)
    if isinstance(dim, LinearSize):
        line = linear_size(dim, span, at)
        return None if line is None else line.at(symbol(dim.name))
    value = plain(compute(dim, at))
    if type(value) is int and value >= 1:
        return value
    if value is not FAULTY:
        message = "a size must be an integer of at least 1, or a name such as T"
        state.fault("bad-option", message, span, help=size_help(shape.dims, index))
    return None


def check_blocks(
    state: State,
    names: SpecNames | None = None,
    around: Collection[str] = (),
    blocks: Mapping[str, Block] | None = None,
) -> None:
    """Check the structure and the text of each block; add blocks that contain themselves to the
    state.

    `names` are the names of the spec around the blocks, if there is one; `around` are the nodes there.
    Only `blocks` are checked if they are given.
    """
    state.outer = outer_shares(state.blocks, around)
    if sum(map(len, state.outer.values())) > MAX_NAMES:
        first = next(iter(state.blocks.values()))
        message = f"blocks share more than {MAX_NAMES:,} names of nodes around them"
        state.fault("too-large", message, first.span)
        state.report.raise_if_any()
    blocks = state.blocks if blocks is None else blocks
    for key, block in blocks.items():
        if not block.is_whole:
            continue
        if block.is_chain:
            unique(block.inputs, (), state.report, f"{block.family}.")
            state.memory.scopes[key] = scope_of(block)
        else:
            elsewhere = OtherScopes(names, block) if names is not None else None
            scope = check_scope(block, state.report, state.outer, elsewhere, key)
            state.memory.scopes[key] = scope
        op = registry.find("layer", block.family)
        if op is not None and not op.plugin:
            message, help = f"{block.family} is the name of a layer", "give the block another name"
            state.fault("duplicate-name", message, block.span, help=help)
        _check_dimension_names(state, block)
    _find_recursion(state, blocks)
    for block in blocks.values():
        _check_text(state, block)


def _check_dimension_names(state: State, block: Block) -> None:
    """Report each dimension of a pattern that has the same name as a param of the block."""
    for declared in block.inputs:
        pattern = declared.pattern
        for dim, span in zip(*pattern, strict=True) if pattern else ():
            name = dim.name if isinstance(dim, LinearSize) else dim
            if isinstance(name, str) and name in block.params:
                first = Label(block.params[name].key, "the param")
                message = f"{name} is a param of the block and a dimension"
                help = f"write {put(f'${name}')} for the param's value"
                state.fault("duplicate-name", message, span, labels=(first,), help=help)


def _find_recursion(state: State, blocks: Mapping[str, Block]) -> None:
    """Report each ring of blocks that contain each other, at the first of them."""
    inner = inner_blocks(blocks)
    for ring in cycles(blocks, inner):
        state.recursive.update(ring)
        places = {blocks[key].family: blocks[key] for key in ring}
        around = [blocks[key].family for key in ring]
        help = "a block cannot contain itself: to apply it several times use repeat"
        report_cycle(around, places, "blocks contain each other", "contains", state.report, help)
    if state.recursive:  # a block that contains such a block cannot be used either
        state.recursive = reached(state.recursive, [(used, user) for user, used in inner])


def _check_text(state: State, block: Block) -> None:
    """Report the faults of a block that need no types to be found, so that an unused block is
    checked."""
    own = layered(block.params, state.params)
    for option in block.params.values():
        check_names(option.value, Evaluation(own, state.report, block.family))
    sizes = dict.fromkeys(block.sizes)
    check_nodes_text(state, block.nodes, layered(sizes, own), f"{block.family}.")


def check_nodes_text(
    state: State, nodes: Iterable[Node], names: Mapping[str, Any], path: str
) -> None:
    """Report the faults of nodes that need no types to be found: unknown ops, blocks, options,
    params."""
    for node in nodes:
        here = (path + node.name).rstrip(".")  # the one node of a chain block has no name
        at = Evaluation(names, state.report, here)
        check_names(node.freeze, at)
        for word in node.training.every_option() if node.training else ():
            check_names(word.value, at)
        if node.operation is None:
            continue
        operation = check_text(state, node.operation, here)
        given = [*operation.named.values(), *([operation.lone] if operation.lone else [])]
        if node.has_branches:
            given += node.operation.every_option()
        if node.over is not None:
            given.append(node.over)
        if isinstance(operation, Apply):
            bind_op(state, operation, node.span, at)
        elif isinstance(operation, Call):
            find_block(state, operation, node.span, here)
        check_nodes_text(state, operation.items, names, f"{here}.")
        for option in given:
            check_names(option.value, at)


# Compute the limits that a graph declares: numbers such as `20M`, and the sizes at which they
# hold.


END = 10**30  # so that it can be written
EXAMPLE = "write a number, or one with K, M, G or T behind it: 20M"
_NEARLY = re.compile(r"(\d[\d_,]*(?:\.\d+)?) ?(?:([kKmMgGtT])[bB]?)?", re.ASCII)


def compute_limits(declared: DeclaredLimits, params: Mapping[str, Any], report: Report) -> Limits:
    """Return the limits in numbers; one that is wrong is left out, and its fault reported."""
    at = Evaluation(params, report)
    amounts = {name: _limit_amount(name, one, at) for name, one in declared.amounts.items()}
    sizes = {name: _limit_size(name, one, at) for name, one in declared.sizes.items()}
    return Limits(_known_limits(amounts), _known_limits(sizes))


def _known_limits(found: Mapping[str, int | None]) -> dict[str, int]:
    return {name: number for name, number in found.items() if number is not None}


def _limit_amount(name: str, option: Option, at: Evaluation) -> int | None:
    """Return a limit; None after reporting that it is none."""
    value = plain(compute(option.value, at))
    if value is FAULTY:
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # such as 2e9
    number = read_amount(value) if isinstance(value, str) else value
    if isinstance(number, bool) or not isinstance(number, int):
        message = f"{name} must be a whole number such as 20M, not {as_yaml(value)}"
        at.fault("wrong-type", message, option.span, help=_limit_help(value))
    elif not 0 <= number < END:
        at.fault("bad-option", f"{name} must be at least 0 and below 10**30", option.span)
    else:
        return number
    return None


def _limit_size(name: str, option: Option, at: Evaluation) -> int | None:
    """Return the number for a named size; None after reporting that it is none."""
    value = plain(compute(option.value, at))
    if value is FAULTY:
        return None
    if isinstance(value, bool) or not isinstance(value, int):
        message = f"the size {name} must be a whole number, not {as_yaml(value)}"
        at.fault("wrong-type", message, option.span)
    elif not 1 <= value <= MAX_COEFFICIENT:
        message = f"the size {name} must be 1 to {MAX_COEFFICIENT:,}, not {value}"
        at.fault("bad-option", message, option.span)
    else:
        return value
    return None


def _limit_help(value: object) -> str:
    """Return how to write a limit: `write 64M` for `64 MB`."""
    found = _NEARLY.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        return EXAMPLE
    text = re.sub("[_,]", "", found[1]) + (found[2] or "").upper()
    return write(text) if read_amount(text) is not None else EXAMPLE
