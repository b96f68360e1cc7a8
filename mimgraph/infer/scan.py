"""Type a scan: a block that runs once for each step along an axis of its sources."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from mimgraph.diagnostics import Label
from mimgraph.diagnostics.text import code, put, words, write
from mimgraph.infer.block_inputs import fed_to, match_block, may_leave_out
from mimgraph.infer.evaluation import compute
from mimgraph.infer.sources import known_types
from mimgraph.infer.state import Fed, Site
from mimgraph.ir.declared_graph import Block
from mimgraph.ir.declared_graph import Scan as DeclaredScan
from mimgraph.ir.declared_values import FAULTY, Option
from mimgraph.ir.dim import Dim, Size
from mimgraph.ir.expression import plain
from mimgraph.ir.typed_graph import Body
from mimgraph.ir.typed_operations import STEPS, Scan
from mimgraph.ir.types import TensorType, at_least_one, depends_on_batch


class ScanSteps(NamedTuple):
    """The sources of a scan by the input that they fill, whole in `fed` and as one step reads them in
    `each`, with the axes that are scanned and the number of steps."""

    site: Site
    scan: DeclaredScan
    fed: Mapping[str, Fed]
    axes: Mapping[str, int]
    length: Size
    each: Mapping[str, Fed]

    def lasting(self, block: Block, body: Body) -> Mapping[str, Fed] | None:
        """Return what each step reads, without the vocab of a carried input that `body` hands on without
        it; None if each step keeps all."""
        # the input of a part may state its vocab, which holds in all steps
        stated = {one.name for one in block.inputs if one.declared and one.declared.vocab}
        changed = dict[str, Fed]()
        for name in {*self.scan.carry} - stated:
            before, after = _type(self.each[name]), _handed_on(body, name)
            less = before.cast(before.dtype)
            if after is not None and _numbers(before) not in (_numbers(after), _numbers(less)):
                changed[name] = self.each[name]._replace(type=less)
        return {**self.each, **changed} if changed else None

    def operation(self, body: Body, arguments: Mapping[str, Any]) -> Scan | None:
        """Return the typed scan; None if a step does not fit the next, or cannot be stacked, which is
        reported."""
        site, scan, axes = self.site, self.scan, self.axes
        are_carried = [_carries(site, name, self.each[name], body) for name in scan.carry]
        if not all(are_carried):
            return None
        name, axis = next(iter(axes.items()))
        before = axis - _type(self.fed[name]).batched  # axes but the batch
        operation = Scan(body, arguments, axes, before, self.length, scan.carry)
        if not _check_stacks(site, operation):
            return None
        if isinstance(self.length, Dim):
            site.state.require([at_least_one(self.length)])
        return operation


def scan_steps(site: Site, scan: DeclaredScan, block: Block) -> ScanSteps | None:
    """Return the sources of a scan; None where they do not fit, which is reported, or are unknown."""
    fed = _match(site, scan, block)
    axes = None if fed is None else _axes(site, scan, fed)
    if fed is None or axes is None or known_types(fed) is None:
        return None
    length = _length(site, fed, axes)
    if length is None:
        return None
    each = {name: _one_step(one, axes.get(name)) for name, one in fed.items()}
    return ScanSteps(site, scan, fed, axes, length, each)


def _numbers(type_: TensorType) -> tuple[Any, ...]:
    """Return the vocab of a tensor, the bound of its numbers, and how it was made."""
    return type_.vocab, type_.below, type_.past


def _handed_on(body: Body, name: str) -> TensorType | None:
    """Return the type of the output of a step that has this name; None if there is none."""
    return body.results.get("" if len(body.outputs) == 1 and name in body.outputs else name)


def _match(site: Site, scan: DeclaredScan, block: Block) -> dict[str, Fed] | None:
    """Return the sources by the input of the block that they fill: by name, others in order."""
    if site.fed is None:
        return None
    names = [declared.name for declared in block.inputs]
    named = {one.source.argument for one in site.fed}
    free = iter([name for name in names if name not in named])
    unknown = (one for one in site.fed if one.source.argument not in (None, *names))
    odd = next((one for one in unknown if _is_in_over(one)), None)
    if odd is not None and odd.type is None:  # an unknown source, which is reported
        return None
    if odd is not None and (name := next(free, None)) is not None:
        message = f"over names inputs of the block, and {block.family} has no input {odd.text!r}"
        help = write(f"from: {{{name}: {odd.text}}}, over: {{{name}: 1}}")
        site.fault("unknown-key", message, odd.source.span, help=help)
        return None
    fed = []
    for one in site.fed:
        if one.source.argument is None and (name := next(free, None)) is not None:
            one = one._replace(source=one.source._replace(argument=name))
        fed.append(one)
    optional = may_leave_out(site, block, names)
    missing = next((name for name in free if name not in optional), None)
    if missing is not None and named <= {None, *names}:
        message = f"{block.family} needs a source {missing!r}"
        given = code(f"from: {{{missing}: ...}}")
        help = f"write {given}; {code(f'carry: {{{missing}: ...}}')} if each step changes it"
        site.fault("wrong-arity", message, site.node.span, help=help)
        return None
    matched = match_block(site._replace(fed=tuple(fed)), block, tuple(names))
    return matched if matched is None or _check_groups(site, scan, block, matched) else None


def _check_groups(site: Site, scan: DeclaredScan, block: Block, fed: Mapping[str, Fed]) -> bool:
    """Return whether no input that is scanned or carried is fed a group; report the first that is."""
    stepwise = [one.name for one in block.inputs if scan.axis is not None or one.name in scan.axes]
    for name in (*scan.axes, *stepwise, *scan.carry):
        if name in scan.axes and not fed_to(name, fed):
            message = f"over names {name}, which is left out"
            site.fault("wrong-arity", message, scan.axes[name].span, help=f"connect {name}")
            return False
        if name not in fed and (members := fed_to(name, fed)):
            message = f"{name} is a group, which a scan can neither run over nor carry"
            help = "stack the group first, or give it to an input that stays the same in all steps"
            site.fault("wrong-arity", message, members[0].source.span, help=help)
            return False
    return True


def _is_in_over(one: Fed) -> bool:
    """Return whether a source is named in `over` alone, and so by the name of the input it fills."""
    source = one.source
    return source.span == source.argument_span and one.text == source.argument


# the axes


def _axes(site: Site, scan: DeclaredScan, fed: Mapping[str, Fed]) -> dict[str, int] | None:
    """Return the axis of each scanned source, from 0 on; None if one is faulty."""
    given = dict(scan.axes)
    if scan.axis is not None:
        given = {name: scan.axis for name in fed if name not in scan.carry}
    found = {name: _axis(site, fed[name], option) for name, option in given.items()}
    axes = {name: axis for name, axis in found.items() if axis is not None}
    return axes if len(axes) == len(found) and axes else None


def _axis(site: Site, one: Fed, option: Option) -> int | None:
    """Return an axis of a source, from 0 on; None if it has no such axis, which is reported."""
    axis = plain(compute(option.value, site.evaluation))
    if axis is FAULTY or one.type is None:
        return None
    rank = one.type.rank
    if type(axis) is not int:
        help = "write the number of the axis: 1 is the first axis after the batch"
        site.fault("wrong-type", "over takes the number of an axis", option.span, help=help)
        return None
    place = axis + rank if axis < 0 else axis
    is_batch = 0 <= place < rank and depends_on_batch(one.type.shape[place])
    if 0 <= place < rank and not is_batch:
        return place
    message = f"{one.text} has no axis {axis}: it is {one.type}"
    if is_batch:
        message = f"axis {place} of {one.text} is the batch, which a scan cannot run over"
    others = [str(i) for i in range(rank) if not depends_on_batch(one.type.shape[i])]
    help = f"its axes: {', '.join(others)}" if others else "it has only the batch"
    labels = (Label(one.producer, str(one.type)),)
    site.fault("bad-option", message, option.span, labels=labels, help=help)
    return None


def _length(site: Site, fed: Mapping[str, Fed], axes: Mapping[str, int]) -> Size | None:
    """Return the number of steps; None if the sources differ in it, which is reported."""
    lengths = {name: _type(fed[name]).shape[axis] for name, axis in axes.items()}
    (first, length), *others = lengths.items()
    for name, other in others:
        if other != length:
            message = (
                f"scanned sources need equal sizes along their axes: "
                f"{fed[first].text} has {length}, {fed[name].text} has {other}"
            )
            labels = tuple(Label(fed[each].producer, str(fed[each].type)) for each in (first, name))
            kept = ", ".join(f"{key}: {axis}" for key, axis in axes.items() if key != name)
            help = f"if {name} is the same at each step, remove it from {put(f'over: {{{kept}}}')}"
            site.fault("shape-mismatch", message, fed[name].source.span, labels=labels, help=help)
            return None
    return length


def _type(one: Fed) -> TensorType:
    assert one.type is not None  # all types are known where this is called
    return one.type


def _one_step(one: Fed, axis: int | None) -> Fed:
    """Return a source as one step of the block reads it: without the axis that is scanned."""
    if axis is None:
        return one
    type_ = _type(one)
    return one._replace(type=type_.without_axis(axis - type_.batched))


# the results


def _carries(site: Site, name: str, one: Fed, body: Body) -> bool:
    """Return whether a carried input is also an output of the same shape and dtype; report it if not."""
    family, before = body.family, _type(one)
    names = ", ".join(body.outputs)
    span = one.source.argument_span or one.source.span
    after = _handed_on(body, name)
    if after is None:
        message = f"{family} carries {name}, but it has no output of that name"
        by_hand = words("name the next value in the outputs of", "return the next value from")
        help = f"{by_hand} {family}: {code(f'outputs: {{{name}: ...}}')}"
        note = f"the outputs: {names}"
        site.fault("carry-mismatch", message, span, note=note, help=help)
        return False
    if before.is_alike(after):
        return True
    message = f"{name} must keep its shape and dtype from step to step: {_told(before, after)}"
    help = ""
    if before.dtype != after.dtype:
        help = f"cast it: {code(f'{{layer: Cast, from: ..., dtype: {before.dtype}}}')}"
    elif not before.batched and after.batched:
        help = f"begin with a batch: {code('batched: true')} on the parameter or buffer"
    labels = (Label(one.producer, str(before)),)
    site.fault("carry-mismatch", message, span, labels=labels, help=help)
    return False


def _told(before: TensorType, after: TensorType) -> str:
    """Return both types in words, with the dtypes if these differ."""
    if before.dtype == after.dtype:
        return f"it begins as {before}, and the block gives {after}"
    return f"it begins as {before} {before.dtype}, and the block gives {after} {after.dtype}"


def _check_stacks(site: Site, scan: Scan) -> bool:
    """Return whether the results of the steps can be stacked; report one that cannot."""
    if STEPS in scan.stacked and STEPS in scan.carried:
        message = f"a carried output cannot be called {STEPS} if the block has no other outputs"
        help = f"{STEPS} is the port that has it at every step: rename the output"
        site.fault("bad-name", message, site.node.span, help=help)
        return False
    for name in scan.stacked.values():
        type_ = scan.output_type(name)
        if len(type_.dims) < scan.axis:
            message = f"{name} of each step is {type_}: it has too few axes to be stacked"
            help = "scan over axis 1, or give the result more axes: the steps are joined along the"
            help += " axis that is scanned"
            site.fault("rank-mismatch", message, site.node.span, help=help)
            return False
    return True
