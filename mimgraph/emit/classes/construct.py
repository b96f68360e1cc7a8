"""Write the call that makes the module of a layer, and the comprehension that makes repeated ones."""

from __future__ import annotations

import itertools
from dataclasses import replace
from functools import lru_cache
from typing import Any

from mimgraph.emit.tree import Construct, same_constant
from mimgraph.ir.code import (
    Call,
    Code,
    Comprehension,
    Constant,
    List,
    Name,
    Unpacked,
    code,
    named_constant,
)
from mimgraph.ir.lowering import Module
from mimgraph.ir.typed_operations import Leaf
from mimgraph.ops import registry
from mimgraph.ops.op import REQUIRED, Op


def construct_leaf(leaf: Leaf, module: Module, class_name: str) -> Construct:
    """Return `nn.Conv2d(...)` with every argument.

    Those that the input decides and the first option go by position.
    """
    op = registry.find(leaf.kind, leaf.name)
    assert op is not None
    return _construct(op, module, class_name)


def construct_subclass(leaf: Leaf, module: Module, class_name: str) -> Construct:
    """Return what makes a subclass of the module's class: `weight_norm(ReLULinear(5, 5))`."""
    if module.changed is module:
        return construct_leaf(leaf, module, class_name)
    inner = construct_subclass(leaf, module.changed, class_name)
    made = construct_leaf(leaf, module, module.class_name)
    (key, _), *others = made.arguments
    return replace(made, arguments=((key, inner), *others))


def _construct(op: Op, module: Module, class_name: str) -> Construct:
    arguments = tuple(
        [(name, _argument(op, name, value)) for name, value in module.arguments.items()]
    )
    names = tuple(module.arguments)
    positional = module.positional
    if positional is None:
        positional = _positional(op, names, module.own is not None)
    return Construct(class_name, arguments, positional, _defaults(op, names))


@lru_cache
def _defaults(op: Op, names: tuple[str, ...]) -> tuple[tuple[str, Any], ...]:
    """Return the arguments that have a default, each with it."""
    options = [op.options[name] for name in names if name in op.options]
    return tuple((o.name, o.default) for o in options if o.default is not REQUIRED)


@lru_cache
def _positional(op: Op, names: tuple[str, ...], own: bool) -> int:
    """Return how many of the arguments go by position."""
    if names[:1] == ("module",):  # of a function that changes a module: weight_norm(module, dim=0)
        return 1
    return sum(1 for _ in itertools.takewhile(lambda name: _is_positional(op, name, own), names))


def _argument(op: Op, name: str, value: Any) -> Code:
    """Return the code of an argument: a constant, or a layer that the module is made with.

    A module that is no layer by itself, the model inside of a feature extractor, has the op's options.
    """
    if not isinstance(value, Module):
        return named_constant(name, value)
    return _construct(registry.find("layer", value.name) or op, value, value.class_name)


def _is_positional(op: Op, name: str, own: bool) -> bool:
    """Return whether people write an argument by position.

    `nn.Conv2d(3, 16, kernel_size=3)`, but `nn.Softmax(dim=1)`. In the user's own class an option that
    takes no lone value may be keyword-only.
    """
    if name == "dim":
        return False
    option = op.options.get(name)
    if option is None or option.inferred:
        return True
    first = next(o for o in op.options.values() if not o.inferred)
    required = option.default is REQUIRED and not own
    return option is first and (option.takes_lone or required)


def repeated(container: str, uses: list[Construct], times: int) -> Code:
    """Return `nn.Sequential` or `nn.ModuleList` over uses in a row.

    Equal ones are a comprehension, one argument that grows by equal steps a range, two runs of equal
    ones one after the other, and others a comprehension over a tuple.
    """
    if uses and len({use.class_name for use in uses}) == 1:
        varying = _varying(uses)
        if not varying:
            return _container(container, [_times(uses, times)])
        if len(uses) > 2:
            runs = _runs(uses)
            steps = _range(uses, varying)
            if steps is not None:
                return _container(container, [_comprehension(uses, varying, steps)])
            if len(runs) > 2 or len(runs) == len(uses):
                rows = tuple(_row(use, varying) for use in uses)
                return _container(container, [_comprehension(uses, varying, code(rows))])
            return _container(container, [_run(run) for run in runs])
    return _container(container, list[Code](uses))


def _container(name: str, items: list[Code]) -> Code:
    """Return the container: `nn.Sequential` takes its items as arguments, `nn.ModuleList` a list."""
    if name == "nn.Sequential":
        return Call(Name(name), tuple(items))
    if len(items) == 1 and isinstance(items[0], Unpacked):
        return Call(Name(name), (items[0].value,))
    return Call(Name(name), (List(tuple(items)),))


def _value(use: Construct, name: str) -> Any:
    argument = dict(use.arguments)[name]
    assert isinstance(argument, Constant)
    return argument.value


def _varying(uses: list[Construct]) -> tuple[str, ...]:
    """Return the arguments that differ between the uses."""
    return tuple(
        name
        for name, _ in uses[0].arguments
        if not all(same_constant(_value(use, name), _value(uses[0], name)) for use in uses)
    )


def _runs(uses: list[Construct]) -> list[list[Construct]]:
    """Return the uses with equal neighbours together."""
    runs: list[list[Construct]] = []
    for use in uses:
        if runs and not _varying([runs[-1][-1], use]):
            runs[-1].append(use)
        else:
            runs.append([use])
    return runs


def _run(uses: list[Construct]) -> Code:
    return uses[0] if len(uses) == 1 else _times(uses, len(uses))


def _times(uses: list[Construct], times: int) -> Code:
    """Return equal uses as a comprehension; a single use too, so that its class is that of several."""
    counter = Call(Name("range"), (named_constant("times", times),))
    return Unpacked(Comprehension(uses[0], ("_",), counter))


def _range(uses: list[Construct], varying: tuple[str, ...]) -> Code | None:
    """Return `range(...)` if one whole number goes up or down by equal steps."""
    if len(varying) != 1:
        return None
    values = [_value(use, varying[0]) for use in uses]
    if any(not isinstance(value, int) or isinstance(value, bool) for value in values):
        return None
    step = values[1] - values[0]
    if any(b - a != step for a, b in itertools.pairwise(values)):
        return None
    bounds = [values[0], values[-1] + step] + ([step] if step != 1 else [])
    names = (varying[0], f"{varying[0]}_stop", f"{varying[0]}_step")
    numbers = tuple(Constant(int(v), n) for v, n in zip(bounds, names, strict=False))
    return Call(Name("range"), numbers)


def _row(use: Construct, varying: tuple[str, ...]) -> Any:
    values = tuple(_value(use, name) for name in varying)
    return values[0] if len(values) == 1 else values


def _comprehension(uses: list[Construct], varying: tuple[str, ...], iterable: Code) -> Code:
    arguments = tuple(
        (name, Name(name) if name in varying else value) for name, value in uses[0].arguments
    )
    return Unpacked(Comprehension(replace(uses[0], arguments=arguments), varying, iterable))
