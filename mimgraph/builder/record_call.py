"""Record a call: declare it, type it and keep it for the graph."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from types import CodeType
from typing import NamedTuple, Self, TypeGuard, cast

from mimgraph.builder.declare_each import share, type_each
from mimgraph.builder.declare_layer import declare_apply
from mimgraph.builder.names import check_name
from mimgraph.builder.records import (
    NO_BLOCKS,
    NO_CALLS,
    CallContext,
    Layer,
    Record,
    Reference,
    TypedCall,
    has_blocks,
    lent_to,
    optional_given,
    outer_call,
    placeholder,
    used_already,
)
from mimgraph.builder.trace import Trace, enclosing, note_refusal, running
from mimgraph.builder.typed_calls import is_final
from mimgraph.builder.user_line import running_call, spec_error, user_frame, user_line
from mimgraph.diagnostics import SpecError
from mimgraph.diagnostics.nearest import nearest
from mimgraph.infer.graph import Made
from mimgraph.ir import declared_graph as ir
from mimgraph.ir.names import free_name, name_fault
from mimgraph.ir.typed_graph import TypedNode
from mimgraph.ops import registry
from mimgraph.ops.layer_call import (
    EACH_OPTIONS,
    IN_SEQUENCE,
    NODE_OPTIONS,
    EachCall,
    ItemCall,
    LayerCall,
    no_handle,
)
from mimgraph.ops.op import Kind
from mimgraph.ops.registry import layer_of_one
from mimgraph.picture.faulty.sketch import FaultySketch
from mimgraph.source import Span

References = list[tuple[str | None, Reference]]  # with the names of the arguments, if given


def record_call(
    layer: Layer, sources: tuple[object, ...], named: Mapping[str, object], name: str | None
) -> Record:
    """Check a call and return its record; a second call of the same layer shares its module."""
    try:
        return _checked(layer, sources, named, name, {})
    except SpecError as error:
        fault = error
    note_refusal()
    if isinstance(layer, LayerCall) and (names := variable_names((*sources, *named.values()))):
        try:
            _checked(layer, sources, named, name, names)
        except SpecError as error:  # the same fault with these names
            fault = error
    given = [*((None, one) for one in sources), *named.items()]
    wanted, span = name if isinstance(name, str) else layer.stem, user_line()
    fault.sketch = _sketch(layer, given, wanted, span)
    raise fault


def _sketch(
    layer: Layer, given: list[tuple[str | None, object]], name: str, span: Span
) -> FaultySketch:
    """Return what draws the graph around a call that is refused."""
    from mimgraph.builder.unfinished import faulty_call  # for faults alone

    return FaultySketch(partial(faulty_call, layer, given, name, span))


def _checked(
    layer: Layer,
    sources: tuple[object, ...],
    named: Mapping[str, object],
    name: str | None,
    variables: Mapping[Record, Variable],
) -> Record:
    span = user_line()
    given = _references(layer, sources, named)
    _check_sources(layer, sources, span)
    trace = _common_trace(given, span)
    if name is not None:
        check_name(name, span)
    if is_merge_of_one(layer, given):
        context = _context(name or layer.stem, given, span, trace, None, variables)
        layer = in_place_of(layer, given[0][1].typed().dtype, context)
    stem = layer.stem
    first, outer = _earlier_calls(layer, trace, span) if layer.uses else (None, None)
    lender = None if outer is None or has_blocks(outer) else outer
    known = lender or first
    if known is not None and optional_given(layer, given) != optional_given(layer, known.sources):
        known = None  # it may be a call of another graph; if not, making the graph looks at both
    context = _context(name or stem, given, span, trace, known, variables)
    if known is None:
        call = _type_call(layer, context)
    else:
        call = _type_further_call(layer, known, context)
    typed, blocks, borrowed = call.node, call.blocks, call.borrowed
    if outer is not None:
        borrowed = {**borrowed, placeholder(outer): outer}
    arguments = tuple(_by_argument(layer, given, typed))
    record = Record(
        *(typed, span, name, stem, trace, layer, arguments, blocks, borrowed, lender),
        known=call.known,
    )
    if first is None:
        context.keep(layer.uses, record)
    return record


def _earlier_calls(
    layer: Layer, trace: Trace | None, span: Span
) -> tuple[Record | None, Record | None]:
    """Return the first call of a layer in this body, and the one around it whose module it shares."""
    if IN_SEQUENCE in [layer.uses.get(one) for one in enclosing(trace)]:
        raise used_already(layer, span)
    first = layer.uses.get(trace)
    assert first is None or isinstance(first, Record)
    return first, outer_call(layer, trace) if first is None else first.lender


def _type_call(layer: Layer, context: CallContext) -> TypedCall:
    """Type the first call of a layer."""
    if isinstance(layer, ItemCall):
        message = f"{layer.label} is not applied to each of several sources yet"
        help = f"call .each first, then [{layer.item!r}]"
        raise spec_error("unknown-source", message, context.span, help)
    if isinstance(layer, EachCall):
        return type_each(layer, context)
    if isinstance(layer, LayerCall):
        layer = layer.without_sources()
        known = context.infer(declare_apply(layer, context.span), layer.keywords)
        kept = known if context.trace is None and is_final(known) else None
        return TypedCall(known.typed, NO_BLOCKS, known=kept)
    typed = layer.type_call(context)
    layer.claim(typed.node, context)
    return typed


# --- a further call of the same layer -------------------------------------------------------------


def _type_further_call(layer: Layer, first: Record, context: CallContext) -> TypedCall:
    """Type a further call of a layer, of which the context has the first call."""
    (target,) = context.lent
    if first.layer is not None and layer.loop != first.layer.loop:
        message = (
            f"{target} runs this block in another way: one of them is a scan, or over other axes"
        )
        raise spec_error("bad-option", message, context.span, "make a separate block for each")
    shared = share(layer, target, context.span)
    lending = lent_to(context, first.borrowed)
    typed = lending.infer(shared, blocks=first.blocks).typed
    return TypedCall(typed, first.blocks, first.borrowed)


# --- the sources ----------------------------------------------------------------------------------


def _references(
    layer: Layer, sources: tuple[object, ...], named: Mapping[str, object]
) -> References:
    """Return the sources with the names of their arguments; an argument that is None is left out."""
    found: References = []
    for key, source in (*_by_position(layer, sources), *named.items()):
        if key is not None and source is None:
            continue
        if not isinstance(source, Reference):
            raise _no_source(layer, key, source)
        if isinstance(layer, EachCall):
            if layer.times is not None:  # the ports are numbers
                key = None
                found.append((None, source))
                continue
            # a port has the name of its source, which may have none yet
            key = key or source.port or source.record.label
        elif isinstance(layer, LayerCall) and layer.op.inputs.kind == "named":
            key = key or source.record.label
        found.append((key, _whole(source) if layer.takes_groups else source))
    if "*" in [source.port for _, source in found]:  # the members of a group fill one argument
        names = layer.argument_names
        return [(key or name, one) for name, (key, one) in zip(names, found, strict=False)]
    return found


def _by_position(layer: Layer, sources: tuple[object, ...]) -> list[tuple[str | None, object]]:
    """Return the sources without names; all with the names of their arguments if one of them is None."""
    if isinstance(layer, LayerCall) and layer.op.inputs.kind == "many":
        return [(None, one) for source in sources for one in _parts(source)]
    for source in sources:
        if source is None:
            names = (*layer.argument_names, *(None for _ in sources))
            return [*zip(names, sources, strict=False)]
    return [(None, source) for source in sources]


def _parts(source: object) -> Iterable[object]:
    """Return the results of a call that has several and no default one, as torch's `cat` takes a tuple
    of chunks; else the source alone."""
    if not isinstance(source, Reference) or source.port is not None:
        return (source,)
    return (source,) if source.record.default is not None else cast("Iterable[object]", source)


def _whole(source: Reference) -> Reference:
    """Return the group of all ports, `emb.*`, for a call that has several and no default one."""
    is_group = source.port is None and source.record.default is None
    return Reference(source.record, "*") if is_group else source


def _no_source(layer: Layer, key: str | None, given: object) -> TypeError:
    """Return the error for an argument that is no handle: the keyword is misspelt, is an option of the
    call before, or is a source that must be a handle."""
    sources, beside, before = layer.argument_names, ["name"], list[str]()
    if isinstance(layer, EachCall):
        beside += EACH_OPTIONS
    elif isinstance(layer, LayerCall):
        before = [*layer.op.options, *NODE_OPTIONS]
    elif not isinstance(layer, ItemCall):
        beside += layer.option_names
    near = nearest(str(key), [*sources, *beside, *before])
    if key is None or key in sources or (near is None and not sources):
        return no_handle(repr(layer), given)
    hint = f"did you mean {near}?" if near else f"its sources: {', '.join(sources)}"
    if isinstance(layer, LayerCall) and near in before:
        hint = f"pass {near} in the call before: {layer.label}(..., {near}=...)"
    return TypeError(f"{layer!r} takes no source {key!r}: {hint}")


def _check_sources(layer: Layer, sources: tuple[object, ...], span: Span) -> None:
    """Raise an error for several sources of a layer that takes one; its help is in Python."""
    if isinstance(layer, EachCall) and isinstance(layer.layer, ItemCall):
        raise TypeError(f"{layer.layer!r} is one module: call it on one source, without .each")
    if len(layer.argument_names) == 1 and len(sources) > 1:
        message = f"{layer!r} takes 1 source, not {len(sources)}"
        help = f"merge them first, or apply it to each alone: {layer!r}.each(...)"
        raise spec_error("wrong-arity", message, span, help)


def _by_argument(layer: Layer, given: References, typed: TypedNode) -> References:
    """Return the sources either all without names or all with names, as a spec needs."""
    if isinstance(layer, EachCall):
        if layer.times is not None:
            return given
        same = all(key == (source.port or source.record.name) for key, source in given)
        return [(None, source) for _, source in given] if same else given
    names = layer.argument_names
    if isinstance(layer, ItemCall) or len(names) == 1:
        return [(None, source) for _, source in given]
    if {key for key, _ in given} == {None}:
        return given
    if isinstance(layer, LayerCall) and layer.op.options_decide:
        names = (*typed.arguments,)
    return [(key or names[i], source) for i, (key, source) in enumerate(given)]


def _common_trace(given: References, span: Span) -> Trace | None:
    """Return the run of a block's function that all sources belong to; None outside of blocks."""
    if not given:
        return running()
    traces = {source.record.trace: source for _, source in given}
    for trace, source in traces.items():
        if trace is not None and not trace.active:
            message = f"{source.record.label} was made inside the block {trace.family}"
            raise spec_error("unknown-source", message, span, "return it from the block")
    if len(traces) == 1:
        return next(iter(traces))
    inner = max((trace for trace in traces if trace), key=lambda trace: trace.depth)
    outside = next(source for trace, source in traces.items() if trace is not inner)
    message = f"{outside.record.label} was made outside the block {inner.family}"
    raise spec_error("unknown-source", message, span, "give it to the block as an argument")


