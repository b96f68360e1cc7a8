"""Limits of the cost: what they compare, at which sizes, and how graphs keep them."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

import mimgraph as mg
from mimgraph import layers
from mimgraph.cost.choose_sizes import choose_sizes
from mimgraph.cost.cost import Costs
from mimgraph.cost.limits import used
from mimgraph.ir.typed_graph import Limits, amount_text, read_amount
from tests.helpers.cases import each
from tests.helpers.marked import locations
from tests.helpers.strategies import Spec, specs, to_yaml

SPEC = """
params: {width: 16}
inputs: {x: [T, 8]}
nodes:
  a: {layer: Linear, from: x, out_features: $width}
  b: {layer: Linear, from: a, out_features: 4, freeze: true}
outputs: b
"""


def limited(limits: str, spec: str = SPEC) -> str:
    return f"limits: {{{limits}}}{spec}"


def codes(text: str) -> list[str]:
    return [found.partition(" ")[0] for found in locations(text)]


# --- numbers ---------------------------------------------------------------------------------------

NUMBERS = {
    "0": 0,
    "20M": 20_000_000,
    "1.5M": 1_500_000,
    "2G": 2 * 10**9,
    "1T": 10**12,
    "1.25K": 1250,
}


@each("text, number", NUMBERS.items())
def test_a_suffix_is_a_power_of_a_thousand(text: str, number: int) -> None:
    assert read_amount(text) == number
    assert amount_text(number) == text


@each("text", ["", "20m", "20MB", "-1", "1.0005K", ".5M", "5.", "M", "1e3", "²", "9" * 30])
def test_other_texts_are_no_numbers(text: str) -> None:
    assert read_amount(text) is None


def test_a_number_that_a_suffix_would_not_shorten_is_written_out() -> None:
    assert [amount_text(n) for n in (999, 1_234, 11_689_512)] == ["999", "1,234", "11,689,512"]


# --- amounts: torch counts them too ----------------------------------------------------------------


def counted(text: str, sizes: dict[str, int]) -> dict[str, int]:
    """Return what torch counts of a model, for one sample of inputs of a feature axis of 8."""
    model = mg.loads(text).compile().eval()
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model(x=torch.zeros(1, sizes["T"], 8))
    learned = [one for one in model.parameters() if one.requires_grad]
    return {
        "parameters": sum(one.numel() for one in model.parameters()),
        "trainable": sum(one.numel() for one in learned),
        "macs": counter.get_total_flops() // 2,
    }


@each("name", ["parameters", "trainable", "macs"])
def test_a_limit_is_exceeded_by_one_more(name: str) -> None:
    amount = counted(SPEC, {"T": 5})[name]
    assert codes(limited(f"{name}: {amount}, sizes: {{T: 5}}")) == []
    assert codes(limited(f"{name}: {amount - 1}, sizes: {{T: 5}}")) == ["over-limit"]


def test_activations_are_the_bytes_of_every_result() -> None:
    amount = 4 * 5 * (16 + 4)
    assert codes(limited(f"activations: {amount}, sizes: {{T: 5}}")) == []
    assert codes(limited(f"activations: {amount - 1}, sizes: {{T: 5}}")) == ["over-limit"]
    assert codes(limited(f"activations: {3 * amount - 1}, sizes: {{T: 5, N: 3}}")) == ["over-limit"]


@given(specs())
@settings(max_examples=15, deadline=None)
def test_every_graph_is_within_limits_of_what_it_costs(spec: Spec) -> None:
    graph = mg.loads(to_yaml(spec))
    sizes = {**choose_sizes(graph.typed, {}), "N": 2}
    cost = Costs(graph.typed).total.at(sizes)
    amounts = {
        "parameters": cost.params,
        "trainable": cost.params - cost.frozen,
        "macs": cost.macs.value,
        "activations": cost.activations.value,
    }
    found = mg.from_dict({**graph.to_dict(), "limits": {**amounts, "sizes": sizes}})
    assert found == graph and found.limits == amounts
    below = {name: int(amount) - 1 for name, amount in amounts.items() if amount}
    over = [one for one in used(Limits(below, sizes), Costs(graph.typed)) if one.is_exceeded]
    assert [(one.name, one.amount) for one in over] == [(name, amounts[name]) for name in below]


def test_training_does_not_count() -> None:
    spec = """
inputs: {x: [4]}
nodes:
  y: {layer: Linear, from: x, out_features: 4}
  aux: {layer: Linear, from: y, out_features: 1000}
outputs: {y: y, aux: {from: aux, only: training}}
"""
    assert codes(limited("macs: 16, activations: 16", spec)) == []
    (found,) = errors(limited("macs: 15", spec))
    assert [label.text for label in found.labels] == ["16 MACs"]


def test_what_is_frozen_inside_a_node_does_not_count_as_trainable() -> None:
    spec = """
