"""Turn a function of handles into a block; each call runs the function.

What it declares has as params those whose value decides nothing in Python; the values of the others
are a part of it. Runs that declare the same are one block.
"""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Mapping
from copy import copy
from dataclasses import replace
from itertools import count
from types import CodeType
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from mimgraph.builder.blocks.deciding_sizes import deciding_axes
from mimgraph.builder.content_key import content
from mimgraph.builder.declare_graph import DeclaredBody, Output, check_output_name, declare_body
from mimgraph.builder.declare_layer import declare_freeze, declare_options, declare_take, option
from mimgraph.builder.feed import Draft, Feed
from mimgraph.builder.record import Record, Tensor
from mimgraph.builder.tracing.trace import Trace
from mimgraph.builder.tracing.watched import RESULTS, as_given, look_at, unwatched
from mimgraph.builder.user_line import definition, fail
from mimgraph.diagnostics import Diagnostic, Label, SpecError
from mimgraph.infer.single_node import Given, Made
from mimgraph.ir import graph as ir
from mimgraph.ir.dim import Dim
from mimgraph.ir.expression import plain
from mimgraph.ir.names import NODE_WORDS, input_fault, name_fault
from mimgraph.ir.typed import Repeated, TypedNode, Use
from mimgraph.ir.types import TensorType
from mimgraph.ops.registry import REQUIRED, Applicable, is_source
from mimgraph.source import Span
from mimgraph.support.arguments import shown, wrong
from mimgraph.support.frozen_data import data

WORDS = ("repeat", "take", "freeze")  # of a use, beside its params

_FINAL = "_mimgraph_final"  # marks an exception that the function raises with plain numbers, too

_numbers = count()
_keys: WeakKeyDictionary[CodeType, dict[Hashable, str]] = WeakKeyDictionary()  # by content


def new_key(family: str) -> str:
    """What a block is called until its graph is made."""
    return f"{family}#{next(_numbers)}"


@data
class Traced:
    """What one run of a block's function declared. `key` is the same for runs that declare the same."""

    key: str
    blocks: Mapping[str, ir.Block]
    decides_by_sizes: bool
    outputs: Mapping[str, TensorType]


class Declared(NamedTuple):
    """Holds a declared block: its key, and by key the block itself and those that it uses.

    If it `decides_by_sizes`, inputs of other sizes could need another block.
    """

    key: str
    blocks: Mapping[str, ir.Block]
    decides_by_sizes: bool = False

    @property
    def params(self) -> Mapping[str, ir.Option]:
        return self.blocks[self.key].params


class Family(ABC):
    """A block as it is called: on handles it is applied; on params it is a layer, to be called on
    handles. `defaults` are its params, REQUIRED where the caller must give them."""

    name: str
    span: Span
    inputs: tuple[str, ...]
    defaults: Mapping[str, Any]

    def __repr__(self) -> str:
        return f"<block {self.name}>"

    def __call__(self, *args: Any, **keywords: Any) -> Any:
        if not any(map(is_source, (*args, *keywords.values()))):
            return BlockCall(self, args, keywords)
        name = keywords.pop("name", None)
        words = {*self.defaults, *WORDS}
        params = {k: v for k, v in keywords.items() if k in words and not is_source(v)}
        named = {k: v for k, v in keywords.items() if k not in params}
        return self.applied(params)(*args, name=name, **named)

    def applied(self, params: dict[str, Any]) -> BlockCall:
        """What a call on handles with these params applies: a module of its own."""
        return BlockCall(self, (), params)

    @property
    def stem(self) -> str:
        """What the names of its uses begin with."""
        return self.name

    @abstractmethod
    def declare(
        self, arguments: list[Mapping[str, Any]], types: dict[str, TensorType], feed: Feed
    ) -> Declared:
        """The block for these params of each time and types of inputs."""


