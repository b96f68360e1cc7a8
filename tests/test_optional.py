"""Optional inputs, what fills or skips them, and outputs that only training has."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import yaml
from hypothesis import HealthCheck, given, settings
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves

import mimgraph as mg
from mimgraph.codegen.runner import choose_sizes, seeded_inputs
from tests.codegen.test_life import Lives
from tests.presence import Interpreter, Spec, optional_inputs, specs, subsets
from tests.strategies import to_yaml

BATCH = 3


def randomised(model: nn.Module) -> nn.Module:
    """Parameters that tell samples and sources apart, fills too."""
    torch.manual_seed(1)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_()
    return model.double()


def inputs_of(graph: mg.Graph, seed: int = 0) -> dict[str, Tensor]:
    made = seeded_inputs(graph.typed, BATCH, seed, choose_sizes(graph.typed, {}))
    return {name: x.double() if x.is_floating_point() else x for name, x in made.items()}


def zeros_of(graph: mg.Graph, spec: Spec) -> dict[str, Tensor]:
    """Zeros in the shape of each node at the top, and of the inputs of blocks."""
    sizes = choose_sizes(graph.typed, {})
    dims = {n.name: n.type.dims for n in graph.typed.body.nodes if n.type is not None}
    found = {
        name: torch.zeros(BATCH, *(sizes.get(str(dim), dim) for dim in known)).double()  # type: ignore[arg-type]
        for name, known in dims.items()
    }
    return {**{"f": torch.zeros(BATCH, 3).double()}, **found}


def assert_as_the_nodes_say(text: str) -> None:
    """For every choice of inputs that are left out or None: the outputs and all gradients."""
    spec: Spec = yaml.safe_load(text)
    graph = mg.loads(text)
    model = randomised(graph.compile())
    inputs, interpreter = inputs_of(graph), Interpreter(spec, zeros_of(graph, spec))
    training = graph.typed.body.training
    for gone in subsets(optional_inputs(spec)):
        kept = {name: x for name, x in inputs.items() if name not in gone}
        expected = interpreter.run(model, kept)
        wanted = gradients(model, expected)
        for mode in (True, False):
            result = model.train(mode)(**kept)
            found = result if isinstance(result, dict) else dict.fromkeys(expected, result)
            names = [name for name in expected if mode or name not in training]
            assert list(found) == names
            for name in names:
                torch.testing.assert_close(found[name], expected[name])
        found = model.train()(**kept, **dict.fromkeys(gone))
        found = found if isinstance(found, dict) else dict.fromkeys(expected, found)
        torch.testing.assert_close(gradients(model, found), wanted)


def gradients(model: nn.Module, outputs: Any) -> dict[str, Tensor]:
    """The gradient of each parameter that has one other than 0."""
    model.zero_grad()
    loss = torch.stack([x.square().sum() for x in outputs.values()]).sum()
    if loss.requires_grad:
        loss.backward()
    found = {name: p.grad for name, p in model.named_parameters() if p.grad is not None}
    return {name: grad.clone() for name, grad in found.items() if float(grad.abs().max()) > 1e-9}


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(specs())
def test_every_path_of_a_random_graph_is_as_its_nodes_say(spec: Spec) -> None:
    assert_as_the_nodes_say(to_yaml(spec))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(specs(simple=True))
def test_nothing_lives_past_its_last_use_on_any_path(spec: Spec) -> None:
    graph = mg.loads(to_yaml(spec))
    model = graph.compile().double()
    inputs = inputs_of(graph)
    for gone in subsets(optional_inputs(spec)):
        for mode in (True, False):
            kept = {name: x for name, x in inputs.items() if name not in gone}
            watched = Lives([*kept.values(), *model.parameters()])
            with torch.no_grad(), watched:
                result = model.train(mode)(**kept)
            outputs = {watched.number(x) for x in tree_leaves(result)}
            last = len(spec["nodes"]["score"]["from"])  # ops of the last sum, which reads so many
            for op, living in enumerate(watched.alive[:-last]):
                # what a node reads is alive while its other ops run, three at most
                late = {one for one in living if watched.last_use[one] < op - 3}
                assert late <= outputs
