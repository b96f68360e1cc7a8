"""Walks find every body and every weight once."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import chain

from hypothesis import HealthCheck, given, settings

import mimgraph as mg
from mimgraph.ir.typed_graph import TypedNode, weight_type
from mimgraph.ir.typed_operations import Shared, TypedKind, unwrap
from mimgraph.ir.typed_walks import bodies, used_bodies, weight_names
from tests.helpers.strategies import Spec, specs, to_yaml
from tests.ir.test_typed_operations import TEXT

thorough = partial(settings, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def test_weights_are_those_of_the_module() -> None:
    graph = mg.loads(TEXT)
    made = [name for name, _ in graph.compile().named_parameters(remove_duplicate=False)]
    found = [
        f"{node.name}.{name}"
        for node in graph.typed.body.nodes
        if not isinstance(node.operation, Shared) and node.name != "shares"
        for name in weight_names(node.operation)
    ]
    assert sorted(found) == sorted(made)


def nodes_below(operation: TypedKind) -> Iterator[TypedNode]:
    for _, node in operation.inner():
        yield node
        yield from nodes_below(node.operation)


@thorough(max_examples=60)
@given(spec=specs())
def test_walking_the_parts_finds_every_body_and_every_key_once(spec: Spec) -> None:
    body = mg.loads(to_yaml(spec)).typed.body
    found = bodies(body)
    assert len(found) == len(set(found))
    assert found[-1] is body
    for one in found:
        for node in one.nodes:
            operation = node.operation
            keys = [key for key, _ in operation.parts()]
            assert len(keys) == len(set(keys))
            assert {*used_bodies(operation)} <= {*found}
            assert operation.map_items(lambda item: item) is operation
            is_kept = chain(nodes_below(operation), [node])
            assert operation.has_state == any(
                not inner.operation.bodies
                and not inner.operation.items
                and inner.operation.has_state
                for inner in is_kept
            )
            for path in weight_names(operation):
                assert weight_type(operation, path) is not None
            assert unwrap(operation).op_name == node.op_name
