"""A model is saved to a file and loaded with its weights; keys that do not fit are named."""

from __future__ import annotations

import os
from pathlib import Path
from runpy import run_path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

import mimgraph as mg
from mimgraph.cost.choose_sizes import choose_sizes
from mimgraph.runtime.runner import seeded_inputs
from tests.helpers.cases import each

SPEC = """\
name: Words
params: {hidden: 3}
inputs: {text: {vocab: 9, shape: [T]}}
nodes:
  places: {parameter: [4], init: zeros}
  words: {layer: Embedding, from: text, embedding_dim: 4}
  placed: {merge: add, from: [words, places], broadcast: true}
  turned: {layer: Transpose, from: placed, dim0: 1, dim1: 2}
  normed: {layer: BatchNorm1d, from: turned}
  rows: {layer: Transpose, from: normed, dim0: 1, dim1: 2}
  last: {layer: GRU, from: rows, hidden_size: $hidden, take: last}
outputs: last
"""


def trained(graph: mg.Graph) -> nn.Module:
    """Change every tensor of the model, the counter of the norm too."""
    model = graph.compile()
    with torch.no_grad():
        for number, tensor in enumerate(model.state_dict().values()):
            tensor.add_(number + 1)
    return model


def assert_same(ours: nn.Module, theirs: nn.Module) -> None:
    mine, other = ours.state_dict(), theirs.state_dict()
    assert list(mine) == list(other)
    assert [key for key in mine if not torch.equal(mine[key], other[key])] == []


def output(graph: mg.Graph, model: nn.Module) -> Tensor:
    result: Tensor = model.eval()(**seeded_inputs(graph.typed, 2, 0, choose_sizes(graph.typed, {})))
    return result


def test_a_model_is_loaded_from_its_file_alone(tmp_path: Path) -> None:
    graph = mg.loads(SPEC, params={"hidden": 5})
    model, path = trained(graph), tmp_path / "model.safetensors"
    graph.save(model, path)
    loaded = mg.load_model(path)
    assert_same(loaded, model)
    assert torch.equal(output(graph, loaded), output(graph, model))
    assert mg.load(path) == mg.load(str(path)) == graph
    assert mg.load(path).declared.params["hidden"].value == 5


def test_params_apply_to_the_spec_in_the_file(tmp_path: Path) -> None:
    graph = mg.loads(SPEC)
    graph.save(graph.compile(), tmp_path / "model.safetensors")
    wider = mg.load(tmp_path / "model.safetensors", params={"hidden": 7})
    assert wider == mg.loads(SPEC, params={"hidden": 7})
    with pytest.raises(
        ValueError, match=r"of another shape: last\.weight_ih_l0 \(9, 4\), not \(21,"
    ):
        wider.load_weights(wider.compile(), tmp_path / "model.safetensors")


def test_other_tools_read_the_file(tmp_path: Path) -> None:
    graph = mg.loads(SPEC)
    graph.save(graph.compile(), tmp_path / "model.safetensors")
    with safe_open(tmp_path / "model.safetensors", "pt") as file:
        assert file.metadata() == {"format": "pt", "mimgraph": "1", "spec": graph.dumps()}
        assert sorted(file.keys()) == sorted(graph.compile().state_dict())


def test_weights_are_loaded_into_an_existing_model(tmp_path: Path) -> None:
    graph = mg.loads(SPEC)
    saved, model = trained(graph), graph.compile()
    save_file(saved.state_dict(), tmp_path / "bare.safetensors")  # with no spec
    same = model.state_dict()["words.weight"]
    graph.load_weights(model, tmp_path / "bare.safetensors")
    assert_same(model, saved)
    assert torch.equal(same, saved.state_dict()["words.weight"]), "an optimizer holds the old one"


def test_tensors_with_shared_or_strided_memory_are_saved(tmp_path: Path) -> None:
    text = "inputs: {x: [4]}\nnodes: {a: {from: x, seq: [{Linear: 4}, {Linear: 4}]}}\noutputs: a\n"
    graph = mg.loads(text)
    model = graph.compile()
    model.a[1].weight = model.a[0].weight
    model.a[0].bias = nn.Parameter(torch.arange(8.0)[::2])
    graph.save(model, tmp_path / "model.safetensors")
    assert_same(mg.load_model(tmp_path / "model.safetensors"), model)


def test_an_instance_of_the_emitted_class_is_saved(tmp_path: Path) -> None:
    graph = mg.loads(SPEC)
    (tmp_path / "words.py").write_text(graph.source())
    model: nn.Module = run_path(str(tmp_path / "words.py"))["Words"]()
    graph.save(model, tmp_path / "model.safetensors")
    assert_same(mg.load_model(tmp_path / "model.safetensors"), model)


# --- what does not fit ----------------------------------------------------------------------------


def test_a_model_of_another_graph_is_not_saved(tmp_path: Path) -> None:
    other = mg.loads(SPEC.replace("words", "tokens")).compile()
    with pytest.raises(ValueError) as caught:
        mg.loads(SPEC).save(other, tmp_path / "model.safetensors")
    assert str(caught.value) == (
        "the model is not of this graph: missing: words.weight; unexpected: tokens.weight"
    )
    assert os.listdir(tmp_path) == []


