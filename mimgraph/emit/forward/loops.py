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


def port_of(node: TypedNode, output: str) -> Value:
    """Return the result of a repeated node that is the output of its block called so."""
    return Value(node.name, "" if len(node.results) == 1 else output)


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
    carried = {port_of(node, name): sources[name] for name in repeated.carried}
    args = tuple(
        Local(port_of(node, name)) if name in repeated.carried else operand
        for name, operand in operands.items()
    )
    targets = tuple(port_of(node, name) for name in repeated.bodies[0].outputs)
    if repeated.shared:
        times = Call(Name("range"), (named_constant("times", repeated.times),))
        return RepeatLoop(targets, Call(module, args), Loop("_", times, carried))
    names = chain(("layer", "block", "module"), map("layer_{}".format, count(2)))
    variable = next(name for name in names if name not in taken)
    modules = module.method("values") if repeated.first else module
    return RepeatLoop(targets, Call(Name(variable), args), Loop(variable, modules, carried))
