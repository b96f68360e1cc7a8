"""Set options of a node, and change nodes by a rule."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from operator import is_
from typing import Any, TypeAlias

from mimgraph.builder.block_call import BlockCall, declare_repeat
from mimgraph.builder.declare_layer import (
    declare_activation,
    declare_words,
    option,
)
from mimgraph.builder.edits.change_nodes import (
    WRITTEN,
    NewLayer,
    as_layer,
    is_layer,
    replaced,
    with_named_value,
)
from mimgraph.builder.edits.edit import Edit, EditedGraph, Scope, find
from mimgraph.declare.uses import CommonOptions
from mimgraph.inspection.nodes import Node as SeenNode
from mimgraph.inspection.nodes import Nodes, nodes
from mimgraph.ir.declared_graph import Apply, Call, Each, Graph, Node, Repeat, Share, Training
from mimgraph.ir.declared_values import Option
from mimgraph.ir.expression import PLAIN_TYPES
from mimgraph.ir.grammar import BESIDE, TRAINING
from mimgraph.ir.typed_graph import TypedGraph
from mimgraph.ir.typed_operations import Repeated, unwrap
from mimgraph.ops import registry
from mimgraph.ops.op import REQUIRED, Op
from mimgraph.support.arguments import as_mapping, wrong
from mimgraph.support.entry_point import call_users

Options = Mapping[str, object]  # `...` leaves an option out, so that it has its default


def with_options(graph: Graph, typed: TypedGraph, path: object, options: Options) -> EditedGraph:
    """Return the graph with these options of the node at the path."""
    edit = Edit(graph, typed)
    place = find(edit, path)
    node = place.node
    changed = optioned(edit, place.scope, node, options)
    return edit.changed(place.around, place.scope.with_node(node.name, changed))


def optioned(edit: Edit, scope: Scope, node: Node, options: Options) -> Node:
    """Return the node with these options."""
    applied = node.applied
    if isinstance(applied, Call) and _decides(edit, applied, options):
        return _called_again(edit, scope, node, applied, options)
    if isinstance(applied, Apply):
        op = registry.find(applied.kind, edit.resolved(applied.name))
        assert op is not None
        words = {"activation", *BESIDE, *TRAINING} - op.options.keys()
        own = {name: value for name, value in options.items() if name not in words}
        if "name" in own and "name" not in op.options:
            help = f"write graph.rename({scope.path + node.name!r}, ...)"
            raise edit.fault("unknown-option", f"{op.name} has no option 'name'", help)
        node = node.with_applied(_layer(edit, applied, op, options, own))
    elif isinstance(applied, Call):
        _check_scan(edit, scope, node, applied, options)
        words = {"repeat", *BESIDE, *TRAINING} - edit.block(applied).params.keys()
        own = {k: value for k, value in options.items() if k not in words}
        node = node.with_applied(_use(edit, applied, options, own))
    else:
        words = {"over"} if isinstance(applied, Share) else {*BESIDE, *TRAINING}
        own = {k: value for k, value in options.items() if k not in words}
        if own:
            raise _no_options(edit, scope, node, next(iter(own)))
    given = {name: value for name, value in options.items() if name not in own}
    changed = _with_words(edit, _without_with(node, own), given)
    return WRITTEN.node(with_named_value(edit, changed))


def _no_options(edit: Edit, scope: Scope, node: Node, name: str) -> Exception:
    """Return the error for an option of a seq or share."""
    here, shared = scope.path + node.name, node.applied
    if isinstance(shared, Share):
        message = f"{here} shares the module of {shared.text}, and has no option {name!r}"
        help = f"change {shared.text}, which {here} follows"
    else:
        message = f"{here} is a Sequential, and has no option {name!r}"
        help = f"name one of its items: {f'{here}.0'!r}"
    return edit.fault("unknown-option", message, help)


def _check_scan(edit: Edit, scope: Scope, node: Node, call: Call, options: Options) -> None:
    """Raise an error for words that a scan cannot have, or that would change its steps."""
    word = next((word for word in ("repeat", "over") if word in options), None)
    if call.scan is not None and word is not None:
        message = f"{scope.path}{node.name} is a scan, whose steps with_options cannot change"
        help = f"remove {word}, and set params of the block"
        raise edit.fault("unknown-option", message, help, call.scan.span)


def _changed(edit: Edit, named: Mapping[str, Option], own: Options) -> dict[str, Option]:
    """Return the options with the values that the user gives, without the options that are left out."""
    given = {k: option(value, edit.span) for k, value in own.items() if value is not ...}
    kept = {name: one for name, one in named.items() if own.get(name) is not ...}
    return {**kept, **given}


def _layer(edit: Edit, apply: Apply, op: Op, options: Options, own: Options) -> Apply:
    """Return a layer or merge with the options; its value without a name gets one beside others."""
    named = {**apply.options}
    if apply.lone is not None and op.lone_option is not None:
        named = {op.lone_option: apply.lone, **named}
    activation = apply.activation
    if "activation" in options:
        given = options["activation"]
        is_word = "activation" not in op.options and given is not ...
        activation = declare_activation(given, edit.span) if is_word else None
    found, lone = _changed(edit, named, own), None
    if apply.lone is not None and found.keys() == {op.lone_option}:
        ((_, lone),), found = found.items(), {}
    return replace(apply, options=found, lone=lone, activation=activation, span=edit.span)


def _use(edit: Edit, call: Call, options: Options, own: Options) -> Call:
    """Return the use of a block with the params."""
    named = {**call.params}
    if call.lone is not None:
        named = {next(iter(edit.block(call).params)): call.lone, **named}
    repeat = call.repeat
    if "repeat" in options:
        given = options["repeat"]
        repeat = None if given is ... else declare_repeat(given, edit.span)
    elif repeat is not None:
        repeat = _without_columns(repeat, own)
    found = _changed(edit, named, own)
    return replace(call, params=found, lone=None, repeat=repeat, span=edit.span)


def _without_columns(repeat: Repeat, own: Options) -> Repeat:
    """Return a repeat without the values of each time for params that are now the same each time."""
    kept = {name: column for name, column in repeat.each.items() if name not in own}
    times, dropped = repeat.times, [column for name, column in repeat.each.items() if name in own]
    if times is None and not kept and dropped and isinstance(dropped[0].value, list):
        times = option(len(dropped[0].value), dropped[0].span)
    return repeat._replace(each=kept, times=times)


def _without_with(node: Node, own: Options) -> Node:
    """Return an `each` without the values of each source for options that are now the same for all."""
    whole = node.operation
    if not isinstance(whole, Each) or not whole.options.keys() & own.keys():
        return node
    kept = {name: column for name, column in whole.options.items() if name not in own}
    return replace(node, operation=replace(whole, options=kept))


def _with_words(edit: Edit, node: Node, options: Options) -> Node:
    """Return the node with the words `take`, `over`, `freeze`, `lr`, ... that are given."""
    declared = _declared(edit, options)
    words = {word: getattr(declared, word) for word in BESIDE if word in options}
    training = trained(node.training, options, declared)
    return replace(node, span=edit.span, whole=None, training=training, **words)


def _declared(edit: Edit, options: Options) -> CommonOptions:
    """Return the words among the options, without those that are left out."""
    words = {name: options[name] for name in (*BESIDE, *TRAINING) if name in options}
    kept = {k: value for k, value in words.items() if value is not None and value is not ...}
    return declare_words(kept, edit.span)


def trained(
    before: Training | None, given: Iterable[str], declared: CommonOptions
) -> Training | None:
    """Return the words `before` on training with those that are given as declared."""
    words = [word for word in given if word in ("freeze", *TRAINING)]
    return (before or Training()).replaced(words, declared.training)


# --- params by which the function of a block decided in Python what it declares -------------------


def _decides(edit: Edit, call: Call, options: Options) -> bool:
    """Return whether an option is a param of a block's function alone, which must run again."""
    block = edit.block(call)
    function = block.function
    if function is None:
        return False
    return any(k in function.defaults and k not in block.params for k in options)


