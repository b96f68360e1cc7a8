"""Call a block: its arguments, params, `repeat` and `scan`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, cast, overload

from mimgraph.builder.declare_layer import (
    as_declared,
    data_tree,
    declare_options,
    option,
    refuse_name,
)
from mimgraph.builder.records import (
    BLOCK_OPTIONS,
    NO_CALLS,
    CallContext,
    Record,
    TypedCall,
    lent_to,
)
from mimgraph.builder.tensor import Tensor
from mimgraph.builder.trace import Trace
from mimgraph.builder.user_line import spec_error, user_line
from mimgraph.builder.watched import RESULTS, as_given, note_use, unwatched
from mimgraph.declare.tensors import read_scan
from mimgraph.declare.tree import mapping_of, scalar_of
from mimgraph.declare.uses import read_repeat
from mimgraph.diagnostics import Diagnostic, Label, SpecError
from mimgraph.infer.graph import Given, GivenGroup
from mimgraph.infer.repeat import index_type
from mimgraph.ir import declared_graph as ir
from mimgraph.ir.declared_graph import Call, Repeat
from mimgraph.ir.declared_values import Option
from mimgraph.ir.dim import Dim
from mimgraph.ir.typed_graph import TypedNode, Value, port_type
from mimgraph.ir.typed_operations import Repeated, Scan
from mimgraph.ir.types import TensorType
from mimgraph.ops.layer_call import Applicable, Uses, first_handle, is_source, items_of, no_handle
from mimgraph.ops.op import REQUIRED
from mimgraph.source import Span
from mimgraph.support.arguments import as_mapping, wrong
from mimgraph.support.entry_point import entry_point
from mimgraph.support.objects import Completed, unique_key

if TYPE_CHECKING:
    from mimgraph.builder.tensor import Tensor


Param: TypeAlias = (
    float | str | Dim | None | Sequence[object] | Mapping[str, object] | Callable[..., object]
)


def new_key(family: str) -> str:
    """Return a unique key for a block, until its graph gives it a name."""
    return f"{family}#{unique_key()}"


class DeclaredBlock(NamedTuple):
    """The key of a declared block, and by key the block itself and all blocks that it uses.

    If `decides_by_sizes`, inputs of other sizes may need another block. `borrowed` are the outer calls
    that the blocks share.
    """

    key: str
    blocks: Mapping[str, ir.Block]
    decides_by_sizes: bool = False
    borrowed: Mapping[str, Record] = NO_CALLS

    @property
    def params(self) -> Mapping[str, Option]:
        return self.blocks[self.key].params


# the types of the inputs of a block by name, of a group those of its members
InputTypes: TypeAlias = dict[str, TensorType | Mapping[str, TensorType]]


class Family(Completed, ABC):
    """A block that can be called: on handles, or on params to make a layer.

    `defaults` has the default of every param, REQUIRED for a param that the caller must give. A call
    may leave out the inputs that are `optional`.
    """

    _completed = ("defaults", "doc", "inputs", "name", "optional")
    name: str
    doc: str = ""
    span: Span
    inputs: tuple[str, ...]
    defaults: Mapping[str, Any]
    optional: frozenset[str] = frozenset()

    def __repr__(self) -> str:
        return f"<block {self.name}>"

    @overload
    def __call__(
        self, source: Tensor, /, *sources: Tensor | None, name: str | None = None, **options: object
    ) -> Tensor: ...
    @overload  # without arguments it is a layer, too
    def __call__(self, /, *params: Param, **options: Param) -> BlockCall: ...  # type: ignore[overload-overlap]
    @overload
    def __call__(self, /, *, name: str | None = None, **sources: Tensor | None) -> Tensor: ...
    @overload
    def __call__(
        self, /, *params: object, name: str | None = None, **given: object
    ) -> Tensor | BlockCall: ...
    @entry_point
    def __call__(self, /, *args: Any, **keywords: Any) -> Tensor | BlockCall:
        return self.call(args, keywords)

    def call(self, args: tuple[Any, ...], keywords: dict[str, Any]) -> Tensor | BlockCall:
        """Apply the block to the handles among the arguments; without any, return it as a layer."""
        given = (*args, *keywords.values())
        if not any(map(is_source, given)):
            for value in given:
                if any(map(is_source, items_of(value))):
                    raise no_handle(self.name, value)
            return BlockCall(self, args, keywords)
        name = keywords.pop("name", None)
        options = {*self.defaults, *BLOCK_OPTIONS}
        params = {k: v for k, v in keywords.items() if k in options and not is_source(v)}
        named = {k: v for k, v in keywords.items() if k not in params}
        applied: Tensor = self.applied(params).apply_to(args, named, name)
        return applied

    def applied(self, params: Mapping[str, object]) -> BlockCall:
        """Return the layer for a call on handles with these params."""
        return BlockCall(self, (), params)

    @property
    def stem(self) -> str:
        """The beginning of the names of its nodes that the user does not name."""
        return self.name

    @abstractmethod
    def declare(
        self,
        arguments: list[Mapping[str, object]],
        types: InputTypes,
        context: CallContext,
        counter: str = "",
    ) -> DeclaredBlock:
        """Return the block for the types of the inputs that are given, and for the params at each time
        of a repeat, whose number is the input `counter`."""


class BlockCall(Applicable):
    """A block with its params, which is called on handles; a second call shares the weights."""

    _completed = ("args", "each", "keywords", "scan")
    takes_groups = True  # a source with several ports is all of them

    def __init__(
        self, family: Family, args: tuple[object, ...], keywords: Mapping[str, object]
    ) -> None:
        self.family = family
        self.args = args
        self.keywords = keywords
        self.uses = Uses()
        self.argument_names = family.inputs
        self.optional = family.optional

    def __repr__(self) -> str:
        shown = [*map(repr, self.args), *(f"{k}={v!r}" for k, v in self.keywords.items())]
        return f"{self.family.name}({', '.join(shown)})"

    @property
    def label(self) -> str:
        return self.family.name

    @property
    def stem(self) -> str:
        return self.family.stem

    @property
    def option_names(self) -> tuple[str, ...]:
        return (*self.family.defaults, *BLOCK_OPTIONS)

    @property
    def words(self) -> Mapping[str, object]:
        words = {*BLOCK_OPTIONS} - self.family.defaults.keys()  # a param may be called lr
        return {k: v for k, v in self.keywords.items() if k in words}

    @entry_point
    def scan(
        self,
        *sources: Tensor,
        over: int | Mapping[str, int] = 1,
        carry: Mapping[str, Tensor] | None = None,
        name: str | None = None,
        **named: Tensor,
    ) -> Tensor:
        """Run the block once for each step along an axis of its sources, and stack the results.

        `over` is the axis of all sources, or the axis by source: `{"x": 1, "m": 2}`; sources that it
        does not name are the same at each step. `carry` has the initial values of the inputs that
        each step hands to the next: `{"h": h0}`.
        """
        call, given = scan(self, sources, named, over, carry)
        handle = cast("Tensor", first_handle(self.label, *given.values()))
        return handle.apply_layer(call, (), given, name)

    def given(self, params: Mapping[str, object]) -> BlockCall:
        """Return the block with further params."""
        return BlockCall(self.family, self.args, {**self.keywords, **params})

    def type_call(self, context: CallContext) -> TypedCall:
        """Check the call, and type it as a use of the block that the family declares for it."""
        call = self._declare(context.span)
        arguments, types = self._check(call, context)
        counter = call.repeat.counter.name if call.repeat and call.repeat.counter else ""
        declared = self.family.declare(arguments, types, context, counter)
        _note_use(call, declared, context.trace)
        call = replace(
            call,
            block=declared.key,
            params=_only_params(call.params, declared),
            repeat=_repeat_of_params(call.repeat, self.family, declared, context.span),
        )
        try:
            lending = lent_to(context, declared.borrowed)
            node = lending.infer(call, self.words, declared.blocks).typed
        except SpecError as error:  # the body may be in a file, which does not show the user's line
            use = Label(context.span, f"used here as {context.name}")
            error.diagnostics[:] = [_with_use(found, use) for found in error.diagnostics]
            raise
        return TypedCall(node, declared.blocks, declared.borrowed)

    def claim(self, typed: TypedNode, context: CallContext) -> None:
        """Do nothing: the layers in a block's function may be used elsewhere."""

    def _declare(self, span: Span) -> Call:
        """Return the declared call, without its block."""
        params = {k: v for k, v in self.keywords.items() if k not in self.words}
        names = list(self.family.defaults)
        refuse_name(self.family.name, params, names, span)
        options, lone = declare_options(self.family.name, names, self.args, params, span)
        repeat = declare_repeat(unwatched(self.keywords.get("repeat")), span)
        return Call("", span, options, lone, repeat)

    def _check(
        self, call: Call, context: CallContext
    ) -> tuple[list[Mapping[str, object]], InputTypes]:
        """Check the call with a block that has no nodes.

        Return the params at each time of a repeat, and the types of the inputs.
        """
        family, span = self.family, self.family.span
        inputs = self._inputs(call, context)
        empty = ir.Block(
            family.name,
            span,
            {k: option(None if v is REQUIRED else 0, span) for k, v in family.defaults.items()},
            tuple(ir.BlockInput(name, span) for name in inputs),
            (),
            tuple(_read_all(inputs, context, span)),
        )
        if call.repeat is not None:  # its outputs are not those of the block
            call = replace(call, repeat=call.repeat._replace(collect=None))
        over = {key: value for key, value in self.keywords.items() if key == "over"}
        typed = context.infer(call, over, {call.block: empty}).typed
        given = {k: _type_of(context, value) for k, value in typed.arguments.items()}
        if typed.over is not None:
            given = {name: typed.over.fold(type_) for name, type_ in given.items()}
        if isinstance(typed.operation, Scan):  # without the axes that are scanned
            given = dict(typed.operation.body.inputs)
        times = typed.operation.times if isinstance(typed.operation, Repeated) else 1
        step = index_type(times)  # of the one input that no source feeds
        types: InputTypes = {
            name: given.get(name) or _members(name, given) or step for name in inputs
        }
        own = self._params_as_given(call)
        return [{**given, **own} for given in typed.operation.settings] or [own], types

    def _inputs(self, call: Call, context: CallContext) -> tuple[str, ...]:
        """Return the inputs that the call gives, and those that it may not leave out; all if it gives an
        unknown one."""
        given = sources_by_input(self.family.inputs, context.sources)
        if not given.keys() <= {*self.family.inputs}:
            return self.family.inputs
        counter = call.repeat.counter if call.repeat is not None else None
        left_out = self.family.optional - given.keys() - {counter.name if counter else ""}
        return tuple(name for name in self.family.inputs if name not in left_out)

    def _params_as_given(self, call: Call) -> dict[str, object]:
        """Return the params as the caller gave them; a tuple stays a tuple."""
        given = {**dict(zip(self.family.defaults, self.args, strict=False)), **self.keywords}
        return {name: as_given(given[name]) for name in call.params}


