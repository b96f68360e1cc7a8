"""Type the nodes of a body: resolve the sources of each node, then type its operation on them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from mimgraph.diagnostics import Label, Report
from mimgraph.diagnostics.text import SEQ, put
from mimgraph.infer.apply import Expansion, apply_op, finish
from mimgraph.infer.block_inputs import left_out_inputs, match_block
from mimgraph.infer.blocks import (
    BlockUse,
    block_arguments,
    body_of,
    columns_of,
    default_params,
    find_block,
    open_body,
    report_unknown,
    with_kept,
)
from mimgraph.infer.declared import check_blocks, check_nodes_text
from mimgraph.infer.each import (
    given_to_item,
    item_sources,
    sharing_item,
    typed_each,
)
from mimgraph.infer.evaluation import Evaluation, decide
from mimgraph.infer.left_out import as_if_given, given_sources, skipped_to_one
from mimgraph.infer.options import given_twice
from mimgraph.infer.over import check_over, fold_of, show_over, unfolded
from mimgraph.infer.presence import (
    always_present,
    check_item,
    fed_by_argument,
    is_left_out,
    lacks_input,
    missing_inputs,
    missing_merge_inputs,
    missing_together,
    with_presence,
)
from mimgraph.infer.repeat import Repetition, Steps, steps_of
from mimgraph.infer.scan import scan_steps
from mimgraph.infer.sharing import (
    check_borrowers,
    check_kind,
    check_share,
    joint_inputs,
    module_owner,
    nodes_that_share,
)
from mimgraph.infer.sources import (
    Arguments,
    ask_for_port,
    ask_item_for_port,
    item_label,
    known_types,
    match,
    report_no_sources,
    resolve,
    resolve_all,
)
from mimgraph.infer.state import ALONE, Context, Fed, Joint, Site, State
from mimgraph.infer.structure import scope_of
from mimgraph.infer.training import trained
from mimgraph.ir.declared_graph import Apply, Block, Call, Chain, Each, Node, Output, Share, Source
from mimgraph.ir.declared_graph import Scan as DeclaredScan
from mimgraph.ir.declared_values import OTHERS, Option
from mimgraph.ir.expression import identity, plain
from mimgraph.ir.typed_graph import ALWAYS, NEVER, Body, TypedNode, Value
from mimgraph.ir.typed_operations import Leaf, Repeated, Sequence, Shared, TypedOperation, Use
from mimgraph.ir.typed_walks import used_bodies
from mimgraph.ir.types import TensorType
from mimgraph.ops import registry


class NodeTyper:
    """Types the nodes of one body; a block that one of them uses is another body, with its own typer.

    Each method types one kind of operation at a site, on the sources that it has there, and returns
    None where something is faulty, which is reported, or unknown.
    """

    def __init__(self, context: Context) -> None:
        self.context = context

    def nodes(self, outputs: Iterable[Output]) -> dict[str, Fed]:
        """Type every node of the body in running order, and return its outputs, resolved."""
        context = self.context
        state, scope, typed = context.state, context.scope, context.typed
        for node in scope.order:
            typed[node.name] = self.node(node)
            state.budget.count(1, node.span)
        # nodes on a cycle and the nodes behind them have no types: check their text alone
        if len(typed) < len(scope.nodes):
            untyped = [node for name, node in scope.nodes.items() if name not in typed]
            check_nodes_text(state, untyped, context.env, context.path)
        has_others = not all(isinstance(node.operation, Apply) for node in scope.order)
        if has_others and (shares := nodes_that_share(context)):
            # a block's body is emitted once, with the inputs of all nodes that share it
            for name, joint in joint_inputs(context, shares).items():
                typed[name] = self.node(scope.nodes[name], joint)
            for name in shares:
                check_share(context, name)
        if context.borrowers:
            check_borrowers(context)
        return {output.name: resolve(context, output.source, "") for output in outputs}

    def node(self, node: Node, joint: Joint = ALONE) -> TypedNode | None:
        """Return the typed node; `joint` is what nodes that share its module give it beside."""
        context = self.context
        report, path = context.state.report, context.path + node.name
        before = len(report.diagnostics)
        fed = None if node.sources is None else resolve_all(context, node.sources, path)
        if isinstance(node.operation, Each):
            typed = self._each(node, node.operation, fed or (), path)
        else:
            typed = self._fed(node, fed, path, joint)
        if typed is None and is_left_out(fed) and len(report.diagnostics) == before:
            context.never_run.add(node.name)
        if node.freeze is False and node.training is None:
            return typed
        return self._trained(node, typed, Evaluation(context.env, report, path, context.origins))

    def _fed(
        self, node: Node, fed: tuple[Fed, ...] | None, path: str, joint: Joint = ALONE
    ) -> TypedNode | None:
        """Return the node typed on these sources, with a module of its own or a shared one."""
        context = self.context
        if not isinstance(node.operation, Share):
            return self._at(Site(context, node, path, fed, node.take, joint), node)
        owned = module_owner(context, node, path)
        if owned is None or owned.context.typed.get(owned.name, owned) is None:
            return None
        used = node if owned.over is node.over else replace(node, over=owned.over)
        site = Site(owned.context, used, path, fed, owned.declared.take, joint)
        typed = self._at(site, owned.declared)
        if typed is None or not check_kind(context, node, owned, typed, path):
            return None
        shared = Shared(owned.name, typed.operation, owned.item)
        return replace(typed, name=node.name, operation=shared, declared=node)

    def _at(self, site: Site, node: Node) -> TypedNode | None:
        """Return the operation of `node` typed at the site, with its presence."""
        if node.operation is None:  # it could not be read
            return None
        fed = site.fed
        if fed and always_present(fed):
            typed = self._operation(site, node)
            if typed is None or not (isinstance(node.operation, Call) and lacks_input(typed)):
                return typed
            return with_presence(site, typed)
        if is_left_out(fed):
            return self._without_left_out(site, node)
        return self._given(site, node)

    def _given(self, site: Site, node: Node) -> TypedNode | None:
        """Return the operation of `node` typed on sources of which some may be missing."""
        fed = site.fed or ()
        typed = self._operation(site, node)
        if site.fed is None:
            report_no_sources(site, node)
        if typed is not None:
            typed = with_presence(site, typed)
        if typed is not None and any(one.presence != ALWAYS for one in fed):
            typed = self._with_variants(site, node, typed)
        if typed is None or (typed.over is not None and not check_over(site, typed, fed)):
            return None
        return typed

    def _with_variants(self, site: Site, node: Node, typed: TypedNode) -> TypedNode | None:
        """Return the node with a variant for each set of masks, lengths and states that may be
        missing."""
        if not isinstance(typed.operation, Leaf):
            return typed
        fed = fed_by_argument(site, typed)
        named = {
            key: one._replace(source=one.source._replace(argument=key if len(fed) > 1 else None))
            for key, one in fed.items()
        }
        without: dict[frozenset[str], TypedNode] = {}
        for gone in missing_together(typed, fed):
            rest = tuple(one for key, one in named.items() if key not in gone)
            less = self._operation(site._replace(fed=rest), node)
            if less is None:
                return None
            without[gone] = less
        return replace(typed, without=without)

    def _trained(self, node: Node, typed: TypedNode | None, at: Evaluation) -> TypedNode | None:
        """Return the node with the words on how its weights are trained."""
        freezes = decide("freeze", node.freeze, at)
        if typed is None:
            return None
        return trained(node, replace(typed, freeze=True) if freezes else typed, at)

    # operations

    def _operation(self, site: Site, node: Node) -> TypedNode | None:
        """Return the operation of `node` typed at the site, over an axis if one of the two has
        `over`: a node that shares a module may have its own."""
        over = node.over if site.node.over is None else site.node.over
        if over is not None:
            return self._over(site, node, over)
        return self._applied(site, node)

    def _applied(self, site: Site, node: Node) -> TypedNode | None:
        """Return the operation of `node` typed at the site."""
        match node.operation:
            case Apply() as apply:
                applied = apply_op(site, apply)
                if isinstance(applied, Expansion):
                    return self._expansion(site, apply, applied)
                return applied
            case Chain() as chain:
                return self._chain(site, chain)
            case Call(scan=DeclaredScan() as scan) as call:
                return self._scan(site, call, scan)
            case Call() as call:
                return self._call(site, call)
        return None

    def _over(self, site: Site, node: Node, over: Option) -> TypedNode | None:
        """Return the operation typed on sources without the axis, and its results with it."""
        fold = fold_of(site, node, over)
        if fold is None or site.fed is None:
            self._applied(site._replace(fed=None), node)  # check its options
            return None
        before = len(site.state.report.diagnostics)
        fed = tuple(
            one._replace(type=fold.fold(one.type)) for one in site.fed if one.type is not None
        )
        left_out = {name: one._replace(type=None) for name, one in site.left_out.items()}
        typed = self._applied(site._replace(fed=fed, left_out=left_out), node)
        show_over(site, before, Label(over.span, f"axis {fold.axis} is folded into the batch"))
        return None if typed is None else unfolded(site, over, typed, fold)

    def _each(self, node: Node, each: Each, fed: tuple[Fed, ...], path: str) -> TypedNode | None:
        """Return the node with an item for each source, or for each copy on one source."""
        context, state = self.context, self.context.state
        sources = item_sources(context, node, each, fed, path)
        if sources is None:
            return None
        what = "source" if each.times is None else "copy"
        columns = columns_of(context, each.options, len(sources), path, what)
        is_twice = given_twice(each.operation.named, each.options, state.report, path)
        if is_twice or columns is None:
            return None
        items: list[TypedNode] = []
        for position, (port, one) in enumerate(sources.items()):
            operation = sharing_item(context, given_to_item(each, columns, position), port)
            item = Node(port, node.span, operation, (one.source,), node.take, over=node.over)
            typed = self._fed(item, (one,), f"{path}.{port}")
            if typed is None:
                continue
            if typed.type is None:
                ports = tuple(typed.results)
                help = f"choose one of the ports {', '.join(ports)}: {put(f'take: {ports[0]}')}"
                ask_for_port(state, node.name, node.span, ports, path, help)
                return None
            if each.shared and position:
                shared = Shared(node.name, typed.operation, next(iter(sources)))
                typed = replace(typed, operation=shared)
            items.append(typed)
        state.budget.count(len(sources), node.span)
        return typed_each(node, each, tuple(items)) if len(items) == len(sources) else None

    def _chain(self, site: Site, chain: Chain) -> TypedNode | None:
        """Return the typed chain; after an item of unknown type only the options are checked."""
        matched = match(site, Arguments("seq", ("input",)))
        first = matched["input"] if matched else None
        value, type_ = (first.value, first.type) if first else (Value("", ""), None)
        text, producer = (first.text, first.producer) if first else ("", site.node.span)
        site.state.budget.count(max(len(chain.items) - 1, 0), site.node.span)  # beside the node
        items: list[TypedNode] = []
        for index, item in enumerate(chain.items, 1):
            # the item's name stands for its source, in faults
            source = Source(text, None, item.span)
            fed = None if type_ is None else (Fed(value, type_, source, producer),)
            typed = self._item(site, item, fed)
            if typed is not None and typed.type is None and index < len(chain.items):
                help = f"to use several, end the {SEQ} with it"
                ask_item_for_port(site, item, tuple(typed.results), help)
                typed = None
            type_ = None
            if typed is not None:
                items.append(typed)
                type_, text, producer = typed.type, item.name, item.span
                value = Value(item.name, typed.default or "")
        if first is None or first.type is None or len(items) < len(chain.items):
            if not site.state.is_unrun:
                site.state.memory.unfinished_items.setdefault(chain, tuple(items))
            return None
        operation = Sequence(tuple(items))
        results = items[-1].results if items else {"": first.type}
        if operation.default is None and site.take is None and site.node.name == "":
            # a chain that is a block has one output
            help = "to use several, write the block with nodes and outputs"
            ask_item_for_port(site, items[-1].declared, tuple(results), help)
            return None
        return _finished(site, operation, results, operation.default, {"input": first})

    def _item(self, site: Site, item: Node, fed: tuple[Fed] | None) -> TypedNode | None:
        """Return an item of a chain, typed."""
        path = f"{site.path}.{item.name}" if site.path else item.name
        inside = Site(site.context, item, path, fed, item.take)
        typed = self._operation(inside, item)
        if typed is not None and not (check_item(inside, typed) and _owns_modules(inside, typed)):
            typed = None
        if item.freeze is False and item.training is None:
            return typed
        return self._trained(item, typed, inside.evaluation)

    # blocks

    def _call(self, site: Site, call: Call) -> TypedNode | None:
        """Return the typed use of a block, once or repeated."""
        block = find_block(site.state, call, site.node.span, site.path)
        if block is None:
            return None
        arguments = block_arguments(site, call, block)
        steps = steps_of(site, block, call.repeat, arguments or {}) if call.repeat else Steps([{}])
        keys = block.input_names
        if steps is not None and steps.counter:  # the input that no source fills
            keys = tuple([name for name in keys if name != steps.counter])
        # a repeat that is faulty may have named an input as its `index`
        may_match = OTHERS not in call.params
        if call.repeat is not None:
            may_match = steps is not None or call.repeat.counter is None
        fed = match_block(site, block, keys) if may_match else None
        if fed is None or steps is None or arguments is None:
            return None
        kept = with_kept(site, block, fed)
        if known_types(kept) is None:
            return None
        use = BlockUse(site, call, block, left_out_inputs(block, keys, kept))
        typed: tuple[TypedOperation, Mapping[str, TensorType]] | None = None
        if call.repeat is not None:
            typed = self._repeat(Repetition(use, call.repeat, steps, keys, kept))
        elif body := self._body(use, arguments, kept, missing_inputs(kept)):
            typed = Use(body, arguments), body.results
        if typed is None:
            return None
        operation, results = typed
        default = "" if "" in results else None
        return _finished(site, operation, results, default, fed)

    def _repeat(self, repeat: Repetition) -> tuple[Repeated, Mapping[str, TensorType]] | None:
        """Return a block that runs several times, and the types of its results; the outputs of each
        step feed the inputs of the next."""
        if not repeat.fits_sources():
            return None
        current, bodies = repeat.first_sources(), list[Body]()
        for time, arguments in enumerate(repeat.steps.given):
            body = self._body(repeat.use, arguments, current, missing_inputs(current), time)
            handed = None if body is None else repeat.handed_on(body, current, bodies)
            if body is None or handed is None:
                return None
            bodies.append(body)
            current |= handed
        return repeat.typed(bodies)

    def _scan(self, site: Site, call: Call, scan: DeclaredScan) -> TypedNode | None:
        """Return a block that runs once for each step along an axis of its sources."""
        block = find_block(site.state, call, site.node.span, site.path)
        if block is None:
            return None
        arguments = block_arguments(site, call, block)
        steps = scan_steps(site, scan, block)
        if steps is None or arguments is None:
            return None
        without = {name: one._replace(type=None) for name, one in site.left_out.items()}
        absent = left_out_inputs(block, block.input_names, steps.fed)
        use = BlockUse(site._replace(left_out=without), call, block, absent)
        optional = missing_inputs(steps.fed, (*steps.axes, *scan.carry))
        body = self._body(use, arguments, steps.each, optional)
        if body is not None and (lasting := steps.lasting(block, body)) is not None:
            body = self._body(use, arguments, lasting, optional)
        operation = None if body is None else steps.operation(body, arguments)
        if operation is None:
            return None
        return _finished(site, operation, operation.results(), operation.default, steps.fed)

    def _expansion(self, site: Site, apply: Apply, expansion: Expansion) -> TypedNode | None:
        """Return a merge that is a block of other ops, typed as a use of it."""
        block, options, fed, activation = expansion
        inputs = dict(zip((declared.name for declared in block.inputs), fed.values(), strict=True))
        types = known_types(inputs)
        assert types is not None  # else the merge would not have been asked
        op = registry.find(apply.kind, apply.name)
        assert op is not None
        missing = missing_merge_inputs(op, inputs, options.get("missing") == "skip")
        optional = missing | site.joint.optional
        given = {name: plain(value) for name, value in options.items()}
        pasts = tuple([type_.past for type_ in types.values()])
        state = site.state
        key = (apply.name, identity(given), tuple(types.items()), pasts, optional, state.is_unrun)
        if key not in state.memory.bodies:
            inside = State(block.inner, Report(), state.params)
            check_blocks(inside)
            path = f"{block.family}."
            context = Context(inside, given, types, scope_of(block), path, optional=optional)
            state.memory.bodies[key] = _merge_body(site, context, block), inside.budget.nodes
        body, nodes = state.memory.bodies[key]
        state.budget.count(nodes, site.node.span)
        if body is None:
            return None
        default = "" if "" in body.results else None
        done = finish(site, apply.name, activation, body.results, default)
        if done is None:
            return None
        use = Use(body, options, apply.name, done.activation, done.activation_name)
        arguments = {name: one.value for name, one in inputs.items() if one.presence != NEVER}
        return TypedNode(site.node.name, use, arguments, done.results, done.default, site.node)

    def _body(
        self,
        use: BlockUse,
        arguments: Mapping[str, Any],
        fed: Mapping[str, Fed],
        optional: frozenset[str],
        time: int = 0,
    ) -> Body | None:
        """Return the body of a block for these params and input types, typed once for equal ones; the
        `optional` inputs may be missing, and `time` is the number of the repeat."""
        state, call, block = use.site.state, use.call, use.block
        memory, budget = state.memory, state.budget
        opened = open_body(use, arguments, fed, optional)
        if opened is None:
            return None
        key, faults = opened.key, len(state.report.diagnostics)
        if key in memory.bodies:
            body, nodes = memory.bodies[key]
            budget.count(nodes, use.site.node.span)
            return body
        before, context = budget.nodes, opened.context(time)
        budget.enter(call.span)
        outputs = NodeTyper(context).nodes(block.outputs)
        defaults = default_params(state, call.block, block)
        body = body_of(
            *(context, outputs, block.family, opened.params, defaults, opened.dims, block.doc),
            is_chain=block.is_chain,
        )
        budget.depth -= 1
        if body is None:
            if not state.is_unrun:
                memory.unfinished.setdefault(call, context)
            if context.left_out and len(state.report.diagnostics) == faults:
                report_unknown(use, context.left_out)
        memory.bodies[key] = body, budget.nodes - before
        return body

    # inputs that a use of a block leaves out

    def _without_left_out(self, site: Site, node: Node) -> TypedNode | None:
        """Return a node of which a source is never given, typed on the others; a node that does not run
        without it has the presence NEVER."""
        given = given_sources(site, node)
        if given is None:
            return None
        if given.site is None:
            return self._unrun(site, node)
        if given.skips is not None:
            unrun = self._unrun(site, node)
            if unrun is not None and isinstance(unrun.operation, Use):
                return self._given(site, node)  # it has weights for each source, and keeps them
            if len(given.site.fed or ()) == 1:
                return skipped_to_one(given.site, given.skips)
        return self._given(given.site, node)

    def _unrun(self, site: Site, node: Node) -> TypedNode | None:
        """Return a node that never runs, typed as if all were given, without faults."""
        inside = as_if_given(site)
        typed = None if inside is None else self._operation(inside, node)
        return None if typed is None else replace(typed, presence=NEVER)


def _finished(
    site: Site,
    operation: TypedOperation,
    results: Mapping[str, TensorType],
    default: str | None,
    fed: Mapping[str, Fed],
) -> TypedNode | None:
    """Return the typed node after its `take`; None if there is no such result, which is reported."""
    name = item_label(site.node) if site.node.sources == () else site.node.name
    done = finish(site, name, None, results, default)
    if done is None:
        return None
    arguments = {key: one.value for key, one in fed.items()}
    return TypedNode(site.node.name, operation, arguments, done.results, done.default, site.node)


def _merge_body(site: Site, context: Context, block: Block) -> Body | None:
    """Return the body of a merge's block; its first fault is reported at the node that uses it."""
    outputs = NodeTyper(context).nodes(block.outputs)
    site.state.require(context.state.constraints)
    for fault in context.state.report.diagnostics[:1]:
        labels = tuple(
            Label(fed.producer, str(fed.type)) for fed in site.fed or () if fed.type is not None
        )
        site.fault(fault.code, fault.message, site.node.span, labels=labels)
    return body_of(context, outputs, block.family, context.env, {}, {}, block.doc)


def _owns_modules(site: Site, typed: TypedNode) -> bool:
    """Return whether an item has no block that shares layers outside of it; report one that has."""
    if isinstance(typed.operation, Leaf) or not site.state.outer:
        return True
    borrowed = [name for body in used_bodies(typed.operation) for name in body.borrowed]
    if borrowed:
        label = item_label(site.node)
        message = f"{label} shares {borrowed[0]}, which a {SEQ} cannot pass to its items"
        help = f"make {label} a separate node"
        site.fault("bad-option", message, site.node.span, help=help)
    return not borrowed