inputs: {x: [10]}
nodes: {y: {from: x, seq: [{Linear: 30}, ReLU, {Linear: 4}, {Linear: 4}], freeze: until 2}}
outputs: y
"""
    (found,) = errors(limited("trainable: 19", spec))
    assert [label.text for label in found.labels] == ["20 trainable parameters"]
    assert found.help == "the largest node is y with 20"


def errors(text: str, params: dict[str, Any] | None = None) -> list[mg.Diagnostic]:
    with pytest.raises(mg.SpecError) as caught:
        mg.loads(text, params)
    return caught.value.diagnostics


# --- layers of unknown MACs ------------------------------------------------------------------------


class Unknown(nn.Module):
    """A layer that is registered without its MACs."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Linear(8, 8)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.inner(x)  # type: ignore[no-any-return]


@pytest.fixture
def unknown() -> Any:
    mg.register(Unknown, name="UnknownMacs")
    yield
    from mimgraph.ops import registry

    registry.ops("layer").pop("UnknownMacs", None)


UNCOUNTED = """
inputs: {x: [8]}
nodes:
  a: {layer: UnknownMacs, from: x}
  b: {layer: Linear, from: a, out_features: 8}
outputs: b
"""


def test_macs_that_are_not_known_cannot_be_limited(unknown: None) -> None:
    (found,) = errors(limited("macs: 1M", UNCOUNTED))
    assert (found.code, found.labels[0].span.line) == ("missing-option", 4)
    assert "mg.register(UnknownMacs, macs=...)" in found.help
    (found,) = errors(limited("macs: 63", UNCOUNTED))
    assert found.code == "over-limit"
    assert mg.loads(limited("parameters: 1M", UNCOUNTED)).limits == {"parameters": 10**6}


def test_a_model_of_a_library_has_a_limit_of_parameters() -> None:
    spec = """
inputs: {image: [3, 32, 32]}
nodes: {v: {layer: torchvision.resnet18, from: image, freeze: true}}
outputs: v
"""
    assert mg.loads(limited("parameters: 11689512, trainable: 0", spec)).limits["trainable"] == 0
    assert codes(limited("parameters: 11689511", spec)) == ["over-limit"]
    mg.loads(limited("macs: 100G", spec))
    (found,) = errors(limited("macs: 100G", spec.replace("32, 32", "S, S")))  # no formula of S
    assert (found.code, found.help) == ("missing-option", "remove the limit of macs")


# --- params and sizes ------------------------------------------------------------------------------


def test_params_give_limits_and_sizes() -> None:
    text = limited("macs: $budget, sizes: {T: $long}").replace(
        "{width: 16}", "{width: 16, budget: 1K, long: 5}"
    )
    assert mg.loads(text).limits == {"macs": 1000} and mg.loads(text).warnings == ()
    for params in ({"width": 17}, {"long": 6}, {"budget": 959}, {"budget": "0.9K"}):
        assert [found.code for found in errors(text, params)] == ["over-limit"]


def test_a_search_space_knows_what_a_limit_reads() -> None:
    text = limited("macs: 10K, sizes: {T: $long}").replace(
        "{width: 16}", "{width: {search: [16, 256]}, long: {search: [5, 500]}}"
    )
    assert mg.loads(text).space.asked() == ["width", "long"] and mg.loads(text).warnings == ()
    assert mg.loads(text).with_params(width=16).limits == {"macs": 10_000}
    for point in ({"width": 256}, {"long": 500}):
        with pytest.raises(mg.SpecError, match="over-limit"):
            mg.loads(text).with_params(point)


def test_a_size_needs_a_number_only_where_an_amount_depends_on_it() -> None:
    assert codes(limited("parameters: 1M")) == []
    assert codes(limited("parameters: 1M, macs: 1M")) == ["missing-key"]
    fixed = SPEC.replace("[T, 8]", "[8]")
    assert codes(limited("macs: 1M", fixed)) == []
    assert codes(limited("macs: 1M, sizes: {N: 4}", fixed)) == []


# --- what keeps limits, and what does not ----------------------------------------------------------


def graph(**limits: Any) -> mg.Graph:
    x = mg.Input("x", ("T", 8))
    y = layers.Linear(4)(layers.Linear(16)(x, name="a"), name="b")
    return mg.Graph(y, limits=limits or None)


def test_they_are_written_as_they_were_given() -> None:
    made = graph(parameters="20M", macs=200_000, sizes={"T": 5})
    assert "limits: {parameters: 20M, macs: 200000, sizes: {T: 5}}" in made.dumps()
    assert made.to_dict()["limits"] == {"parameters": "20M", "macs": 200_000, "sizes": {"T": 5}}
    for same in (mg.loads(made.dumps()), copy.deepcopy(made), pickle.loads(pickle.dumps(made))):
        assert same.limits == made.limits == {"parameters": 20_000_000, "macs": 200_000}
        assert same.dumps() == made.dumps()


def test_they_are_no_part_of_what_is_computed() -> None:
    with_limits, without = graph(parameters="1K"), graph()
    assert with_limits == without and hash(with_limits) == hash(without)
    assert with_limits.source() == without.source() and without.limits == {}