class BlockFunction(Family):
    """A function whose arguments before `*` are the inputs of a block, and those after it its params."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self.name = function.__name__
        self.span = definition(function)
        self.doc = inspect.getdoc(function) or ""
        self.inputs, self.defaults = self._signature()
        self.known: dict[str, ir.Block] = {}  # by key, to be one for all runs
        self.__name__ = self.__qualname__ = self.name
        self.__doc__ = function.__doc__
        self.__module__ = function.__module__
        self.__wrapped__ = function

    def _signature(self) -> tuple[tuple[str, ...], dict[str, Any]]:
        """The names of the inputs, and the defaults of the params."""
        inputs: list[str] = []
        defaults: dict[str, Any] = {}
        for parameter in inspect.signature(self.function).parameters.values():
            if parameter.kind is parameter.KEYWORD_ONLY:
                defaults[parameter.name] = parameter.default
            elif parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
                raise TypeError(f"{self.name}: a block has no *{parameter.name}")
            elif parameter.default is not REQUIRED:
                raise TypeError(f"{self.name}: {parameter.name} is an input, params stand after *")
            else:
                inputs.append(parameter.name)
        if not inputs:
            raise TypeError(f"{self.name}: a block has an input, an argument before *")
        for name in (self.name, *inputs, *defaults):
            reason = (input_fault if name in inputs else name_fault)(name)
            if name in NODE_WORDS and name in defaults:
                reason = f"{name} is a key of every node"
            if reason is not None:
                raise fail("bad-name", f"{name!r} cannot be a name", self.span, reason)
        return tuple(inputs), defaults

    def declare(
        self, arguments: list[Mapping[str, Any]], types: dict[str, TensorType], feed: Feed
    ) -> Declared:
        """Run the function for each time on what the time before gave; all must declare the same.

        Times that are given the same are one run, as the function cannot change between them.
        """
        use = Label(feed.span, f"used here as {feed.name}")
        found: list[Traced] = []
        runs: dict[Any, Traced] = {}
        for given in arguments:
            types = {name: _plain_type(type_) for name, type_ in types.items()}
            known = content((given, types))
            if known not in runs:
                params = {**self.defaults, **as_given(given)}
                runs[known] = self._run_for(use, params, tuple(types.values()), feed.trace)
            found.append(runs[known])
            if found[-1].key != found[0].key:
                message = f"{self.name} declares another graph at time {len(found)} than at first"
                raise fail("bad-option", message, feed.span, _one_call_each(arguments, found[0]))
            types |= _carried(self.inputs, found[-1].outputs)
        decides_by_sizes = any(run.decides_by_sizes for run in found)
        return Declared(found[0].key, found[0].blocks, decides_by_sizes)

    def _run_for(
        self,
        use: Label,
        params: Mapping[str, Any],
        types: tuple[TensorType, ...],
        outer: Trace | None,
    ) -> Traced:
        """Run the function for one use, which a fault in it is labelled with."""
        try:
            return self._run(params, types, outer)
        except SpecError as error:
            if all(d.span != use.span for d in error.diagnostics):
                error.diagnostics[:] = [
                    replace(d, labels=(*d.labels, use)) for d in error.diagnostics
                ]
            raise

    def _run(
        self, params: Mapping[str, Any], types: tuple[TensorType, ...], outer: Trace | None
    ) -> Traced:
        """Run the function on fresh handles, and declare what it did."""
        try:
            return self._traced(params, types, outer, True)
        except SpecError:
            raise
        except Exception as error:
            if getattr(error, _FINAL, False):  # of a block in this one
                raise
        try:  # code in C may take nothing but an int
            return self._traced(params, types, outer, False)
        except Exception as error:
            setattr(error, _FINAL, True)
            raise

    def _traced(
        self,
        params: Mapping[str, Any],
        types: tuple[TensorType, ...],
        outer: Trace | None,
        watched: bool,
    ) -> Traced:
        """Run the function once, on numbers that record their use (`watched`) or on plain ones."""
        declarable = {name: value for name, value in params.items() if _is_data(value)}
        sizes = {name: type_.dims for name, type_ in zip(self.inputs, types, strict=True)}
        trace = Trace(self.name, declarable, sizes, outer, watched)
        handles = [
            Tensor(
                Record(Given(ir.BlockInput(name, self.span), type_), self.span, name, name, trace)
            )
            for name, type_ in zip(self.inputs, types, strict=True)
        ]
        try:
            returned = self.function(*handles, **{**as_given({**params}), **trace.arguments()})
            trace.close()
            return self._declared_by(returned, [handle.record for handle in handles], params, trace)
        finally:
            trace.close()
            trace.release()

    def _declared_by(
        self, returned: Any, inputs: list[Record], params: Mapping[str, Any], trace: Trace
    ) -> Traced:
        """Declare what a run made that `returned` this."""
        outputs = self._outputs(returned, trace)
        named = [(name, Output(handle)) for name, handle in outputs]
        if trace.results:
            by_name = dict(zip(self.inputs, inputs, strict=True))
            trace.seen |= deciding_axes(trace, by_name, self.span)
        body = self._declared(named, inputs, trace)
        key, block = self._one_of(self._block(body, params, trace))
        results = {name: handle.typed() for name, handle in outputs}
        return Traced(key, {**body.blocks, key: block}, trace.decides_by_sizes, results)

    def _block(self, body: DeclaredBody, params: Mapping[str, Any], trace: Trace) -> ir.Block:
        """Return the block with this body; a param that it does not speak of is a part of it."""
        fixed = {
            name: value
            for name, value in params.items()
            if name not in trace.spoken and value is not REQUIRED
        }
        return ir.Block(
            self.name,
            self.span,
            {name: self._default(name) for name in trace.params if name not in fixed},
            tuple(ir.BlockInput(n, self.span, self._pattern(n, trace)) for n in self.inputs),
            body.nodes,
            body.outputs,
            doc=self.doc,
            function=self.with_defaults(fixed),
        )

    def _declared(
        self, outputs: list[tuple[str, Output]], inputs: list[Record], trace: Trace
    ) -> DeclaredBody:
        """Return the declared body; it is built again if a param turns out to be fixed."""
        while True:
            seen = len(trace.seen)
            trace.spoken.clear()
            body = declare_body(outputs, inputs, trace, self.span)
            if len(trace.seen) == seen:
                return body

    def _one_of(self, block: ir.Block) -> tuple[str, ir.Block]:
        """Return the key and the block of the first run that declared the same.

        A function that is defined inside of another's is made again by each run of it.
        """
        keys = _keys.setdefault(self.function.__code__, {})
        key = keys.setdefault(content(block), new_key(self.name))
        return key, self.known.setdefault(key, block)

    def with_defaults(self, values: Mapping[str, Any]) -> BlockFunction:
        """Return the same function with other defaults."""
        made = copy(self)
        made.defaults = {**self.defaults, **values}
        return made

    def _pattern(self, name: str, trace: Trace) -> ir.InputShape | None:
        """Return a name for every dim of an input, and for those by which the function decided their
        numbers, if the body speaks of one or the function knows how many there are."""
        if name not in trace.ranked and trace.spoken.isdisjoint(trace.axes(name)):
            return None
        return trace.pattern(name, self.span)

    def _default(self, name: str) -> ir.Option:
        default = self.defaults[name]
        return option(default if _is_data(default) else None, self.span)

    def _outputs(self, returned: Any, trace: Trace) -> list[tuple[str, Tensor]]:
        """What the function returned by public name; "" where there is but one."""
        named = isinstance(returned, Mapping)
        pairs = list(returned.items()) if named else [("", returned)]
        for name, handle in pairs:
            if not isinstance(handle, Tensor):
                raise TypeError(f"{self.name} returns a tensor or a dict of them, not {handle!r}")
            if handle.record.trace is not trace:
                message = f"{handle.record.label} stands outside the block {self.name}"
                help = "give it to the block as an argument"
                raise fail("unknown-source", message, self.span, help)
            if named:
                check_output_name(name, self.span)
        if not pairs:
            raise TypeError(f"{self.name} returns no tensor")
        return pairs


def block(function: Callable[..., Any]) -> BlockFunction:
    """Make a function of handles a block, which is called like a layer."""
    if not inspect.isroutine(function) or not hasattr(function, "__code__"):
        raise wrong("a block", "a function of handles, decorated with @mg.block", function)
    return BlockFunction(function)


class BlockCall(Applicable):
    """A block with its params, not yet applied; applied twice, its weights are shared."""

    def __init__(self, family: Family, args: tuple[Any, ...], keywords: dict[str, Any]) -> None:
        self.family = family
        self.args = args
        self.keywords = keywords
        self.uses: dict[Any, Any] = {}

    def __repr__(self) -> str:
        shown = [*map(repr, self.args), *(f"{k}={v!r}" for k, v in self.keywords.items())]
        return f"{self.family.name}({', '.join(shown)})"

    @property
    def label(self) -> str:
        return self.family.name

    def given(self, params: Mapping[str, Any]) -> BlockCall:
        """The block with further params."""
        return BlockCall(self.family, self.args, {**self.keywords, **params})

    @property
    def stem(self) -> str:
        return self.family.stem

    @property
    def argument_names(self) -> tuple[str, ...]:
        return self.family.inputs

    def draft(self, feed: Feed) -> Draft:
        """Check the call, and type it as a use of the block that the family declares for it."""
        call = self._declare(feed.span)
        arguments, types = self._check(call, feed)
        declared = self.family.declare(arguments, types, feed)
        key, blocks = declared.key, declared.blocks
        _note_use(call, declared, feed.trace)
        call = replace(
            call,
            block=key,
            params=_known(call.params, declared),
            repeat=_varying(call.repeat, declared, feed.span),
        )
        take = declare_take(self.keywords, feed.span)
        freeze = declare_freeze(self.keywords, feed.span)
        try:
            return Draft(feed.infer(call, take, blocks, freeze), blocks)
        except SpecError as error:  # a body from a file knows nothing of the user's line
            use = Label(feed.span, f"used here as {feed.name}")
            error.diagnostics[:] = [_with_use(found, use) for found in error.diagnostics]
            raise

    def claim(self, typed: TypedNode, feed: Feed) -> None:
        """A block function is free to be used elsewhere."""

    def _declare(self, span: Span) -> ir.Call:
        params = {k: v for k, v in self.keywords.items() if k not in WORDS}
        names = list(self.family.defaults)
        options, lone = declare_options(self.family.name, names, self.args, params, span)
        repeat = _repeat(unwatched(self.keywords.get("repeat")), span)
        return ir.Call("", span, options, lone, repeat)

    def _check(
        self, call: ir.Call, feed: Feed
    ) -> tuple[list[Mapping[str, Any]], dict[str, TensorType]]:
        """The arguments of each time and the types of the inputs, from a block without nodes."""
        family, span = self.family, self.family.span
        empty = ir.Block(
            family.name,
            span,
            {k: option(None if v is REQUIRED else 0, span) for k, v in family.defaults.items()},
            tuple(ir.BlockInput(name, span) for name in family.inputs),
            (),
            tuple(ir.Output(name, ir.Source(name, None, span), span) for name in family.inputs),
        )
        typed = feed.infer(call, None, {call.block: empty})
        operation = typed.operation
        assert isinstance(operation, Use | Repeated)
        times = operation.arguments if isinstance(operation, Repeated) else [operation.arguments]
        types = {k: _type_of(feed.made[v.name], v.port) for k, v in typed.arguments.items()}
        own = self._own(call)
        return [{**given, **own} for given in times] or [own], types

    def _own(self, call: ir.Call) -> dict[str, Any]:
        """Return the params as the caller gave them; a tuple stays a tuple."""
        given = {**dict(zip(self.family.defaults, self.args, strict=False)), **self.keywords}
        return {name: as_given(given[name]) for name in call.params}


def _with_use(found: Diagnostic, use: Label) -> Diagnostic:
    """The fault with its use as a label, unless it tells of that file already."""
    places = (found.span, *(label.span for label in found.labels))
    if any(place.file is use.span.file for place in places):
        return found
    return replace(found, labels=(*found.labels, use))


def _note_use(call: ir.Call, declared: Declared, trace: Trace | None) -> None:
    """Record in the block around a use which values decided in Python which block is used."""
    each = call.repeat.each if call.repeat else {}
    for name, given in (*call.params.items(), *each.items()):
        if name not in declared.params:
            look_at(given.value)
    if declared.decides_by_sizes and trace is not None:
        trace.note(RESULTS)


def _known(options: Mapping[str, ir.Option], declared: Declared) -> dict[str, ir.Option]:
    """Return the options that are params of the block; the values of the others are baked in."""
    return {name: given for name, given in options.items() if name in declared.params}


def _varying(repeat: ir.Repeat | None, declared: Declared, span: Span) -> ir.Repeat | None:
    """Return the repeat with only those varying values that are params of the block."""
    if repeat is None or not repeat.each:
        return repeat
    each = _known(repeat.each, declared)
    times = len(next(iter(repeat.each.values())).value)  # a list for each, as was checked
    return repeat._replace(each=each, times=repeat.times if each else option(times, span))


def _one_call_each(arguments: list[Mapping[str, Any]], first: Traced) -> str:
    """Return what to write where the times of a repeat would need different blocks."""
    known = first.blocks[first.key].params
    for name in arguments[0]:
        values = [content(as_given(given[name])) for given in arguments]
        if name not in known and any(other != values[0] for other in values):
            return f"{name} decides in Python what is declared: call the block once for each value"
    return "the function decides by sizes that change: call the block once for each"


def _carried(
    inputs: tuple[str, ...], outputs: Mapping[str, TensorType]
) -> Mapping[str, TensorType]:
    """What one time hands to the next: a single output to the first input, several by name."""
    if len(outputs) == 1:
        return dict(zip(inputs[:1], outputs.values(), strict=True))
    return {name: type_ for name, type_ in outputs.items() if name in inputs}


def _type_of(made: Made, port: str) -> TensorType:
    return made.type if isinstance(made, Given) else made.results[port]


def _repeat(given: Any, span: Span) -> ir.Repeat | None:
    """`repeat=3`, or `repeat={"times": 3, "shared": True}`, or with constants `with` each."""
    if given is None:
        return None
    if not isinstance(given, Mapping):
        return ir.Repeat(option(given, span), False, {}, span)
    unknown = next((key for key in given if key not in ("times", "shared", "with")), None)
    if unknown is not None:
        help = "its keys: times, shared, with"
        raise fail("unknown-key", f"repeat has no key {unknown!r}", span, help)
    times, shared, each = given.get("times"), given.get("shared", False), given.get("with", {})
    if not isinstance(shared, bool) or not isinstance(each, Mapping):
        raise fail("wrong-type", "shared is true or false, and with is a mapping", span)
    for name in each:
        if not isinstance(name, str):
            raise fail("wrong-type", f"a param in with is a text, not {shown(name)}", span)
    if shared and each:
        raise fail("bad-option", "a shared repeat is one module: no with", span)
    if times is None and not each:
        raise fail("missing-key", "repeat needs times", span, "repeat=3")
    return ir.Repeat(
        None if times is None else option(times, span),
        shared,
        {name: option(values, span) for name, values in each.items()},
        span,
    )


def _is_data(value: Any) -> bool:
    """Whether a spec can hold the value of a param; others only the function itself sees."""
    if isinstance(value, list | tuple):
        return all(map(_is_data, value))
    return isinstance(value, bool | int | float | str | Dim)


def _plain_type(type_: TensorType) -> TensorType:
    """Return a type whose sizes do not remember names of the outer block."""
    return replace(type_, dims=tuple(map(plain, type_.dims)))
