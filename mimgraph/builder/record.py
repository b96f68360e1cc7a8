"""Handles: `Input` makes one, and calling a layer or merge on handles records and checks the call."""

from __future__ import annotations

import operator
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import replace
from itertools import count, islice
from typing import Any, NoReturn, Protocol, cast

from mimgraph.builder.automatic_names import snake_case
from mimgraph.builder.declare_each import draft_each
from mimgraph.builder.declare_layer import declare_apply, declare_freeze, declare_take, option
from mimgraph.builder.feed import Draft, Feed
from mimgraph.builder.tracing.trace import Result, Trace, running
from mimgraph.builder.tracing.watched import RESULTS, Watched
from mimgraph.builder.user_line import fail, here, raise_faults
from mimgraph.diagnostics import Diagnostic, Report, SpecError
from mimgraph.diagnostics.nearest import nearest
from mimgraph.infer.single_node import Given, Made, infer_input, infer_port
from mimgraph.ir import graph as ir
from mimgraph.ir.dim import Dim, Size
from mimgraph.ir.names import input_fault, name_fault
from mimgraph.ir.presence import inputs_of
from mimgraph.ir.typed import Each as TypedEach
from mimgraph.ir.typed import TypedNode, Value
from mimgraph.ir.types import BATCH, DTYPES, MAX_AXES, Shape, TensorType
from mimgraph.ops import registry
from mimgraph.ops.registry import EachCall, ItemCall, LayerCall, is_source, no_handle
from mimgraph.source import Span
from mimgraph.support.arguments import shown
from mimgraph.support.ipython import Shown

_numbers = count()
NO_BLOCKS: Mapping[str, ir.Block] = {}


class Recipe(Protocol):
    """What is called on handles beside layers and merges: a `Sequential`, a block with its params.

    `stem` begins the names of nodes that are given none, `argument_names` are those of the sources.
    """

    uses: dict[Any, Any]

    @property
    def label(self) -> str: ...

    def given(self, options: Mapping[str, Any]) -> Recipe: ...

    @property
    def stem(self) -> str: ...

    @property
    def argument_names(self) -> tuple[str, ...]: ...

    def draft(self, feed: Feed) -> Draft: ...

    def claim(self, typed: TypedNode, feed: Feed) -> None:
        """Take what the recipe is made of for its own."""


Called = Recipe | LayerCall | EachCall | ItemCall


class Record:
    """An input, or one call: what it was given and what it makes. `sources` name their argument."""

    __slots__ = ("blocks", "made", "name", "number", "recipe", "sources", "span", "stem", "trace")

    def __init__(
        self,
        made: Made,
        span: Span,
        name: str | None,
        stem: str,
        trace: Trace | None,
        recipe: Called | None = None,
        sources: tuple[tuple[str | None, Tensor], ...] = (),
        blocks: Mapping[str, ir.Block] = NO_BLOCKS,
    ) -> None:
        self.number = next(_numbers)
        self.made = made
        self.span = span
        self.name = name
        self.stem = stem
        self.trace = trace
        self.recipe = recipe
        self.sources = sources
        self.blocks = blocks

    @property
    def label(self) -> str:
        """Its name, or what its name will begin with."""
        return self.name or self.stem

    @property
    def results(self) -> Mapping[str, TensorType]:
        """The type of every port; a sole result is the port ""."""
        return {"": self.made.type} if isinstance(self.made, Given) else self.made.results

    @property
    def default(self) -> str | None:
        return "" if isinstance(self.made, Given) else self.made.default


