"""Declare a block by a Python function, which runs once for each kind of call."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import replace
from pickle import PicklingError
from types import CodeType
from typing import (
    TYPE_CHECKING,
    Any,
    Concatenate,
    Generic,
    NamedTuple,
    ParamSpec,
    TypeAlias,
    overload,
)
from weakref import WeakKeyDictionary

from mimgraph.builder.block_call import BlockCall, DeclaredBlock, Family, InputTypes, Param, new_key
from mimgraph.builder.declare_body import BodyOutput, DeclaredBody, declare_body
from mimgraph.builder.declare_layer import option
from mimgraph.builder.names import check_output_name, content_key
from mimgraph.builder.records import CallContext, Record
from mimgraph.builder.tensor import Tensor
from mimgraph.builder.trace import Result, Trace
from mimgraph.builder.user_line import definition, spec_error
from mimgraph.builder.watched import as_given
from mimgraph.diagnostics import Label, Report, SpecError
from mimgraph.infer.graph import Given, GivenGroup, infer_node
from mimgraph.ir import declared_graph as ir
from mimgraph.ir.declared_graph import Call, carried
from mimgraph.ir.declared_values import Option
from mimgraph.ir.dim import Dim, Size, symbol
from mimgraph.ir.expression import plain
from mimgraph.ir.grammar import NODE_WORDS
from mimgraph.ir.names import input_fault, name_fault
from mimgraph.ir.typed_graph import TypedNode, results_of
from mimgraph.ir.types import TensorType
from mimgraph.ops.op import REQUIRED
from mimgraph.source import Span
from mimgraph.support.arguments import wrong
from mimgraph.support.entry_point import call_users, entry_point
from mimgraph.support.objects import LikeFunction

Parameters = ParamSpec("Parameters")
Params = ParamSpec("Params")
Source: TypeAlias = Tensor | None
Times: TypeAlias = Size | Mapping[str, object]


class TypedBlock(Family, Generic[Parameters]):
    """A block with the parameters of a function; at run time it is called as any other."""

    if TYPE_CHECKING:

        @overload  # type: ignore[override]  # more precise than the base, which may have any params
        def __call__(self, /, *sources: Parameters.args, **given: Parameters.kwargs) -> Tensor: ...

        # a layer: the parameters without the inputs, of which there are up to four

        @overload
        def __call__(
            self: TypedBlock[Concatenate[Tensor, Tensor, Tensor, Tensor, Params]],
            /,
            *args: Params.args,
            **params: Params.kwargs,
        ) -> BlockCall: ...
        @overload
        def __call__(
            self: TypedBlock[Concatenate[Tensor, Tensor, Tensor, Params]],
            /,
            *args: Params.args,
            **params: Params.kwargs,
        ) -> BlockCall: ...
        @overload
        def __call__(
            self: TypedBlock[Concatenate[Tensor, Tensor, Params]],
            /,
            *args: Params.args,
            **params: Params.kwargs,
        ) -> BlockCall: ...
        @overload
        def __call__(
            self: TypedBlock[Concatenate[Tensor, Params]],
            /,
            *args: Params.args,
            **params: Params.kwargs,
        ) -> BlockCall: ...
        @overload  # a None is more likely a param than a source
        def __call__(  # type: ignore[overload-overlap]
            self, param: Param, /, *params: Param, **options: Param
        ) -> BlockCall: ...

        # with a word of the node

        @overload
        def __call__(  # type: ignore[overload-overlap]
            self, /, *sources: Source, name: str | None, **given: Source | Param
        ) -> Tensor: ...
        @overload
        def __call__(
            self, source: Tensor, /, *sources: Source, repeat: Times, **given: Source | Param
        ) -> Tensor: ...
        @overload
        def __call__(
            self, source: Tensor, /, *sources: Source, over: int, **given: Source | Param
        ) -> Tensor: ...
        @overload
        def __call__(
            self, source: Tensor, /, *sources: Source, freeze: bool, **given: Source | Param
        ) -> Tensor: ...
        @overload
        def __call__(
            self, source: Tensor, /, *sources: Source, take: str | int, **given: Source | Param
        ) -> Tensor: ...
        @overload
        def __call__(self, /, *, repeat: Times, **options: Param) -> BlockCall: ...
        @overload
        def __call__(self, /, *, over: int, **options: Param) -> BlockCall: ...
        @overload
        def __call__(self, /, *, freeze: bool, **options: Param) -> BlockCall: ...
        @overload
        def __call__(self, /, *, take: str | int, **options: Param) -> BlockCall: ...
        def __call__(self, /, *args: Any, **keywords: Any) -> Any: ...


# Turn a function on handles into a block: each call of the block runs the function.
#
# A param stays a param of the declared block if no Python code decides by its value; otherwise
# the value is fixed in the block. Runs that declare equal blocks share one.


_FINAL = "_mimgraph_final"  # marks an exception raised on plain numbers, too

# the keys of the blocks that a function declared, by their content
_keys: WeakKeyDictionary[CodeType, dict[Hashable, str]] = WeakKeyDictionary()

ParamValues = Mapping[str, object]
InputType: TypeAlias = TensorType | Mapping[str, TensorType]  # of a group those of its members


class Run(NamedTuple):
    """The block that one run of a function declared, and the types of its outputs."""

    declared: DeclaredBlock
    outputs: Mapping[str, TensorType]


@entry_point
def block(
    function: Callable[Parameters, Tensor | Mapping[str, Tensor]],
) -> BlockFunction[Parameters]:
    """Make a function on handles a block, which is called like a layer.

    The arguments before `*` are its inputs, those after it its params. A call may leave out an input
    with the default None, and the function then runs with None:

        @mg.block
        def encode(x: mg.Tensor, mask: mg.Tensor | None = None, *, width: int = 64) -> mg.Tensor:
            y = layers.Linear(width)(x)
            return y if mask is None else y * mask

        encode(x), encode(x, mask=m), encode(width=128)(x)
    """
    if not inspect.isroutine(function) or not hasattr(function, "__code__"):
        raise wrong("a block", "a function of handles, decorated with @mg.block", function)
    return BlockFunction(function)


class BlockFunction(LikeFunction, TypedBlock[Parameters]):
    """A function as a block; its arguments before `*` are the inputs, those after it the params.

    An input with the default None is optional: where a call leaves it out, the function runs with None,
    and the block that it declares has no such input.
    """

    def __init__(self, function: Callable[..., Tensor | Mapping[str, Tensor]]) -> None:
        self.function = function
        self.name = function.__name__
        self.span = definition(function)
        self.doc = inspect.getdoc(function) or ""
        self.inputs, self.optional, self.defaults = self._signature()
        self.own_defaults = self.defaults  # of the function itself
        self.known: dict[str, ir.Block] = {}  # by key; equal runs share one
        self.__name__ = self.__qualname__ = self.name
        self.__doc__ = function.__doc__
        self.__module__ = function.__module__
        self.__wrapped__ = function

    def _signature(self) -> tuple[tuple[str, ...], frozenset[str], dict[str, Any]]:
        """Return the names of the inputs and of the optional inputs, and the defaults of the params."""
        inputs: list[str] = []
        optional: list[str] = []
        defaults: dict[str, Any] = {}
        for parameter in inspect.signature(self.function).parameters.values():
            if parameter.kind is parameter.KEYWORD_ONLY:
                defaults[parameter.name] = parameter.default
            elif parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
                raise TypeError(f"{self.name}: a block has no *{parameter.name}")
            elif parameter.default is not REQUIRED and parameter.default is not None:
                help = "its only default is None, and params come after *"
                raise TypeError(f"{self.name}: {parameter.name} is an input: {help}")
            else:
                inputs.append(parameter.name)
                optional += [parameter.name] if parameter.default is None else []
        if not inputs:
            raise TypeError(f"{self.name}: a block has an input, an argument before *")
        if len(optional) == len(inputs):
            message = f"the first input, {inputs[0]}, has no default, as the block runs on it"
            raise TypeError(f"{self.name}: {message}")
        for name in (self.name, *inputs, *defaults):
            reason = (input_fault if name in inputs else name_fault)(name)
            if name in NODE_WORDS and name in defaults:
                reason = f"{name} is a key of every node"
            if reason is not None:
                raise spec_error("bad-name", f"{name!r} cannot be a name", self.span, reason)
        return tuple(inputs), frozenset(optional), defaults

    def __reduce__(self) -> str | tuple[Any, ...]:
        """Return what a pickle holds: where the block stands in its module, as for a function."""
        function = self.function
        found: Any = sys.modules.get(function.__module__)
        for name in function.__qualname__.split("."):
            found = getattr(found, name, None)
        if found is self:
            return function.__qualname__
        if isinstance(found, BlockFunction) and found.function is function:
            return BlockFunction.with_defaults, (found, self.defaults)
        raise PicklingError(
            f"the block {self.name} cannot be pickled, as it is not the {function.__qualname__} of"
            f" {function.__module__}: define it at the top of a module"
        )

    def __copy__(self) -> BlockFunction[Parameters]:
        return self

    def __deepcopy__(self, memo: object) -> BlockFunction[Parameters]:
        """Return the block itself, as a copy of a function is the function."""
        return self

    def with_defaults(self, values: ParamValues) -> BlockFunction[Parameters]:
        """Return the same function with other defaults."""
        made = object.__new__(BlockFunction)
        made.__dict__.update(self.__dict__)
        made.defaults = {**self.defaults, **values}
        return made

    def declare(
        self,
        arguments: list[ParamValues],
        types: InputTypes,
        context: CallContext,
        counter: str = "",
    ) -> DeclaredBlock:
        """Run the function for each time of a repeat; all runs must declare equal blocks.

        Each run takes the types that the run before returned. Times with equal arguments and types
        are one run, as the function cannot change between them.
        """
        use = Label(context.span, f"used here as {context.name}")
        found: list[Run] = []
        runs: dict[Hashable, Run] = {}
        for given in arguments:
            types = {name: _plain_type(type_) for name, type_ in types.items()}
            known = content_key((given, types))
            if known not in runs:
                params = {**self.defaults, **as_given(given)}
                runs[known] = self._run_for(use, params, types, context.trace)
            found.append(runs[known])
            if found[-1].declared.key != found[0].declared.key:
                message = f"{self.name} declares another graph at time {len(found)} than at first"
                help = _repeat_help(arguments, found[0].declared)
                raise spec_error("bad-option", message, context.span, help)
            outputs = results_of(found[-1].outputs)
            fed = carried(types, tuple(found[-1].outputs), counter)
            types |= {name: outputs[port] for name, port in fed.items()}
        decides_by_sizes = any(run.declared.decides_by_sizes for run in found)
        return found[0].declared._replace(decides_by_sizes=decides_by_sizes)

    # --- one run ----------------------------------------------------------------------------------

    def _run_for(
        self, use: Label, params: ParamValues, types: InputTypes, outer: Trace | None
    ) -> Run:
        """Run the function for one use of the block, which its diagnostics show with a label."""
        try:
            return self._run(params, types, outer)
        except SpecError as error:
            if all(d.span != use.span for d in error.diagnostics):
                error.diagnostics[:] = [
                    replace(d, labels=(*d.labels, use)) for d in error.diagnostics
                ]
            raise

    def _run(self, params: ParamValues, types: InputTypes, outer: Trace | None) -> Run:
        """Run the function on numbers that record their use; if it fails, on plain numbers."""
        try:
            return self._run_once(params, types, outer, watched=True)
        except SpecError:
            raise
        except Exception as error:
            if getattr(error, _FINAL, False):  # raised by a block that the function calls
                raise
        try:  # code in C may take nothing but an int
            return self._run_once(params, types, outer, watched=False)
        except Exception as error:
            setattr(error, _FINAL, True)
            raise

    def _run_once(
        self, params: ParamValues, types: InputTypes, outer: Trace | None, watched: bool
    ) -> Run:
        """Run the function on new handles, and declare the block from the calls that it made."""
        declarable = {name: value for name, value in params.items() if _is_data(value)}
        sizes = {n: one.dims for n, one in types.items() if isinstance(one, TensorType)}
        trace = Trace(self.name, declarable, sizes, outer, watched)
        inputs = {
            name: Record(self._given(name, type_), self.span, name, name, trace)
            for name, type_ in types.items()
        }
        try:
            arguments = {**as_given({**params}), **trace.arguments()}
            handles = [Tensor(inputs[name]) if name in inputs else None for name in self.inputs]
            returned = call_users(self.function, *handles, **arguments)
            trace.close()
            return self._declare(returned, inputs, params, trace)
        finally:
            trace.close()
            trace.release()

    def _declare(
        self, returned: object, inputs: Mapping[str, Record], params: ParamValues, trace: Trace
    ) -> Run:
        """Declare the block of a run from the value that the function `returned`."""
        outputs = self._outputs(returned, trace)
        if trace.results:
            trace.decided_by |= deciding_axes(trace, inputs, self.span)
        body = self._body(outputs, inputs, trace)
        key, block = self._shared(self._block(body, inputs, params, trace))
        blocks = {**body.blocks, key: block}
        declared = DeclaredBlock(key, blocks, trace.decides_by_sizes, body.borrowed)
        return Run(declared, {name: handle.typed() for name, handle in outputs})

    def _outputs(self, returned: object, trace: Trace) -> list[tuple[str, Tensor]]:
        """Return the returned handles by public name; "" for a sole tensor."""
        named = isinstance(returned, Mapping)
        pairs = returned.items() if isinstance(returned, Mapping) else [("", returned)]
        found: list[tuple[str, Tensor]] = []
        for name, handle in pairs:
            if not isinstance(handle, Tensor):
                raise TypeError(f"{self.name} returns a tensor or a dict of them, not {handle!r}")
            if handle.record.trace is not trace:
                message = f"{handle.record.label} was made outside the block {self.name}"
                help = "give it to the block as an argument"
                raise spec_error("unknown-source", message, self.span, help)
            if named:
                check_output_name(name, self.span)
            found.append((name, handle))
        if not found:
            raise TypeError(f"{self.name} returns no tensor")
        return found

    def _body(
        self, outputs: list[tuple[str, Tensor]], inputs: Mapping[str, Record], trace: Trace
    ) -> DeclaredBody:
        """Return the declared body; if declaring it fixes another param, declare it again."""
        named = [BodyOutput(name, handle) for name, handle in outputs]
        while True:
            known = len(trace.decided_by)
            trace.declared_names.clear()
            body = declare_body(named, inputs.values(), trace, self.span)
            if len(trace.decided_by) == known:
                return body

    def _block(
        self, body: DeclaredBody, inputs: Iterable[str], params: ParamValues, trace: Trace
    ) -> ir.Block:
        """Return the block with this body; only names in the body stay params."""
        fixed = {
            name: value
            for name, value in params.items()
            if name not in trace.declared_names and value is not REQUIRED
        }
        return ir.Block(
            self.name,
            self.span,
            {name: self._default(name) for name in trace.params if name not in fixed},
            tuple(ir.BlockInput(n, self.span, self._pattern(n, trace)) for n in inputs),
            body.nodes,
            body.outputs,
            doc=self.doc,
            function=self.with_defaults(fixed),
        )

    def _shared(self, block: ir.Block) -> tuple[str, ir.Block]:
        """Return the key and the block of the first run that declared an equal block.

        A function inside another is a new object at each run of the outer one; its code is the same.
        """
        keys = _keys.setdefault(self.function.__code__, {})
        key = keys.setdefault(content_key(block), new_key(self.name))
        return key, self.known.setdefault(key, block)

    def _pattern(self, name: str, trace: Trace) -> ir.InputShape | None:
        """Return the shape of an input: a name for each dim, or the number if Python code decided
        by it.

        Return None if the body names no dim and no Python code asked for the number of dims.
        """
        if name not in trace.sizes:  # a group, whose members may differ
            return None
        if name not in trace.ranked and trace.declared_names.isdisjoint(trace.axes(name)):
            return None
        return trace.pattern(name, self.span)

    def _given(self, name: str, type_: InputType) -> Given | GivenGroup:
        """Return an input, of one tensor or a group."""
        declared = ir.BlockInput(name, self.span)
        if isinstance(type_, TensorType):
            return Given(declared, type_)
        return GivenGroup(declared, type_)

    def _default(self, name: str) -> Option:
        default = self.defaults[name]
        return option(default if _is_data(default) else None, self.span)


def _repeat_help(arguments: list[ParamValues], first: DeclaredBlock) -> str:
    """Return the help for a repeat whose times would need different blocks."""
    for name in arguments[0]:
        values = [content_key(as_given(given[name])) for given in arguments]
        if name not in first.params and any(other != values[0] for other in values):
            return f"{name} decides in Python what is declared: call the block once for each value"
    return "the function decides by sizes that change: call the block once for each"


def _is_data(value: object) -> bool:
    """Return whether a spec can hold the value of a param; another value is only given to the
    function."""
    if isinstance(value, list | tuple):
        return all(map(_is_data, value))
    return isinstance(value, bool | int | float | str | Dim)


def _plain_type(type_: InputType) -> InputType:
    """Return a type whose sizes do not remember names of the outer block."""
    if not isinstance(type_, TensorType):
        return {name: replace(one, dims=tuple(map(plain, one.dims))) for name, one in type_.items()}
    return replace(type_, dims=tuple(map(plain, type_.dims)))


# Find the input sizes that can change a result's size by which a block's function decided.


def deciding_axes(trace: Trace, inputs: Mapping[str, Record], span: Span) -> set[str]:
    """Return the axes of inputs whose size can change the size of a result by which Python code
    decided.

    Other axes may have any size: with symbols as their sizes, the nodes before those results are
    legal, and the results have the same sizes.
    """
    fixed = {
        axis
        for name in trace.sizes
        for axis, size in trace.axes(name).items()
        if not isinstance(size, Dim) and axis not in trace.decided_by
    }
    if trace.sizes.keys() != inputs.keys():  # a group has no axes of its own to open
        return fixed
    try:
        body, block = _leading_to(trace, inputs, span)
    except SpecError:  # two nodes may have one name, if the outputs need only one of them
        return fixed

    def results_are_the_same(open_axes: set[str]) -> bool:
        nodes = _typed(body, block, _opened(trace, inputs, open_axes))
        return nodes is not None and all(
            _is_same(result, nodes[body.names[result.record]]) for result in trace.results
        )

    if results_are_the_same(fixed):
        return set()
    free: set[str] = set()
    for axis in sorted(fixed):
        if results_are_the_same({*free, axis}):
            free.add(axis)
    return fixed - free


def _leading_to(
    trace: Trace, inputs: Mapping[str, Record], span: Span
) -> tuple[DeclaredBody, ir.Block]:
    """Return the body with the nodes before the results, and a block of it with the values as
    defaults."""
    records = dict.fromkeys(result.record for result in trace.results)
    ends = [BodyOutput("", _one_result(record)) for record in records]
    body = declare_body(ends, inputs.values(), trace, span)
    block = ir.Block(
        trace.family,
        span,
        {name: option(value, span) for name, value in trace.params.items()},
        tuple(ir.BlockInput(name, span, trace.pattern(name, span)) for name in inputs),
        body.nodes,
        body.outputs,
    )
    return body, block


def _one_result(record: Record) -> Tensor:
    """Return the default result of a call, or else its first."""
    return Tensor(record, None if record.default is not None else next(iter(record.results)))


def _opened(
    trace: Trace, inputs: Mapping[str, Record], open_axes: set[str]
) -> Mapping[str, TensorType]:
    """Return the types of the inputs with symbols at the open axes; a user's size cannot have such
    a name."""
    found = {}
    for name, record in inputs.items():
        dims = [
            symbol(f"?{axis}") if axis in open_axes else size
            for axis, size in trace.axes(name).items()
        ]
        found[name] = replace(record.results[""], dims=tuple(dims))
    return found


def _typed(
    body: DeclaredBody, block: ir.Block, types: Mapping[str, TensorType]
) -> Mapping[str, TypedNode] | None:
    """Return the nodes of a block typed for these inputs; None if one does not fit."""
    span = block.span
    sources = tuple(ir.Source(name, None, span) for name in types)
    node = ir.Node("use", span, Call("", span, {}, None, None), sources)
    made = {one.name: Given(one, types[one.name]) for one in block.inputs}
    report = Report()
    typed = infer_node(node, made, report, {**body.blocks, "": block})
    if typed is None or report.diagnostics:
        return None
    (inner,) = typed.typed.operation.bodies
    return {one.name: one for one in inner.nodes}


def _is_same(result: Result, node: TypedNode) -> bool:
    """Return whether a result, or each result of a call, has the same sizes as in the run."""
    before, now = result.record.results, node.results
    if result.port is None or result.axis is None:
        return before.keys() == now.keys() and all(
            before[port].dims == now[port].dims for port in before
        )
    if result.port not in before or result.port not in now:  # a weight of the layer
        return False
    return before[result.port].dims[result.axis] == now[result.port].dims[result.axis]