def sources_by_input(
    inputs: tuple[str, ...], sources: tuple[ir.Source, ...]
) -> dict[str, ir.Source]:
    """Return the sources of a call by the inputs that they fill, by name or by position."""
    return {one.argument or name: one for name, one in zip(inputs, sources, strict=False)}


def _type_of(context: CallContext, value: Value) -> TensorType:
    name, _, member = value.name.partition(".")
    made = context.made[name]
    if isinstance(made, GivenGroup):
        return made.types[member]
    return made.type if isinstance(made, Given) else port_type(made, value.port)


def _members(name: str, given: Mapping[str, TensorType]) -> Mapping[str, TensorType]:
    """Return the types of the members of a group, `fields.city`, that feeds the input."""
    members = {key: key.partition(".") for key in given if key.startswith(f"{name}.")}
    return {member: given[key] for key, (_, _, member) in members.items()}


def _read_all(inputs: tuple[str, ...], context: CallContext, span: Span) -> Iterator[ir.Output]:
    """Yield outputs that read every input, of a group each member."""
    given = sources_by_input(inputs, context.sources)
    groups = {name: source for name, source in given.items() if source.port == "*"}
    for name in inputs:
        if name not in groups:
            yield ir.Output(name, ir.Source(name, None, span), span)
            continue
        made = context.made[groups[name].name]
        assert not isinstance(made, Given)
        for port in made.types if isinstance(made, GivenGroup) else made.results:
            yield ir.Output(f"{name}.{port}", ir.Source(name, port, span), span)