def test_edits_keep_and_check_them() -> None:
    made = graph(parameters="1K", macs="2K", sizes={"T": 5})
    assert made.with_options("a", out_features=8).limits == made.limits
    assert made.insert("a", layers.ReLU()).limits == made.limits
    with pytest.raises(mg.SpecError) as caught:
        made.with_options("a", out_features=200)
    assert [one.message for one in caught.value.diagnostics] == [
        "2,604 parameters exceed the limit of 1K",
        "12,000 MACs per sample at T = 5 exceed the limit of 2K",
    ]
    assert all(one.span.file.name == __file__ for one in caught.value.diagnostics)
    with pytest.raises(mg.SpecError):
        made.replace("b", layers.Linear(1000))


def test_upto_leaves_out_sizes_that_are_gone() -> None:
    x, z = mg.Input("x", ("T", 8)), mg.Input("z", ("S", 8))
    a, b = layers.Linear(4)(x, name="a"), layers.Linear(4)(z, name="b")
    made = mg.Graph([a, b], limits={"macs": "1K", "sizes": {"T": 5, "S": 6, "N": 1}})
    assert "sizes: {T: 5, N: 1}" in made.upto("a").dumps()


def test_a_graph_that_is_a_layer_of_another_leaves_its_limits_behind() -> None:
    tower = graph(parameters="1K")
    x = mg.Input("x", ("T", 8))
    assert mg.Graph(layers.Linear(1000)(tower(x, name="t"), name="y")).limits == {}
    assert mg.Graph(layers.Linear(1000)(tower["b"], name="y")).limits == {}


def test_limits_of_a_part_hold_where_it_is_checked_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("part.yaml").write_text(
        "limits: {parameters: $most}\nparams: {width: 4, most: 50}\ninputs: {x: [8]}\n"
        "nodes: {y: {layer: Linear, from: x, out_features: $width}}\noutputs: y\n"
    )
    Path("main.yaml").write_text(
        "limits: {parameters: 1K}\nparts: {part: part.yaml}\ninputs: {x: [8]}\n"
        "nodes: {y: {block: part, from: x, width: 100}}\noutputs: y\n"
    )
    assert mg.load("part.yaml").limits == {"parameters": 50}
    whole = mg.load("main.yaml")
    assert whole.limits == {"parameters": 1000}
    with pytest.raises(mg.SpecError):
        mg.load("part.yaml", {"width": 100})


WRONG: dict[str, tuple[Any, type[Exception], str]] = {
    "a misspelt key": ({"parameter": 1}, mg.SpecError, "did you mean parameters?"),
    "no number": ({"macs": "2 billion"}, mg.SpecError, "macs must be a whole number"),
    "an unknown size": ({"macs": "1K", "sizes": {"L": 1}}, mg.SpecError, "no size named 'L'"),
    "no size": ({"macs": "1K"}, mg.SpecError, "macs depend on T"),
    "more than can be written": ({"macs": 10**5000}, mg.SpecError, "below 10\\*\\*30"),
    "no dict": ("20M", TypeError, "limits is a dict by name"),
    "sizes that are no dict": ({"sizes": 3}, TypeError, "sizes in limits is a dict by name"),
}


@each("case", [*WRONG])
def test_wrong_limits_in_python(case: str) -> None:
    limits, error, text = WRONG[case]
    x = mg.Input("x", ("T", 8))
    with pytest.raises(error, match=text):
        mg.Graph(layers.Linear(4)(x, name="y"), limits=limits)


def test_model_takes_them_too() -> None:
    x = mg.Input("x", (8,))
    y = layers.Linear(4)(x, name="y")
    assert mg.Model(x, y, limits={"macs": "1K"}).limits == {"macs": 1000}


# --- what shows them -------------------------------------------------------------------------------


def test_the_summary_shows_what_is_used() -> None:
    summary = mg.loads(
        limited("parameters: 400, trainable: 200, macs: 1M, sizes: {T: 5}")
    ).summary()
    shown = "Limits: parameters 212 of 400 (53%), trainable 144 of 200 (72%), macs 960 of 1 M (<1%) at T = 5"
    assert shown in summary.text() and "**Limits**" in summary.markdown()
    assert summary.totals()["limits"]["parameters"] == {"used": 212, "limit": 400}
    assert "limits" not in mg.loads(SPEC).summary().totals()


def test_diff_shows_a_changed_limit() -> None:
    old, new = (
        mg.loads(limited(text)) for text in ("parameters: 20M", "parameters: 30M, trainable: 1K")
    )
    assert "limit of parameters 20M → 30M, limit of trainable none → 1K" in mg.diff(old, new).text()
    assert mg.diff(new, mg.loads(SPEC)) and not mg.diff(new, new)


def test_mg_edit_changes_them(tmp_path: Path) -> None:
    path = tmp_path / "model.yaml"
    path.write_text(limited("parameters: 1K").lstrip())
    with_more = mg.edit(path)
    with_more.set("limits", parameters="2K", trainable=500)
    assert with_more.text.startswith("limits: {parameters: 2K, trainable: 500}\n")
    with_more.remove("limits.trainable")
    assert with_more.text.startswith("limits: {parameters: 2K}\n")
    path.write_text(SPEC.lstrip())
    fresh = mg.edit(path)
    fresh.set("limits", parameters=211)
    with pytest.raises(mg.SpecError, match="over-limit"):
        fresh.save()