class Tensor(Shown):
    """A handle on what an input or a call gives; it holds a type and no data."""

    __slots__ = ("port", "record")
    __array_ufunc__ = None  # numpy leaves operators to the handle

    def __init__(self, record: Record, port: str | None = None) -> None:
        self.record = record
        self.port = port

    def __getattr__(self, name: str) -> Any:
        record: Record = object.__getattribute__(self, "record")
        hint = f'; its port is written ["{name}"]' if name in record.results and name else ""
        raise AttributeError(f"a handle of mimgraph has no attribute {name!r}{hint}")

    @property
    def name(self) -> str | None:
        """The name that was given; without one, making the graph gives it."""
        return self.record.name

    @property
    def type(self) -> TensorType:
        """Dims, dtype and vocabulary."""
        self._look()
        return self.typed()

    @property
    def dims(self) -> tuple[Size, ...]:
        """The sizes without the batch; of a block's input, they remember where they come from."""
        dims = self.typed().dims
        trace = self.record.trace
        if trace is None:
            return dims
        if self.is_input:
            return trace.remembered(self.record.label, dims)
        return trace.made(self.record, self.port or self.record.default or "", dims)

    @property
    def shape(self) -> Shape:
        """The sizes with the batch, `N`."""
        return Shape((BATCH, *self.dims) if self.typed().batched else self.dims)

    @property
    def dtype(self) -> str:
        if self.record.trace is not None:
            self.record.trace.note(RESULTS)
        return self.typed().dtype

    @property
    def is_input(self) -> bool:
        """Whether it is an input of the graph or block."""
        return isinstance(self.record.made, Given)

    def _look(self) -> None:
        """Record that a block's function may decide something by what this handle is."""
        trace = self.record.trace
        if trace is not None:
            if self.is_input:
                trace.note_input(self.record.label)
            else:
                trace.note(Result(self.record))

    def __repr__(self) -> str:
        self._look()
        record = self.record
        if self.port is not None:
            return f"<{record.label}.{self.port} {self.typed()}{self._missing()}>"
        shown = (f"{port} {type_}".lstrip() for port, type_ in record.results.items())
        return f"<{record.label} {', '.join(shown)}{self._missing()}>"

    def _repr_html_(self) -> str:
        """Return the picture of what leads to the handle, for a notebook."""
        from mimgraph.builder.handle_html import in_words, leading_to
        from mimgraph.picture.notebook import handle_html

        self._look()
        return handle_html(in_words(self), leading_to(self))

    def _missing(self) -> str:
        """Without which inputs it is missing."""
        made = self.record.made
        if isinstance(made, Given):
            return ", optional" if getattr(made.declared, "optional", False) else ""
        inputs = inputs_of(made.presence_of(self.port or made.default or ""))
        return f", missing without {' and '.join(inputs)}" if inputs else ""

    def __getitem__(self, port: str | int) -> Tensor:
        """One of several results, by name."""
        if self.port is not None:
            raise TypeError(f"{self!r} is one tensor and has no ports")
        _typed(self.record, str(port))
        return Tensor(self.record, str(port))

    def __iter__(self) -> Iterator[Tensor]:
        """Every port of what has no default one."""
        if self.port is not None or self.record.default is not None:
            raise TypeError(
                f"{self!r} is one tensor and cannot be unpacked: take parts with layers.Chunk,"
                f" layers.Split or layers.Select{_ports(self)}"
            )
        recipe = self.record.recipe
        if isinstance(recipe, LayerCall) and not recipe.op.ports:  # their number is a result, too
            self._look()
        return (Tensor(self.record, port) for port in self.record.results)

    def __contains__(self, item: object) -> NoReturn:
        raise TypeError(
            f"{self!r} has no values yet, so nothing is in it: compare when the model runs, with"
            ' merges.formula("x == 3", x=handle)'
        )

    def __eq__(self, other: object) -> bool:
        """Return whether both handles are the same result of the same call; tensors have no values
        yet."""
        if isinstance(other, int | float | complex) or hasattr(other, "tolist"):
            formula = 'merges.formula("x == 3", x=handle)'
            raise TypeError(f"{self!r} has no values to compare: write {formula}")
        if not isinstance(other, Tensor):
            return NotImplemented
        return self.record is other.record and self.port == other.port

    def __hash__(self) -> int:
        return hash((self.record, self.port))

    def __deepcopy__(self, memo: Any) -> Tensor:
        """Return the handle itself: it only names the result of a call."""
        return self

    def typed(self) -> TensorType:
        """Return the type, without recording that the block's function asked for it."""
        return _typed(self.record, self.port)

    def apply_layer(
        self,
        recipe: Called,
        sources: tuple[Any, ...],
        named: Mapping[str, Any],
        name: str | None,
    ) -> Tensor:
        """Record a call whose first source this is."""
        return record(recipe, sources, named, name)

    def __add__(self, other: object) -> Tensor:
        return _merge("add", self, other)

    def __sub__(self, other: object) -> Tensor:
        return _merge("subtract", self, other)

    def __mul__(self, other: object) -> Tensor:
        return _merge("multiply", self, other)

    def __truediv__(self, other: object) -> Tensor:
        return _merge("divide", self, other)

    def __matmul__(self, other: object) -> Tensor:
        return _merge("matmul", self, other)


def _ports(handle: Tensor) -> str:
    """Return how to take one of the results, if there are several."""
    ports = [port for port in handle.record.results if port]
    return f', or a port: handle["{ports[0]}"]' if ports and handle.port is None else ""