def _with_use(found: Diagnostic, use: Label) -> Diagnostic:
    """Return the diagnostic with a label on the use of the block, unless it points at that file
    already."""
    places = (found.span, *(label.span for label in found.labels))
    if any(place.file is use.span.file for place in places):
        return found
    return replace(found, labels=(*found.labels, use))


def _note_use(call: Call, declared: DeclaredBlock, trace: Trace | None) -> None:
    """Record in the outer block that Python code chose this block by some of its values."""
    each = call.repeat.each if call.repeat else {}
    for name, given in (*call.params.items(), *each.items()):
        if name not in declared.params:
            note_use(given.value)
    if declared.decides_by_sizes and trace is not None:
        trace.note(RESULTS)


# --- repeat ---------------------------------------------------------------------------------------


def declare_repeat(given: object, span: Span) -> Repeat | None:
    """Declare `repeat=3`, `{"times": 3, "shared": True}` or `{"with": {"k": [1, 2]}}`, with
    `"index": "i"` and `"collect": "out"` where they are given."""
    if given is None:
        return None
    if isinstance(given, Mapping):
        given = {key: value for key, value in given.items() if value is not None}
    tree = data_tree(given, span)
    return as_declared(span, lambda context: read_repeat(context, tree, ""))


def _only_params(options: Mapping[str, Option], declared: DeclaredBlock) -> dict[str, Option]:
    """Return the options that are params of the block; values of other options are fixed in its
    body."""
    return {name: given for name, given in options.items() if name in declared.params}


