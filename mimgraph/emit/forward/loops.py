"""Write the loop that runs a repeated block."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from itertools import chain, count
from typing import NamedTuple

from mimgraph.emit.forward.steps import Loop
from mimgraph.emit.tree import Local
from mimgraph.ir.code import Call, Code, Name, named_constant
from mimgraph.ir.typed import Repeated, TypedNode, Value


class RepeatLoop(NamedTuple):
    """A loop whose body is `targets = call`."""

    targets: tuple[Value, ...]
    call: Code
    loop: Loop


def is_one_call(node: TypedNode, repeated: Repeated) -> bool:
    """Return whether the module runs every time by itself: an `nn.Sequential` of one input and result."""
    single = len(node.arguments) == len(node.results) == 1
    return single and not repeated.shared and not repeated.first


def repeat_loop(
    node: TypedNode,
    repeated: Repeated,
    module: Code,
    operands: Mapping[str, Code],
    sources: Mapping[str, Value],
    taken: Collection[str],
) -> RepeatLoop:
    """Return `for layer in module: a, b = layer(a, b, c)`, which carries `a` and `b` on.

    `sources` are the values that the inputs start as; the variable is none of the `taken` names.
    """
    results = {name: Value(node.name, port) for name, port in repeated.carried.items()}
    args = tuple(
        Local(results[name]) if name in results else operand for name, operand in operands.items()
    )
    carried = {result: sources[name] for name, result in results.items()}
    targets = tuple(Value(node.name, port) for port in repeated.bodies[0].results)
    if repeated.shared:
        times = Call(Name("range"), (named_constant("times", repeated.times),))
        return RepeatLoop(targets, Call(module, args), Loop("_", times, carried))
    names = chain(("layer", "block", "module"), map("layer_{}".format, count(2)))
    variable = next(name for name in names if name not in taken)
    modules = module.method("values") if repeated.first else module
    return RepeatLoop(targets, Call(Name(variable), args), Loop(variable, modules, carried))