def _typed(record: Record, port: str | None) -> TensorType:
    """Return the type of a port, or of the default one."""
    found = record.results.get(port or record.default or "")
    if found is not None and port != "":
        return found
    report, span = Report(), here()
    weight = infer_port(ir.Source(record.label, port, span), record.made, report)
    if report.diagnostics:
        _note_refusal()
    raise_faults(report, span)
    assert weight is not None  # a learned tensor: it is not among the results
    return weight


def _merge(name: str, left: Tensor, right: object) -> Tensor:
    """The merge that an operator stands for."""
    op = registry.find("merge", name)
    if op is None or not isinstance(right, Tensor):
        refused: Tensor = NotImplemented
        return refused
    try:
        return record(LayerCall(op, (), {}), (left, right), {}, None)
    except SpecError as error:
        raise error.shortened() from None


# --- inputs ---------------------------------------------------------------------------------------


def Input(
    name: str,
    shape: Iterable[int | str | Dim] | None = None,
    dtype: Any = None,
    vocab: int | None = None,
    doc: str = "",
    optional: bool = False,
) -> Tensor:
    """A named input of the graph; `shape` has sizes or names, without the batch.

    `vocab` is the number of categories: it makes the dtype int64, and the shape () unless given.
    An `optional` one may be left out by the caller of the module.
    """
    span, report = here(), Report()
    _check_name(name, span, input_fault)
    if shape is None and vocab is None:
        raise fail("missing-key", f"{name} needs a shape", span, "shape: [5]")
    for what, given in (("doc", doc), ("optional", optional)):
        wants = str if what == "doc" else int
        if not isinstance(given, wants):
            said = "a text" if what == "doc" else "True or False"
            raise fail("wrong-type", f"{what} is {said}, not {shown(given)}", span)
    declared = ir.Input(
        name,
        span,
        _shape(() if shape is None else shape, span, report),
        _dtype(dtype, "float32" if vocab is None else "int64", span, report),
        None if vocab is None else option(vocab, span),
        doc,
        bool(optional),
    )
    raise_faults(report, span)
    type_ = infer_input(declared, report)
    raise_faults(report, span)
    assert type_ is not None
    return Tensor(Record(Given(declared, type_), span, name, name, None))


def _shape(shape: Any, span: Span, report: Report) -> ir.InputShape:
    """Sizes, and names of sizes; another handle's dims are as good."""
    sizes = [size.plain if type(size) is Watched else size for size in sizes_of(shape, span)]
    dims = tuple(str(size) if isinstance(size, str | Dim) else size for size in sizes)
    for dim in dims:
        if isinstance(dim, str):
            reason = name_fault(dim) if dim != "N" else "N is the batch"
            if reason is not None:
                message = f"{dim!r} cannot name a size"
                report.add(Diagnostic("bad-name", message, span, help=reason))
        elif type(dim) is not int:
            report.add(Diagnostic("wrong-type", "a size is an integer or a name", span))
    raise_faults(report, span)
    return ir.InputShape(dims, (span,) * len(dims))


def sizes_of(shape: Any, span: Span) -> list[Any]:
    """Return the sizes in a shape, a list or an array; whole numbers of numpy and torch become
    ints."""
    ordered = (
        isinstance(shape, Iterable)
        and not is_source(shape)
        and not isinstance(shape, str | bytes | Mapping | AbstractSet)
    )
    if not ordered or getattr(shape, "ndim", 1) != 1:
        message = f"a shape is a list of sizes, not {shown(shape)}"
        raise fail("wrong-type", message, span, "one axis of 5 is [5], the batch is left out")
    return [_plain_size(size) for size in islice(shape, MAX_AXES + 1)]  # more are refused


def _plain_size(size: Any) -> Any:
    if type(size) in (bool, Watched):
        return size
    try:
        return operator.index(size)
    except Exception:  # noqa: BLE001 - what it is instead, an array perhaps, says what it likes
        return size


def _dtype(dtype: Any, default: str, span: Span, report: Report) -> str:
    """A dtype by name; torch's own are as good."""
    if dtype is None:
        return default
    name = dtype.__name__ if isinstance(dtype, type) else str(dtype).removeprefix("torch.")
    if name not in DTYPES:
        near = nearest(name, DTYPES)
        help = f"did you mean {near}?" if near else f"one of {', '.join(DTYPES)}"
        report.add(Diagnostic("bad-option", f"no dtype is called {name!r}", span, help=help))
    return name


def _check_name(name: Any, span: Span, fault: Callable[[str], str | None] = name_fault) -> None:
    reason = fault(name) if isinstance(name, str) else "a name is a text"
    if reason is not None:
        raise fail("bad-name", f"{name!r} cannot be a name", span, reason)


