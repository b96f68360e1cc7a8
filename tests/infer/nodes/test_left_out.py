"""A use of a graph, part or block may leave out an optional input: it computes what it does without it."""

from __future__ import annotations

import itertools
import random
from functools import partial
from typing import Any

import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import nn

import mimgraph as mg
from mimgraph import merges
from tests.helpers.presence import Spec, optional_inputs, specs, subsets
from tests.helpers.strategies import to_yaml

BATCH = 3

thorough = partial(
    settings,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def randomised(model: nn.Module) -> nn.Module:
    """Return the model in double precision with random weights, in eval mode."""
    torch.manual_seed(1)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn(parameter.shape))
    return model.double().eval()


def handles(spec: Spec, gone: tuple[str, ...]) -> dict[str, mg.Tensor]:
    """Return an input for each input of the spec that is not left out."""
    kept = {name: one for name, one in spec["inputs"].items() if name not in gone}
    return {n: mg.Input(n, one["shape"], one.get("dtype")) for n, one in kept.items()}


def data(spec: Spec) -> dict[str, torch.Tensor]:
    """Return random tensors for all inputs."""
    return {
        name: torch.rand(BATCH) > 0.5
        if one.get("dtype") == "bool"
        else torch.randn(BATCH, *one["shape"], dtype=torch.float64)
        for name, one in spec["inputs"].items()
    }


def with_weights(model: nn.Module, *prefixes: str, of: nn.Module) -> nn.Module:
    """Return a model with the weights of another in its parts; each of its weights is one of these."""
    model = model.double().eval()
    for prefix in prefixes:
        part, state = model.get_submodule(prefix), of.state_dict()
        part.load_state_dict({name: state[name] for name in part.state_dict()})
    return model


def score(results: Any) -> torch.Tensor:
    found: torch.Tensor = results["score"] if isinstance(results, dict) else results
    return found


def called_on(graph: mg.Graph, spec: Spec, *left_out: tuple[str, ...]) -> mg.Graph | None:
    """Return the sum of calls of a graph, each without some inputs; None if the graph has an input that
    only outputs for training need, as a part may not."""
    given = handles(spec, ())
    try:
        calls = [
            graph(**{name: one for name, one in given.items() if name not in gone})
            for gone in left_out
        ]
    except mg.SpecError as error:
        assert {one.code for one in error.diagnostics} == {"unused-input"}
        return None
    return mg.Graph(merges.add(*calls) if len(calls) > 1 else calls[0], name="Outer")


# --- random graphs ---------------------------------------------------------------------------------


@thorough(max_examples=10)
@given(specs())
def test_a_graph_called_without_inputs_computes_what_it_does_alone(spec: Spec) -> None:
    graph = mg.loads(to_yaml(spec))
    alone, inputs = randomised(graph.compile()), data(spec)
    for gone in subsets(optional_inputs(spec)):
        outer = called_on(graph, spec, gone)
        if outer is None:
            return
        assert mg.loads(outer.dumps()) == outer
        kept = {name: x for name, x in inputs.items() if name not in gone}
        model = with_weights(outer.compile(), "model", of=alone)
        torch.testing.assert_close(model(**kept), score(alone(**kept)))


@thorough(max_examples=10)
@given(specs(), st.randoms(use_true_random=False))
def test_calls_of_one_graph_without_other_inputs_share_weights(
    spec: Spec, choice: random.Random
) -> None:
    graph = mg.loads(to_yaml(spec))
    alone, inputs = randomised(graph.compile()), data(spec)
    choices = [*itertools.product(subsets(optional_inputs(spec)), repeat=2)]
    for one, other in choice.sample(choices, 3):
        outer = called_on(graph, spec, one, other)
        if outer is None:
            return
        assert mg.loads(outer.dumps()) == outer
        model = with_weights(outer.compile(), "model", of=alone)
        results = [
            score(alone(**{name: x for name, x in inputs.items() if name not in gone}))
            for gone in (one, other)
        ]
        needed = {name: x for name, x in inputs.items() if name not in one or name not in other}
        torch.testing.assert_close(model(**needed), sum(results))