def _context(
    name: str,
    given: References,
    span: Span,
    trace: Trace | None,
    first: Record | None,
    variables: Mapping[Record, Variable],
) -> CallContext:
    """Return the context of a call; a source has the name of its variable, or its own, or a temporary
    one."""
    records = dict.fromkeys([source.record for _, source in given])
    names: dict[Record, str] = {}
    made: dict[str, Made] = {}
    lent = NO_CALLS if first is None else {_name_beside_sources(first): first}
    for record in sorted(records, key=_is_unnamed) if len(records) > 1 else records:
        label = variables[record].name if record in variables else record.label
        names[record] = name_here = free_name(label, (*made, *lent), first=1)
        made[name_here] = record.made
    sources = tuple(
        [
            ir.Source(
                names[source.record],
                source.port,
                variables[source.record].place or span
                if source.record in variables and not source.port
                else span,
                key,
                span if key else None,
            )
            for key, source in given
        ]
    )
    path = f"{trace.family}." if trace else ""
    name = free_name(name, (*made, *lent), first=1)
    return CallContext(name, path, span, sources, made, trace, lent)


def _name_beside_sources(record: Record) -> str:
    """Return a name for a call that none of its sources had at the call."""
    assert isinstance(record.made, TypedNode)
    return free_name(
        record.label, [one.name for one in record.made.declared.sources or ()], first=1
    )