# --- calls ----------------------------------------------------------------------------------------

IN_SEQUENCE = object()  # among the uses of a layer: it is an item of a Sequential


def record(
    recipe: Called,
    sources: tuple[Any, ...],
    named: Mapping[str, Any],
    name: str | None,
) -> Tensor:
    """Check a call on handles, and keep it; a second call of one object shares its module."""
    try:
        return _record(recipe, sources, named, name)
    except SpecError:
        _note_refusal()
        raise


def _note_refusal() -> None:
    """Record in the block that is being declared a fault that its function may catch."""
    trace = running()
    if trace is not None:
        trace.note_all()


def _record(
    recipe: Called,
    sources: tuple[Any, ...],
    named: Mapping[str, Any],
    name: str | None,
) -> Tensor:
    span = here()
    handles = _handles(recipe, sources, named)
    _check_number(recipe, sources, span)
    trace = _common_trace(handles, span)
    if name is not None:
        _check_name(name, span)
    first = recipe.uses.get(trace)
    if first is IN_SEQUENCE:
        raise used_already(recipe, span)
    stem = _stem(recipe)
    feed = _feed(name or stem, handles, span, trace, first)
    draft = _draft(recipe, feed) if first is None else _draft_again(recipe, first, feed)
    arguments = tuple(_by_argument(recipe, handles))
    kept = Record(draft.typed, span, name, stem, trace, recipe, arguments, draft.blocks)
    if first is None:
        feed.keep(recipe.uses, kept)
    return Tensor(kept)


def _stem(recipe: Called) -> str:
    """What the names of nodes begin with that are given none."""
    while isinstance(recipe, EachCall | ItemCall):
        recipe = cast("Called", recipe.layer)
    return snake_case(recipe.op.name) if isinstance(recipe, LayerCall) else recipe.stem


def _draft(recipe: Called, feed: Feed) -> Draft:
    if isinstance(recipe, ItemCall):
        message = f"{recipe.label} is not applied to each of several sources yet"
        raise fail("unknown-source", message, feed.span, f"call each first, then [{recipe.item!r}]")
    if isinstance(recipe, EachCall):
        return draft_each(recipe, feed)
    if not isinstance(recipe, LayerCall):
        draft = recipe.draft(feed)
        recipe.claim(draft.typed, feed)
        return draft
    recipe, span = recipe.without_sources(), feed.span
    apply, words = declare_apply(recipe, span), recipe.keywords
    take, freeze = declare_take(words, span), declare_freeze(words, span)
    return Draft(feed.infer(apply, take, NO_BLOCKS, freeze), NO_BLOCKS)


def share(recipe: Called | None, target: str, span: Span) -> ir.Share | ir.Each:
    """The module of the node `target` used again, as the recipe says."""
    if not isinstance(recipe, EachCall):
        return ir.Share(target, span, recipe.item if isinstance(recipe, ItemCall) else None)
    if recipe.options:
        raise fail("unknown-option", "a share takes no options", span)
    return ir.Each(ir.Share(target, span), {}, span)


def _draft_again(recipe: Called, first: Record, feed: Feed) -> Draft:
    """The module of the first call, which has a name in the feed, on other sources."""
    target = next(name for name, made in feed.made.items() if made is first.made)
    typed = first.made
    assert isinstance(typed, TypedNode)
    made, arguments = dict(feed.made), dict(typed.arguments)
    for i, (key, handle) in enumerate(first.sources):
        name = f"{target} {i}"  # no node is called so
        made[name] = handle.record.made
        key = key or list(arguments)[i]
        arguments[key] = arguments[key]._replace(name=name)
    own, operation = replace(typed.declared, name=target), typed.operation
    if isinstance(operation, TypedEach):
        items = (_fed_by(item, arguments[item.name]) for item in operation.items)
        operation = TypedEach(tuple(items))
    made[target] = replace(typed, declared=own, arguments=arguments, operation=operation)
    again = share(recipe, target, feed.span)
    return Draft(feed._replace(made=made).infer(again, None, first.blocks), first.blocks)


def _fed_by(item: TypedNode, value: Value) -> TypedNode:
    return replace(item, arguments=dict.fromkeys(item.arguments, value))


def used_already(recipe: Any, span: Span) -> SpecError:
    """The error of a layer that would be two modules, or one at two keys."""
    message = f"{recipe!r} is used already, and in a Sequential it would have weights of its own"
    return fail("bad-option", message, span, "make another, or call the Sequential twice")


Handles = list[tuple[str | None, Tensor]]


