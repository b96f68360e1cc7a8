"""Declare modules and functions that stay Python as registered layers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch

from mimgraph.diagnostics.text import unmarked
from mimgraph.importer.draft import Op, Port
from mimgraph.importer.lift.errors import CannotLift
from mimgraph.importer.lift.typing import dtype_name
from mimgraph.importer.python_layers.call_text import CallText, positional_parameters
from mimgraph.importer.python_layers.layer import PythonLayer, copy_of, register
from mimgraph.importer.python_layers.results import Results, results_of, shape_rule
from mimgraph.importer.python_layers.torch_functions import pure_function
from mimgraph.importer.trace.records import Call, Step, Value
from mimgraph.ir.dim import symbols
from mimgraph.ir.types import TensorType
from mimgraph.ops.op import OpFault

if TYPE_CHECKING:
    from mimgraph.importer.lift.body import BodyLifter


def declare_module(body: BodyLifter, call: Call) -> None:
    """Add a registered layer that is the module itself."""
    cls = type(call.module)
    parameters = positional_parameters(cls.forward)[1:]
    written = CallText(call.args, call.kwargs, parameters)
    sources = {name: body.source(value) for name, value in written.sources.items()}
    called = f"super().forward({written.arguments})"
    results, returned = _results(body, call, called)
    layer = PythonLayer(
        cls.__name__,
        f"The module `{call.path}` of `{type(body.lifter.model).__name__}`.",
        tuple(written.sources),
        f"return {returned}",
        kept=written.kept,
        module=call.module,
        path=call.path,
    )
    copy_of(call.module, torch.device("meta"))
    _register(body, layer, written.sources, results)
    node = body.module_node(call, Op("layer", layer.name), _given(sources))
    for port, value in results.ports.items():
        body.bind(value, Port(node, port))


def _results(body: BodyLifter, call: Call, called: str) -> tuple[Results, str]:
    """Return the results of a module, and the expression for them; without those that nothing reads if
    one of these has no batch in front, as the last state of an RNN."""
    results = results_of(call.result, call.returns)
    unread = [one for one in call.results if not body.lifter.uses[id(one)]]
    if not any(_moves_batch(one) for one in unread):
        return results, f"tensors({called})" if results.is_nested else called
    numbered = {index: one for index, one in enumerate(call.results) if one not in unread}
    if len(numbered) == 1:
        ((index, value),) = numbered.items()
        return Results({"": value}, "", False), f"tensors({called})[{index}]"
    ports = {str(port): value for port, value in enumerate(numbered.values())}
    picked = f"tuple(tensors({called})[index] for index in {tuple(numbered)})"
    return Results(ports, tuple(ports), True), picked


def _moves_batch(value: Value) -> bool:
    """Return whether the batch is another axis than the first."""
    return not value.is_batched and any("N" in symbols(size) for size in value.sizes)


def declare_function(body: BodyLifter, step: Step, error: CannotLift) -> bool:
    """Add a registered layer that calls the function of a step; return whether that is possible."""
    function = pure_function(step)
    if function is None:
        return False
    try:
        written = CallText(step.args, step.kwargs, function.parameters)
        if written.kept or not written.sources:
            return False
        sources = {name: body.source(value) for name, value in written.sources.items()}
        results = results_of(step.result, None)
        layer = PythonLayer(
            function.class_name,
            f"The function `{function.text}`.",
            tuple(written.sources),
            f"return {function.text}({written.arguments})",
        )
        _register(body, layer, written.sources, results)
    except CannotLift:
        return False
    node = body.layer(step, layer.name, _given(sources), function.class_name.lower())
    for port, value in results.ports.items():
        body.bind(value, Port(node, port))
    body.lifter.record_function(body.call, step, error, layer.name)
    return True


def _given(sources: Mapping[str, Port]) -> Any:
    """Return sources by name; a lone one by position, as a spec writes it."""
    return [*sources.values()] if len(sources) == 1 else sources


def _register(
    body: BodyLifter, layer: PythonLayer, sources: Mapping[str, Value], results: Results
) -> None:
    """Register a layer, and try it on the types that its sources have in the trace."""
    if not results.ports or not sources:
        raise CannotLift("call", f"{layer.doc[4:-1]} takes or returns no tensor")
    for port, value in results.ports.items():
        if _moves_batch(value):
            shape = f"({', '.join(map(str, value.sizes))})"
            message = f"result {port} of {layer.name} is {shape}, whose first axis is not the batch"
            raise CannotLift("shapes", message)
    dtypes = {value.dtype for value in results.ports.values()}
    first = next(iter(sources.values())).dtype
    if len(dtypes) == 1:
        layer.shape = shape_rule(sources, results)
        (dtype,) = dtypes
        if dtype != (first if first.is_floating_point else torch.float32):
            layer.dtype = dtype_name(dtype) if layer.shape else None
    op = register(layer, body.lifter.home)
    types = {name: _type(value) for name, value in sources.items()}
    try:
        op.lower(types, {})
    except OpFault as fault:
        message = f"{fault.message}: {fault.note}" if fault.note else fault.message
        raise CannotLift("shapes", unmarked(message)) from fault
    body.lifter.python_layers[layer.name] = layer


def _type(value: Value) -> TensorType:
    sizes = value.sizes or value.shape
    return TensorType(
        tuple(sizes[value.is_batched :]), dtype_name(value.dtype), batched=value.is_batched
    )
