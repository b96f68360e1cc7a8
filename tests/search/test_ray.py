"""The space of a spec is one of Ray Tune: each domain draws values that the space has, up to its bounds."""

from __future__ import annotations

import random
import sys
from typing import Any

import pytest

import mimgraph as mg
from tests.conftest import needed

SPACES = {
    "choices": ("{search: [[8], [16, 16], null]}", {"[8]", "[16, 16]", "None"}),
    "integers": ("{search: {int: [2, 4]}}", {"2", "3", "4"}),
    "integers by steps from the bound": ("{search: {int: [3, 9], step: 3}}", {"3", "6", "9"}),
    "integers by other steps": ("{search: {int: [2, 8], step: 3}}", {"2", "5", "8"}),
    "integers by their logarithm": ("{search: {int: [1, 4], log: true}}", {"1", "2", "3", "4"}),
    "numbers by steps": ("{search: {float: [0.25, 0.75], step: 0.25}}", {"0.25", "0.5", "0.75"}),
}


def space_of(param: str) -> Any:
    """Return the space of a spec with one param."""
    text = f"params: {{p: {param}}}\ninputs: {{x: [4]}}\nnodes: {{y: {{layer: ReLU, from: x}}}}\n"
    return mg.loads(f"{text}outputs: y\n").space


@pytest.mark.nightly
@pytest.mark.parametrize("what", SPACES)
def test_every_value_is_drawn_and_no_other(what: str) -> None:
    needed("ray")
    param, values = SPACES[what]
    domain = space_of(param).ray()["p"]
    random.seed(0)
    drawn = [domain.sample(random_state=seed) for seed in range(200)]
    assert {str(one) for one in drawn} == values


@pytest.mark.nightly
@pytest.mark.parametrize("how", ["", ", log: true"])
def test_numbers_stay_within_their_bounds(how: str) -> None:
    needed("ray")
    space = space_of(f"{{search: {{float: [0.001, 1.0]{how}}}}}")
    drawn = [space.ray()["p"].sample(random_state=seed) for seed in range(200)]
    assert all(space["p"].has(float(one)) for one in drawn)
    assert (sum(one < 0.1 for one in drawn) > 100) == bool(how)


@pytest.mark.nightly
def test_too_many_steps_are_refused() -> None:
    needed("ray")
    with pytest.raises(ValueError, match="p has 500,000"):
        space_of("{search: {int: [2, 1000000], step: 2}}").ray()


def test_without_ray_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ImportError, match="pip install"):
        space_of("{search: [1, 2]}").ray()
