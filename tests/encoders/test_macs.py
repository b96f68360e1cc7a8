"""The multiply-accumulates of models of libraries are counted as torch counts them with data."""

from __future__ import annotations

import pytest
import torch
import torchvision
import transformers
from torch.utils.flop_counter import FlopCounterMode

import mimgraph as mg

BERT = """
inputs: {ids: {shape: [T], vocab: 100}}
nodes:
  words:
    layer: transformers.AutoModel
    from: ids
    config: {model_type: bert, hidden_size: 32, num_hidden_layers: 2, num_attention_heads: 2, vocab_size: 100}
outputs: words.last_hidden_state
"""
IMAGE = """
inputs: {image: [3, SIZE, SIZE]}
nodes: {vec: {layer: torchvision.resnet18, from: image}}
outputs: vec
"""


def test_the_macs_of_a_transformer_are_a_formula_of_its_length() -> None:
    macs = mg.loads(BERT).summary().macs
    config = transformers.BertConfig(
        hidden_size=32, num_hidden_layers=2, num_attention_heads=2, vocab_size=100
    )
    config._attn_implementation = "eager"  # torch does not count its kernel for the CPU
    model = transformers.BertModel(config).eval()
    for length in (1, 7, 100):
        with FlopCounterMode(display=False) as counted:
            model(torch.zeros(1, length, dtype=torch.int64))
        assert eval(str(macs), {"T": length}) == counted.get_total_flops() // 2


def test_the_macs_of_a_classifier_are_known_at_whole_sizes_alone() -> None:
    model = torchvision.models.resnet18().eval()
    with FlopCounterMode(display=False) as counted:
        model(torch.zeros(1, 3, 64, 64))
    assert mg.loads(IMAGE.replace("SIZE", "64")).summary().macs == counted.get_total_flops() // 2
    assert mg.loads(IMAGE.replace("SIZE", "S")).summary().macs is None


def test_a_limit_counts_the_macs_of_an_encoder() -> None:
    mg.loads(BERT + "limits: {macs: 10M, sizes: {T: 8}}")
    with pytest.raises(mg.SpecError, match="over-limit"):
        mg.loads(BERT + "limits: {macs: 1M, sizes: {T: 128}}")