def _repeat_of_params(
    repeat: Repeat | None, family: Family, declared: DeclaredBlock, span: Span
) -> Repeat | None:
    """Return the repeat whose `with` and `index` name only params and inputs of the block."""
    if repeat is None:
        return None
    if repeat.counter and repeat.counter.name not in (*family.inputs, *declared.params):
        repeat = repeat._replace(counter=None)
    if not repeat.each:
        return repeat
    each = _only_params(repeat.each, declared)
    times = len(next(iter(repeat.each.values())).value)  # each is a list, as was checked
    return repeat._replace(each=each, times=repeat.times if each else option(times, span))


# Declare `cell().scan(x=x, carry={"h": h0})`: a block that runs once for each step along an axis.


class ScanCall(BlockCall):
    """A block to run once for each step along an axis; it shares its weights with other scans of the
    same `block`."""

    def __init__(self, block: BlockCall, over: object, carry: tuple[str, ...]) -> None:
        super().__init__(block.family, block.args, block.keywords)
        self.uses = block.uses
        self.over = over
        self.carry = carry

    @property
    def loop(self) -> tuple[object, ...]:
        return self.over, self.carry

    def _declare(self, span: Span) -> Call:
        """Return the declared call, without its block."""
        call = super()._declare(span)
        for word, help in (
            ("repeat", "repeat a block that scans"),
            ("over", "write .scan(over=...)"),
        ):
            if self.keywords.get(word) is not None:
                raise spec_error("unknown-option", f"a scan cannot have {word}", span, help)
        over = self.over
        if isinstance(over, Mapping) and len(self.family.inputs) == 1:  # it needs no name
            over = next(iter(over.values()))
        words = {"over": option(over, span).value, "carry": dict.fromkeys(self.carry)}
        tree, op = mapping_of(words, span), (scalar_of("scan", span), scalar_of(self.label, span))
        scan = as_declared(span, lambda context: read_scan(context, op, tree, ""))
        return replace(call, scan=scan)


def scan(
    block: BlockCall,
    sources: tuple[Tensor, ...],
    named: Mapping[str, Tensor],
    over: object,
    carry: Mapping[str, Tensor] | None,
) -> tuple[ScanCall, dict[str, Tensor]]:
    """Return the scan of a block, and its sources by the input that each fills."""
    carried = as_mapping("carry", carry, '{"h": h0}')
    inputs = block.argument_names
    twice = next((name for name in carried if name in named), None)
    if twice is not None:
        raise spec_error("duplicate-key", f"{twice} is given twice", user_line(), "carry it alone")
    if isinstance(over, Mapping):
        _check_axes(over, inputs)
    free = [name for name in inputs if name not in named and name not in carried]
    if len(sources) > len(free):
        count = f"{len(free)} source{'' if len(free) == 1 else 's'}"
        message = f"{block.label} takes {count} by position, not {len(sources)}"
        raise spec_error("wrong-arity", message, user_line(), f"its sources: {', '.join(inputs)}")
    by_input = dict(zip(free, sources, strict=False))
    return ScanCall(block, over, tuple(carried)), {**by_input, **named, **carried}


def _check_axes(axes: Mapping[str, object], inputs: tuple[str, ...]) -> None:
    """Raise an error for an axis of an unknown input."""
    if not axes:
        raise wrong("over", 'an axis, or axes by source: {"x": 1}', axes)
    for name in axes:
        if name not in inputs:
            raise wrong("over", f"an axis, or axes by source ({', '.join(inputs)})", name)
