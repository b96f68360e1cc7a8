"""`mg.carry`: a model of the edited graph with the weights of the old one, run beside the old one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

import mimgraph as mg
from mimgraph.carried import Carried
from mimgraph.cost.choose_sizes import choose_sizes
from mimgraph.ir.tensor_copy import pairs
from mimgraph.runtime.runner import seeded_inputs
from tests.compare.test_compare import edited, graph
from tests.compare.weights.test_carry_report import cases
from tests.conftest import sampled
from tests.helpers.strategies import Spec, specs, to_yaml

CASES = cases()
PHASES = (Phase.explicit, Phase.generate)  # shrinking would compile thousands of models


def trained(of: mg.Graph, seed: int = 1) -> nn.Module:
    """Return a model in evaluation of which no tensor has the value that it was made with."""
    model = of.compile().eval()
    generator = torch.Generator().manual_seed(seed)
    for key, tensor in model.state_dict().items():
        if tensor.is_floating_point():
            noise = torch.randn(tensor.shape, generator=generator) / 2
            tensor.copy_(noise.abs() + 0.1 if key.endswith("running_var") else noise)
    return model


def loaded(new: mg.Graph, carried: Carried) -> nn.Module:
    """Return a model of the new graph with the carried weights; every key of it must be there."""
    model = new.compile().eval()
    model.load_state_dict(carried)
    return model


def outputs(of: mg.Graph, model: nn.Module, inputs: dict[str, Tensor]) -> dict[str, Tensor]:
    with torch.no_grad():
        found = model(**{name: inputs[name] for name in of.inputs if name in inputs})
    return dict(found) if isinstance(found, dict) else {next(iter(of.outputs)): found}


def check_equal_outputs(old: mg.Graph, new: mg.Graph, carried: Carried, model: nn.Module) -> None:
    """Run both models on inputs that begin with the same numbers, and compare the outputs that the report
    calls equal."""
    own = [choose_sizes(one.typed, {}) for one in (old, new)]
    common = {name: min(size, own[1][name]) for name, size in own[0].items() if name in own[1]}
    before, after = (
        seeded_inputs(one.typed, 2, 0, choose_sizes(one.typed, common)) for one in (old, new)
    )
    for name in before.keys() & after.keys():
        begin_alike(before[name], after[name])
    was, now = outputs(old, model, before), outputs(new, loaded(new, carried), after)
    for one in carried.report.plan.outputs:
        if one.why or not {one.was} <= was.keys() or one.name not in now:  # in training only
            continue
        assert one.was is not None
        old_output, new_output = was[one.was], now[one.name]
        stretches = [(slice(None), slice(None))]
        axis = 0
        if one.moved is not None:
            axis = one.moved.axis
            every = pairs(one.moved.positions)
            stretches = [(slice(n.start, n.stop), slice(o.start, o.stop)) for n, o in every]
        for fresh, kept in stretches:
            around = (slice(None),) * axis
            torch.testing.assert_close(
                new_output[*around, fresh], old_output[*around, kept], rtol=1e-4, atol=1e-5
            )


def begin_alike(one: Tensor, other: Tensor) -> None:
    """Give two inputs the same numbers where both have positions; of two vocabularies both have the smaller
    number."""
    if one.dim() != other.dim() or one.dtype != other.dtype:
        return
    common = tuple(slice(min(sizes)) for sizes in zip(one.shape, other.shape, strict=True))
    numbers = torch.minimum(one[common], other[common])
    one[common] = numbers
    other[common] = numbers


@pytest.mark.parametrize("title", sampled(CASES, 4))
def test_outputs_that_the_report_calls_equal_are(title: str) -> None:
    if "lora:" in "".join(CASES[title]):
        pytest.importorskip("peft")
    old, new = map(mg.loads, CASES[title])
    model = trained(old)
    check_equal_outputs(old, new, mg.carry(old, new, model, seed=3), model)


BERT = """
inputs: {ids: {shape: [T], dtype: int64, vocab: 50}}
nodes:
  NAME:
    layer: transformers.AutoModel
    from: ids
    config: {model_type: bert, hidden_size: 16, num_hidden_layers: 2, num_attention_heads: 2, intermediate_size: 32, vocab_size: 50}
    take: last_hidden_state
    LORA
  y: {layer: Linear, from: NAME, out_features: 2}
