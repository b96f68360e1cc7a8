"""Layers become the nodes that a reader expects, with the options of torch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

import mimgraph as mg
from tests.conftest import sampled
from tests.importer.cases import check_cases
from tests.importer.foreign.keras.configs import call, functional, layer, read, sequential


def test_layers_become_nodes(tmp_path: Path, rewrite: bool) -> None:
    def node(config: str) -> str:
        spec = read(config, tmp_path).spec
        assert mg.from_dict(spec)
        (entry,) = spec["nodes"].values()
        return yaml.safe_dump(entry, default_flow_style=True, sort_keys=False, width=1_000)

    check_cases(Path(__file__).with_name("layers.md"), node, rewrite)


def test_open_sizes_of_inputs_get_names(tmp_path: Path) -> None:
    inputs = {"text": [None, 4], "image": [None, None, 3], "other": [None, 4]}
    layers = [
        call(layer("GlobalMaxPooling1D", "a"), "text"),
        call(layer("GlobalMaxPooling2D", "b"), "image"),
        call(layer("GlobalMaxPooling1D", "c"), "other"),
    ]
    spec = read(functional(inputs, ["a", "b", "c"], *layers), tmp_path).spec
    assert spec["inputs"]["text"] == ["T", 4]
    assert spec["inputs"]["image"]["shape"] == [3, "H", "W"]
    assert spec["inputs"]["other"] == ["S", 4]


def test_open_sizes_that_are_added_are_one(tmp_path: Path) -> None:
    added = call(layer("Add", "sum"), "a", "b")
    spec = read(functional({"a": [None, 4], "b": [None, 4]}, ["sum"], added), tmp_path).spec
    assert spec["inputs"] == {"a": ["T", 4], "b": ["T", 4]}


@pytest.mark.parametrize(("pool", "stride"), sampled([(3, 2), (3, 4), (2, 1), (4, 3), (5, 2)], 4))
def test_a_mean_with_padding_is_that_of_the_pixels(pool: int, stride: int, tmp_path: Path) -> None:
    options = {"pool_size": [pool, pool], "strides": [stride, stride], "padding": "same"}
    config = sequential([11, 14, 1], layer("AveragePooling2D", **options))
    net = mg.from_dict(read(config, tmp_path).spec).compile()
    image = np.random.default_rng(0).normal(size=(11, 14))
    found = net(x=torch.tensor(image, dtype=torch.float32)[None, None])[0, 0].numpy()
    rows, columns = (_spans(size, pool, stride) for size in image.shape)
    wanted = [[image[r0:r1, c0:c1].mean() for c0, c1 in columns] for r0, r1 in rows]
    assert np.allclose(found, wanted, atol=1e-5)


def _spans(size: int, pool: int, stride: int) -> list[tuple[int, int]]:
    """Return the pixels of each window of TensorFlow's padding "same"."""
    count = -(-size // stride)
    start = -(max((count - 1) * stride + pool - size, 0) // 2)
    starts = [start + number * stride for number in range(count)]
    return [(max(first, 0), min(first + pool, size)) for first in starts]


def test_layers_of_one_part_are_a_chain_with_its_name(tmp_path: Path) -> None:
    layers = [
        layer("Dense", "block1_fc", units=3),
        layer("ReLU", "block1_relu"),
        layer("Dense", "block1_out", units=3),
        layer("Dense", "head", units=2),
    ]
    spec = read(sequential([5], *layers), tmp_path).spec
    assert list(spec["nodes"]) == ["block1", "head"]
    assert spec["nodes"]["head"] == {"layer": "Linear", "from": "block1", "out_features": 2}


def test_names_that_a_spec_does_not_allow_are_replaced(tmp_path: Path) -> None:
    layers = [layer("Dense", "1-a/b", units=3), layer("Dense", "forward", units=2)]
    model = call(layers[0], "x"), call(layers[1], "1-a/b")
    config = functional({"x": [5]}, ["1-a/b", "forward"], *model)
    graph = mg.from_dict(read(config, tmp_path).spec)
    assert list(graph.outputs) == ["layer_1_a_b", "forward_node"]


def test_a_dtype_is_noted_at_its_node(tmp_path: Path) -> None:
    policy = {"module": "keras", "class_name": "DTypePolicy", "config": {"name": "mixed_float16"}}
    layers = [layer("Dense", "first", units=3), layer("Dense", "second", units=2, dtype=policy)]
    notes = read(sequential([5], *layers), tmp_path).notes
    assert [(note.reason, note.node) for note in notes] == [("dtype", "second.1"), ("weights", "")]


def test_a_note_in_a_model_is_at_the_node_in_its_block(tmp_path: Path) -> None:
    inner = sequential([5], layer("Dense", units=3), layer("Lambda", "f"), layer("ReLU"))
    inner |= {"name": "inner"}
    inner["config"]["name"] = "inner"
    notes = read(
        functional({"x": [5]}, ["inner"], call(inner | {"inbound_nodes": []}, "x")), tmp_path
    ).notes
    assert [note.node for note in notes] == ["inner.relu.1", ""]


def test_a_model_of_nothing_is_left_out(tmp_path: Path) -> None:
    inner = sequential([5], layer("GaussianNoise", stddev=1.0)) | {"name": "noise"}
    config = sequential([5], inner, layer("Dense", units=2), layer("Identity"))
    spec = read(config, tmp_path).spec
    assert mg.from_dict(spec)
    assert list(spec["nodes"]) == ["dense"]


def test_steps_of_nothing_are_left_out(tmp_path: Path) -> None:
    noise = layer("TimeDistributed", layer=layer("GaussianNoise", stddev=1.0))
    spec = read(sequential([4, 5], noise, layer("ReLU")), tmp_path).spec
    assert list(spec["nodes"]) == ["relu"] and mg.from_dict(spec)