def _is_unnamed(record: Record) -> bool:
    return record.name is None


def is_merge_of_one(layer: Layer, given: Sequence[object]) -> TypeGuard[LayerCall]:
    """Return whether a call is a merge for two or more that is given one source."""
    return isinstance(layer, LayerCall) and bool(layer.op.alone) and len(given) == 1


def in_place_of(merge: LayerCall, dtype: str, context: CallContext) -> LayerCall:
    """Return the layer that does what the merge does to its one source of this dtype, checked.

    The rule of the merge, which is for two or more, is asked about the source given twice.
    """
    words = {name: merge.keywords[name] for name in NODE_OPTIONS if name in merge.keywords}
    own = {name: value for name, value in merge.keywords.items() if name != "activation"}
    plain = LayerCall(merge.op, merge.args, own)
    twice = context._replace(sources=context.sources * 2)
    typed = twice.infer(declare_apply(plain, context.span), own).typed
    assert typed.type is not None
    op, options = layer_of_one(merge.op, own, dtype, typed.type.dtype)
    return LayerCall(op, (), {**options, **words})


class AppliesLayers(Reference):
    """A result of a record that layers can be applied to."""

    __slots__ = ()

    def apply_layer(
        self,
        layer: Layer,
        sources: tuple[object, ...],
        named: Mapping[str, object],
        name: str | None,
    ) -> Self:
        """Record a call whose first source this is."""
        return type(self)(record_call(layer, sources, named, name))

    def _applied(
        self,
        kind: Kind,
        name: str,
        *others: object,
        args: tuple[object, ...] = (),
        options: Mapping[str, object] | None = None,
        named: Mapping[str, object] | None = None,
    ) -> Self:
        """Return the result of a layer or merge of ours: of this handle and `others`, or of the
        `named` sources."""
        op = registry.find(kind, name)
        assert op is not None
        sources = () if named else (self, *others)
        call = LayerCall(op, args, dict(options or {}))
        return self.apply_layer(call, sources, named or {}, None)