@each(
    "change, says",
    [
        ({"places": None}, "missing: places"),
        ({"a": (1,), "b": (2,)}, "unexpected: a, b"),
        ({"places": (5,)}, r"of another shape: places \(5,\), not \(4,\)"),
        (
            {"places": None, "words.weight": (9, 5), "new": (1,)},
            r"missing: places; unexpected: new; of another shape: words\.weight \(9, 5\), not \(9, 4\)",
        ),
        ({f"k{i}": (1,) for i in range(10, 20)}, "unexpected: k10, .*, k17 and 2 more"),
    ],
)
def test_keys_that_do_not_fit_are_named(
    tmp_path: Path, change: dict[str, tuple[int, ...] | None], says: str
) -> None:
    graph, path = mg.loads(SPEC), tmp_path / "model.safetensors"
    state = dict(trained(graph).state_dict())
    for key, shape in change.items():
        state.pop(key, None)
        if shape is not None:
            state[key] = torch.ones(shape)
    save_file(state, path)
    model = graph.compile()
    before = {key: tensor.clone() for key, tensor in model.state_dict().items()}
    with pytest.raises(
        ValueError,
        match=rf"^{path} does not fit: {says}\n- weights of an older version of the spec: mg.carry",
    ):
        graph.load_weights(model, path)
    assert all(torch.equal(before[key], tensor) for key, tensor in model.state_dict().items())


def test_what_fits_is_loaded_into_a_model_with_another_head(tmp_path: Path) -> None:
    head = "  head: {layer: Linear, from: last, out_features: %s}\noutputs: head\n"
    graph = mg.loads(SPEC.replace("outputs: last\n", head % 2))
    graph.save(model := trained(graph), tmp_path / "model.safetensors")
    old = graph["last"]
    other = mg.Graph(mg.layers.Linear(1)(mg.layers.Linear(5)(old, name="head"), name="top"))
    changed = other.compile()
    before = {key: tensor.clone() for key, tensor in changed.state_dict().items()}
    found = other.load_weights(changed, tmp_path / "model.safetensors", strict=False)
    after = changed.state_dict()
    assert found.mismatched == ("head.weight", "head.bias")
    assert found.shapes["head.weight"] == ((2, 3), (5, 3))
    assert found.missing == ("top.weight", "top.bias")
    assert found.unexpected == ()
    assert {*found.loaded} == after.keys() - {*found.mismatched, *found.missing}
    for key, tensor in after.items():
        assert torch.equal(tensor, (model.state_dict() if key in found.loaded else before)[key])
    assert str(found) == (
        "loaded 11 tensors; missing: top.weight, top.bias; "
        "of another shape: head.weight (2, 3), not (5, 3), head.bias (2,), not (5,)"
    )
    with pytest.raises(ValueError, match="does not fit: missing: top.weight"):
        other.load_weights(changed, tmp_path / "model.safetensors")
    back = graph.load_weights(model, tmp_path / "model.safetensors")
    assert str(back) == "loaded 13 tensors"


def test_weights_in_memory_are_for_load_state() -> None:
    graph = mg.loads(SPEC)
    model = graph.compile()
    for given in (model, model.state_dict()):
        with pytest.raises(TypeError, match=r"graph\.load_state\(model, other\) takes a module"):
            graph.load_weights(model, given)  # type: ignore[arg-type]


def test_a_truncated_file_is_an_error(tmp_path: Path) -> None:
    graph, path = mg.loads(SPEC), tmp_path / "model.safetensors"
    graph.save(graph.compile(), path)
    path.write_bytes(path.read_bytes()[:-1])
    assert mg.load(path) == graph  # the header is whole
    with pytest.raises(ValueError, match="is not a safetensors file, or is cut off"):
        mg.load_model(path)


def test_a_model_on_the_meta_device_is_refused(tmp_path: Path) -> None:
    """Torch would copy nothing into it, with a warning at most."""
    graph = mg.loads(
        "inputs: {x: [4]}\nnodes: {y: {layer: Linear, from: x, out_features: 2}}\noutputs: y"
    )
    full, file = graph.compile(), tmp_path / "model.safetensors"
    graph.save(full, file)
    with torch.device("meta"):
        empty = graph.compile()
    says = r"y\.weight of the {} is on the meta device, which keeps no values: .*to_empty\(device"
    for call in (
        lambda: graph.save(empty, file),
        lambda: graph.load_weights(empty, file),
        lambda: graph.load_state(empty, full),
        lambda: graph.load_state(empty, full.state_dict()),
    ):
        with pytest.raises(ValueError, match=says.format("model")):
            call()
    with pytest.raises(ValueError, match=says.format("other model")):
        graph.load_state(full, empty)
    with pytest.raises(ValueError, match=says.format("state_dict")):
        graph.load_state(full, empty.state_dict())
    graph.load_weights(empty.to_empty(device="cpu"), file)
    assert torch.equal(empty.y.weight, full.y.weight)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        mg.loads(SPEC).load_weights(mg.loads(SPEC).compile(), tmp_path / "no.safetensors")
    assert caught.value.filename == str(tmp_path / "no.safetensors")