def _called_again(edit: Edit, scope: Scope, node: Node, call: Call, options: Options) -> Node:
    """Return a use of the block that its function declares for these params."""
    block, words = edit.block(call), {}
    named = {**call.params}
    if call.lone is not None:
        named = {next(iter(block.params)): call.lone, **named}
    for name, value in {**named, **(call.repeat.each if call.repeat else {})}.items():
        if name not in options and not _is_plain(value.value):
            message = f"{name} is written in terms of other params, and the function of a block needs its value"
            help = f"give {name} a number as well, or replace {scope.path + node.name!r}"
            raise edit.fault("bad-option", message, help, value.span)
    if call.repeat is not None:
        words["repeat"] = _repeat_words(call.repeat)
    given = {name: value.value for name, value in named.items()} | words | {**options}
    own = block.function.own_defaults  # the declared block has other ones
    given = {k: own.get(k, ...) if value is ... else value for k, value in given.items()}
    given = {
        name: value for name, value in given.items() if value is not ... and value is not REQUIRED
    }
    (found,) = replaced(edit, scope, node, BlockCall(block.function, (), given))
    if "freeze" not in options:
        found = replace(found, freeze=node.freeze)
    said = {name: value for name, value in options.items() if name not in block.params}
    return replace(found, training=trained(node.training, said, _declared(edit, said)))


