"""Write the loops that run a repeated block, and a block that is scanned along an axis."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from itertools import chain, count
from typing import NamedTuple

from mimgraph.emit.forward.call_code import Modules
from mimgraph.emit.forward.steps import Loop, list_of
from mimgraph.emit.tree import Local
from mimgraph.ir.code import Call, Code, Constant, Name, Subscript, call, named_constant
from mimgraph.ir.names import free_name
from mimgraph.ir.typed import Repeated, Scan, TypedNode, Value


class CallLoop(NamedTuple):
    """A loop whose body is `targets = call`."""

    targets: tuple[Value, ...]
    call: Code
    loop: Loop


def is_one_call(node: TypedNode, repeated: Repeated) -> bool:
    """Return whether the module runs every time by itself: an `nn.Sequential` of one input and result."""
    single = len(node.arguments) == len(node.results) == 1
    is_chain = single and not repeated.shared and not repeated.first
    return is_chain and not any(body.borrowed for body in repeated.bodies)


def repeat_loop(
    node: TypedNode,
    repeated: Repeated,
    module: Code,
    operands: Mapping[str, Code],
    handed: Modules,
    sources: Mapping[str, Value],
    taken: Collection[str],
) -> CallLoop:
    """Return `for layer in module: a, b = layer(a, b, c)`, which carries `a` and `b` on.

    Each time is `handed` the modules that it shares. `sources` are the values that the inputs start
    as; the variable is none of the `taken` names.
    """
    results = {name: Value(node.name, port) for name, port in repeated.carried.items()}
    args = tuple(
        Local(results[name]) if name in results else operand for name, operand in operands.items()
    )
    carried = {result: sources[name] for name, result in results.items()}
    targets = tuple(Value(node.name, port) for port in repeated.bodies[0].results)
    if repeated.shared:
        times = Call(Name("range"), (named_constant("times", repeated.times),))
        return CallLoop(targets, Call(module, args, handed), Loop(("_",), times, carried))
    names = chain(("layer", "block", "module"), map("layer_{}".format, count(2)))
    variable = next(name for name in names if name not in taken)
    modules = module.method("values") if repeated.first else module
    return CallLoop(
        targets, Call(Name(variable), args, handed), Loop((variable,), modules, carried)
    )


def scan_loop(
    node: TypedNode,
    scan: Scan,
    ports: Collection[str],
    module: Code,
    operands: Mapping[str, Code],
    handed: Modules,
    sources: Mapping[str, Value],
    taken: Collection[str],
) -> CallLoop:
    """Return `for x_t in x.unbind(1): y, h = module(x_t, h)`, which carries `h` on and collects `y`.

    Each step is `handed` the modules that it shares. Of the results only those of the `ports` that are read are collected.
    """
    variables = {name: free_name(f"{name}_t", taken) for name in scan.axes}
    carried = {Value(node.name, name): sources[name] for name in scan.carried}
    wanted = {scan.stacked[port] for port in ports if port in scan.stacked}
    results = {name: _result(node, scan, name) for name in scan.body.outputs}
    needed = {name: one for name, one in results.items() if name in wanted or one in carried}
    args = {
        name: Name(variables[name]) if name in variables else operand
        for name, operand in operands.items()
    }
    args |= {name: Local(results[name]) for name in scan.carried}
    code: Code = Call(module, tuple(args.values()), handed)
    targets = tuple(results.values())
    if len(needed) == 1 < len(results):
        (name,) = needed
        code, targets = Subscript(code, Constant(list(results).index(name))), (results[name],)
    lists = {results[name]: list_of(node.name, name) for name in results if name in wanted}
    names = {one: name for name, one in results.items()}
    names |= {one: "steps" if len(lists) == 1 else f"{names[y]}_steps" for y, one in lists.items()}
    steps = [operands[name].method("unbind", axis) for name, axis in scan.axes.items()]
    iterable = steps[0] if len(steps) == 1 else call("zip", *steps, strict=True)
    loop = Loop(tuple(variables.values()), iterable, carried, lists, names)
    return CallLoop(targets, code, loop)


def _result(node: TypedNode, scan: Scan, output: str) -> Value:
    """Return what an output of the block is in the loop: the port of a carried output, which has its
    last value, or the result of one step."""
    return Value(node.name, output if output in scan.carried else f"*{output}")