# Find the variables in which the user's code holds the sources of a call, to name them in
# messages.


class Variable(NamedTuple):
    """The name of a variable, and its place if it is on the first line of the call."""

    name: str
    place: Span | None


def variable_names(sources: Iterable[object]) -> dict[Record, Variable]:
    """Return the variable of each source that the running call reads, `h` in `merges.concat(h, x)`:
    the node of an unnamed layer has a name that the user never wrote."""
    frame, call = user_frame(), running_call()
    known = {**frame.f_globals, **frame.f_locals}
    records = {one.record for one in sources if isinstance(one, Reference)}
    found: dict[Record, Variable] = {}
    for variable in _variables(call, frame.f_code):
        one = known.get(variable.name)
        if isinstance(one, Reference) and one.port is None and one.record in records:
            found.setdefault(one.record, variable)
    return found


def _variables(call: Span, code: CodeType) -> Iterator[Variable]:
    """Yield the variables that are arguments of a call, or operands; without its source line, as at a
    prompt, those that the code reads."""
    text = call.excerpt().text
    if not text:
        names = code.co_varnames + code.co_cellvars + code.co_freevars + code.co_names
        yield from (Variable(name, None) for name in names if name_fault(name) is None)
        return
    try:
        expression = ast.parse(text, mode="eval").body
    except SyntaxError:  # the line is only a part of a call
        return
    is_exact = call[1:3] != call[3:5]
    for operand in _operands(expression):
        if isinstance(operand, ast.Name) and name_fault(operand.id) is None:
            start = len(text.encode()[: operand.col_offset].decode())
            place = call._replace(
                column=call.column + start,
                end_line=call.line,
                end_column=call.column + start + len(operand.id),
            )
            yield Variable(operand.id, place if is_exact and operand.lineno == 1 else None)


def _operands(expression: ast.expr) -> Iterator[ast.expr]:
    """Yield the arguments of a call, those in a list one by one, or the operands of an operator."""
    match expression:
        case ast.Call(args=args, keywords=keywords):
            for one in (*args, *(keyword.value for keyword in keywords)):
                yield from one.elts if isinstance(one, ast.List | ast.Tuple) else (one,)
        case ast.BinOp(left=left, right=right):
            yield from (left, right)
        case ast.Compare(left=left, comparators=others):
            yield from (left, *others)
        case ast.UnaryOp(operand=value) | ast.Subscript(value=value):
            yield value