def _handles(recipe: Called, sources: tuple[Any, ...], named: Mapping[str, Any]) -> Handles:
    """The sources with the arguments they are given for; None leaves one out."""
    found: Handles = [(None, source) for source in sources]
    found += [(key, source) for key, source in named.items() if source is not None]
    for key, source in found:
        if not isinstance(source, Tensor):
            is_source = key is None or key in (_source_names(recipe) or (key,))
            raise no_handle(repr(recipe), source) if is_source else _no_source(recipe, key)
    if isinstance(recipe, EachCall):  # a port is called as its source, which may have no name yet
        return [(key or s.port or s.record.label, s) for key, s in found]
    if isinstance(recipe, LayerCall) and recipe.op.inputs.kind == "named":
        return [(key or source.record.label, source) for key, source in found]
    return found


def _source_names(recipe: Called) -> tuple[str, ...]:
    """Return the names that sources may be given by; () if they may be any."""
    if isinstance(recipe, EachCall | ItemCall):
        return ()
    return recipe.op.inputs.names if isinstance(recipe, LayerCall) else recipe.argument_names


def _no_source(recipe: Called, key: str | None) -> TypeError:
    """Return the error for a keyword that is neither a source nor `name`."""
    sources, options = _source_names(recipe), []
    if isinstance(recipe, LayerCall):
        options = [*recipe.op.options, "activation", "take", "freeze"]
    near = nearest(str(key), [*sources, "name", *options])
    hint = f"did you mean {near}?" if near else f"its sources: {', '.join(sources)}"
    if isinstance(recipe, LayerCall) and near in options:
        hint = f"the option {near} stands in the call before: {recipe.label}(..., {near}=...)"
    return TypeError(f"{recipe!r} takes no source {key!r}: {hint}")


def _check_number(recipe: Called, sources: tuple[Any, ...], span: Span) -> None:
    """Refuse several sources of what takes one, in the words of Python."""
    if len(_source_names(recipe)) == 1 and len(sources) > 1:
        message = f"{recipe!r} takes 1 source, not {len(sources)}"
        help = f"merge them first, or apply it to each alone: {recipe!r}.each(...)"
        raise fail("wrong-arity", message, span, help)


def _by_argument(recipe: Called, handles: Handles) -> Handles:
    """Sources in a list, or all by name: a spec has no mixture."""
    if isinstance(recipe, EachCall):
        plain = all(key == (s.port or s.record.name) for key, s in handles)
        return [(None, s) for _, s in handles] if plain else handles
    if isinstance(recipe, ItemCall):
        return [(None, s) for _, s in handles]
    names = _source_names(recipe)
    if all(key is None for key, _ in handles):
        return handles
    if len(names) == 1:
        return [(None, source) for _, source in handles]
    return [(key or names[i], source) for i, (key, source) in enumerate(handles)]


def _common_trace(handles: Handles, span: Span) -> Trace | None:
    """The block that is being traced, if one is; a handle stays where it was made."""
    if not handles:
        return running()
    traces = {source.record.trace: source for _, source in handles}
    for trace, source in traces.items():
        if trace is not None and not trace.active:
            message = f"{source.record.label} stands inside the block {trace.family}"
            raise fail("unknown-source", message, span, "return it from the block")
    if len(traces) == 1:
        return next(iter(traces))
    inner = max((trace for trace in traces if trace), key=lambda trace: trace.depth)
    outside = next(source for trace, source in traces.items() if trace is not inner)
    message = f"{outside.record.label} stands outside the block {inner.family}"
    raise fail("unknown-source", message, span, "give it to the block as an argument")


def _feed(
    name: str, handles: Handles, span: Span, trace: Trace | None, first: Record | None
) -> Feed:
    """What is known of a call; sources without a name stand under one that they may get."""
    records = dict.fromkeys(handle.record for _, handle in handles)
    if first is not None:
        records[first] = None
    names: dict[str, Record] = {}
    for record in sorted(records, key=lambda record: record.name is None):
        names[_free(record.label, names)] = record
    by_record = {record: name for name, record in names.items()}
    sources = tuple(
        ir.Source(by_record[handle.record], handle.port, span, key, span if key else None)
        for key, handle in handles
    )
    made = {name: record.made for name, record in names.items()}
    path = f"{trace.family}." if trace else ""
    return Feed(_free(name, names), path, span, sources, made, trace)


def _free(stem: str, taken: Container[str]) -> str:
    """`stem`, or with the first number that makes it free."""
    name, number = stem, 0
    while name in taken:
        number += 1
        name = f"{stem}_{number}"
    return name