def _is_plain(value: object) -> bool:
    if isinstance(value, list | tuple):
        return all(map(_is_plain, value))
    return type(value) in PLAIN_TYPES


def _repeat_words(repeat: Repeat) -> dict[str, object]:
    """Return a repeat as the keyword of a call."""
    words = {
        "times": repeat.times.value if repeat.times else None,
        "shared": repeat.shared,
        "with": {name: column.value for name, column in repeat.each.items()},
        "index": repeat.counter.name if repeat.counter else None,
        "collect": (repeat.collect.name or True) if repeat.collect else None,
    }
    return {name: value for name, value in words.items() if value not in (None, {}, False)}


# Change nodes by a rule, at any depth: every ReLU to a GELU.


Answer: TypeAlias = NewLayer | Mapping[str, Any] | SeenNode | None
Rule: TypeAlias = Callable[[SeenNode], Answer]


def map_nodes(graph: Graph, typed: TypedGraph, rule: Rule) -> EditedGraph:
    """Return the graph with every node changed as the rule says."""
    if not callable(rule) or isinstance(rule, type):
        raise wrong("the rule", "a function of a node", rule)
    edit = Edit(graph, typed)
    whole = _mapped(edit, edit.whole, nodes(typed), rule)
    return EditedGraph(graph, typed) if whole is edit.whole else edit.checked(whole)


def _mapped(edit: Edit, scope: Scope, seen: Nodes, rule: Rule) -> Scope:
    """Return the scope with its nodes changed; itself if none is."""
    found = [_changed_by_rule(edit, scope, node, seen, rule) for node in scope.nodes]
    flat = tuple([node for nodes in found for node in nodes])
    same = len(flat) == len(scope.nodes) and all(map(is_, flat, scope.nodes))
    return scope if same else scope.with_nodes(flat)


def _changed_by_rule(
    edit: Edit, scope: Scope, node: Node, seen: Nodes, rule: Rule
) -> tuple[Node, ...]:
    """Return a node changed by the rule, else with the nodes inside it changed; a share follows the
    node that it shares."""
    if isinstance(node.applied, Share) or node.name not in scope.typed:
        return (node,)
    record = seen[node.name]
    answer = call_users(rule, record)
    if isinstance(answer, Mapping):
        options = as_mapping("what the rule returns", answer, '{"activation": "GELU"}')
        return (optioned(edit, scope, node, options),)
    if answer is not None and answer is not record:
        if not is_layer(answer):
            wants = "None, a layer or merge such as layers.GELU(), or a dict of options"
            raise wrong(f"what the rule returns for {record.path}", wants, answer)
        return replaced(edit, scope, node, as_layer(answer))
    inner = edit.inside(scope, node)
    if inner is None:
        return (node,)
    changed = _mapped(edit, inner, _inside(scope, record), rule)
    return (node,) if changed is inner else (edit.with_inside(node, changed),)


def _inside(scope: Scope, record: SeenNode) -> Nodes:
    """Return the records inside a node, of repeats and of an `each` the records in the first."""
    operation = unwrap(scope.typed[record.name].operation)
    found = record.nodes
    is_list = isinstance(operation, Repeated) and not operation.shared
    if operation.branches or (is_list and operation.bodies):
        return found[next(iter(found))].nodes
    return found