outputs: y
"""


def test_a_pretrained_encoder_gets_adapters_keeps_them_and_loses_them() -> None:
    pytest.importorskip("peft")
    pytest.importorskip("transformers")
    lora = "lora: {rank: 2, on: [query, attention.self.value, word_embeddings]}"
    bare, adapted, renamed = (
        mg.loads(BERT.replace("NAME", name).replace("LORA", words))
        for name, words in (("bert", ""), ("bert", lora), ("text", lora))
    )
    model = trained(bare)
    first = mg.carry(bare, adapted, model, seed=3)
    assert first.report.equal_outputs == ("y",) and first.report.dropped == ()
    assert first.report.anew and all(".lora_" in key for key in first.report.anew)
    check_equal_outputs(bare, adapted, first, model)

    tuned = trained(adapted, seed=2)
    second = mg.carry(adapted, renamed, tuned)
    assert second.report.equal_outputs == ("y",) and second.report.anew == ()
    check_equal_outputs(adapted, renamed, second, tuned)

    third = mg.carry(adapted, bare, tuned)
    (output,) = third.report.plan.outputs
    assert output.why.endswith("lost its adapters")
    assert third.report.dropped and all(".lora_" in key for key in third.report.dropped)
    before = tuned.state_dict()
    key = "bert.encoder.layer.1.attention.self.query"
    assert torch.equal(third[f"{key}.weight"], before[f"{key}.base_layer.weight"])
    loaded(bare, third)


def test_a_path_a_module_and_a_state_dict_are_weights(tmp_path: Path) -> None:
    old, new = map(mg.loads, CASES["A wider hidden layer"])
    model = trained(old)
    old.save(model, tmp_path / "old.safetensors")
    every = [
        mg.carry(old, new, given, seed=5)
        for given in (
            model,
            model.state_dict(),
            tmp_path / "old.safetensors",
            str(tmp_path / "old.safetensors"),
        )
    ]
    for other in every[1:]:
        assert list(other) == list(every[0]) == list(new.compile().state_dict())
        assert all(torch.equal(other[key], every[0][key]) for key in other)


def test_what_starts_anew_is_as_the_seed_makes_it() -> None:
    old, new = map(mg.loads, CASES["A layer more"])
    model = trained(old)
    torch.manual_seed(7)
    fresh = new.compile().state_dict()
    torch.manual_seed(1)
    following = torch.rand(1)
    torch.manual_seed(1)
    carried = mg.carry(old, new, model, seed=7)
    assert torch.equal(torch.rand(1), following)  # torch's own numbers go on as before
    assert torch.equal(carried["more.weight"], fresh["more.weight"])
    torch.manual_seed(7)
    assert torch.equal(mg.carry(old, new, model)["more.weight"], fresh["more.weight"])


def test_the_weights_that_are_given_stay_as_they_are() -> None:
    old, new = map(mg.loads, CASES["A renamed node"])
    model = trained(old)
    before = {key: tensor.clone() for key, tensor in model.state_dict().items()}
    carried = mg.carry(old, new, model)
    for tensor in carried.values():
        tensor.zero_()
    assert all(torch.equal(tensor, before[key]) for key, tensor in model.state_dict().items())


def test_tensors_keep_their_dtype() -> None:
    old, new = map(mg.loads, CASES["A layer more"])
    carried = mg.carry(old, new, trained(old).bfloat16())
    assert {tensor.dtype for tensor in carried.values()} == {torch.bfloat16}
    model = new.compile().bfloat16()
    model.load_state_dict(carried)
    wider = mg.loads(CASES["A wider hidden layer"][1])
    assert mg.carry(old, wider, trained(old).double())["last.weight"].dtype == torch.float64


def test_the_report_is_a_mapping_of_keys() -> None:
    old, new = map(mg.loads, CASES["A renamed node"])
    report = mg.carry(old, new, trained(old)).report
    assert report.carried["hidden.weight"] == "first.weight"
    assert report.anew == report.dropped == ()
    assert report.equal_outputs == ("last",)
    assert "renamed from first" in str(report)
    assert "| `hidden (Linear)` |" in report.markdown()


WRONG = {
    "another graph": (
        {"a.weight": torch.ones(2)},
        "missing: first.weight, first.bias, last.weight",
    ),
    "one key more": ({"more.weight": torch.ones(2)}, "unexpected: more.weight"),
    "another shape": (
        {"last.bias": torch.ones(4)},
        r"of another shape: last.bias \(4,\), not \(3,\)",
    ),
}


@pytest.mark.parametrize(("more", "message"), WRONG.values(), ids=WRONG)
def test_weights_of_another_graph(more: dict[str, Tensor], message: str) -> None:
    old, new = map(mg.loads, CASES["A renamed node"])
    state = trained(old).state_dict() if "a.weight" not in more else {}
    with pytest.raises(ValueError, match=f"the weights are not of the old graph: {message}"):
        mg.carry(old, new, {**state, **more})


def test_a_file_that_is_cut_off_or_none(tmp_path: Path) -> None:
    old, new = map(mg.loads, CASES["A renamed node"])
    path = tmp_path / "old.safetensors"
    old.save(trained(old), path)
    for content in (path.read_bytes()[:-9], path.read_bytes()[:20], b"", b"\x80\x04pickle."):
        path.write_bytes(content)
        with pytest.raises(ValueError, match="is not a safetensors file, or is cut off"):
            mg.carry(old, new, path)
    with pytest.raises(FileNotFoundError):
        mg.carry(old, new, tmp_path / "none.safetensors")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda g, w: mg.carry(g, "new.yaml", w), "carry takes two graphs, but one is 'new.yaml'"),
        (lambda g, w: mg.carry(g, g, 3), "weights is a module or the state_dict of one, not 3"),
        (lambda g, w: mg.carry(g, g, w, seed="a"), "seed is an integer, not 'a'"),
    ],
)
def test_wrong_arguments(call: Callable[..., object], message: str) -> None:
    graph = mg.loads(CASES["A renamed node"][0])
    with pytest.raises(TypeError, match=message):
        call(graph, graph.compile())


def test_tensors_that_the_graphs_do_not_know_are_found_by_their_module() -> None:
    class Scaled(nn.Module):
        def __init__(self, size: int, scale: float = 1.0) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.full((size,), scale))

        def forward(self, x: Tensor) -> Tensor:
            return x * self.weight

    mg.register(Scaled)
    spec = "inputs: {x: [4]}\nnodes: {own: {layer: Scaled, from: x, size: 4}}\noutputs: own\n"
    old, new = mg.loads(spec), mg.loads(spec.replace("own", "renamed"))
    model = trained(old)
    carried = mg.carry(old, new, model)
    assert torch.equal(carried["renamed.weight"], model.state_dict()["own.weight"])
    with_more = {**model.state_dict(), "own.adapter.weight": torch.ones(3)}
    assert mg.carry(old, new, with_more).report.dropped == ("own.adapter.weight",)


@given(specs(), st.data())
@settings(max_examples=15, phases=PHASES)
def test_outputs_of_edited_graphs(spec: Spec, data: st.DataObject) -> None:
    check_edited(spec, data)


@pytest.mark.slow
@given(specs(), st.data())
@settings(max_examples=600, phases=PHASES)
def test_outputs_of_many_edited_graphs(spec: Spec, data: st.DataObject) -> None:
    check_edited(spec, data)


def check_edited(spec: Spec, data: st.DataObject) -> None:
    """Carry the weights of a drawn graph to an edited one and back."""
    old, new = graph(to_yaml(spec)), graph(data.draw(edited(spec)))
    for before, after in ((old, new), (new, old)):
        model = trained(before)
        check_equal_outputs(before, after, mg.carry(before, after, model), model)
