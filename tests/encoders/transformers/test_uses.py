"""A model of transformers is exported, split, given weights and compared as any other layer."""

from __future__ import annotations

import importlib.metadata

import pytest
import torch
from torch.testing import assert_close

import mimgraph as mg
from mimgraph import layers
from mimgraph.ir.dim import substitute
from tests.helpers.stages import as_tuple, compile_stages, run_stages

transformers = pytest.importorskip("transformers")

SPEC = """
name: Texts
inputs:
  ids: {shape: [T], vocab: 50}
  mask: {shape: [T], dtype: bool}
params: {width: 16}
nodes:
  words:
    layer: transformers.AutoModel
    from: {input_ids: ids, attention_mask: mask}
    config:
      model_type: bert
      hidden_size: $width
      num_hidden_layers: 2
      num_attention_heads: 2
      intermediate_size: 24
      vocab_size: 50
    features: {early: 1, late: -1}
  score: {layer: Linear, from: words.pooler_output, out_features: 3}
  tags: {layer: Linear, from: words.early, out_features: 5}
outputs: [score, tags]
"""


def _batch(steps: int = 6) -> dict[str, torch.Tensor]:
    """Return two texts, of which the second is padded."""
    mask = torch.arange(steps) < torch.tensor([[steps], [2]])
    return {"ids": torch.randint(1, 50, (2, steps)), "mask": mask}


def test_the_emitted_class_reads_as_people_write_it() -> None:
    source = mg.loads(SPEC).source()
    assert "import transformers\n" in source
    assert "transformers.AutoModel.from_config(\n            transformers.BertConfig(\n" in source
    assert "words.hidden_states[1]" in source
    assert "mimgraph" not in source
    assert mg.loads(SPEC).with_params(width=32).source() != source


@pytest.mark.slow
def test_a_model_is_exported_with_its_sizes_as_names() -> None:
    graph = mg.loads(SPEC)
    model = graph.compile().eval()
    batch = _batch()
    exported = torch.export.export(model, (), batch, dynamic_shapes=graph.dynamic_shapes())
    longer = _batch(9)
    with torch.no_grad():
        assert_close(exported.module()(**longer), model(**longer))


def test_a_model_is_split_from_what_follows_it() -> None:
    graph = mg.loads(SPEC)
    whole = graph.compile().eval()
    stages = graph.split(["score"])
    modules = compile_stages(stages, whole)
    batch = _batch()
    with torch.no_grad():
        assert_close(run_stages(stages, modules, batch), as_tuple(whole(**batch)))


def test_weights_of_the_library_go_into_the_node() -> None:
    graph = mg.loads(SPEC)
    model = graph.compile().eval()
    theirs = transformers.BertModel(model.words.config)
    state = {f"words.{name}": tensor for name, tensor in theirs.state_dict().items()}
    heads = {k: v for k, v in model.state_dict().items() if not k.startswith("words.")}
    graph.load_state(model, {**state, **heads})
    assert_close(dict(model.words.state_dict()), dict(theirs.state_dict()))


def test_a_model_without_a_mask_takes_its_ids_alone() -> None:
    ids = mg.Input("ids", ("T",), vocab=50)
    config = {"dim": 16, "n_layers": 1, "n_heads": 2, "hidden_dim": 24, "vocab_size": 50}
    words = layers.transformers.DistilBertModel(config=config, features=1)(ids, name="words")
    graph = mg.Graph(outputs={"y": words})
    assert "self.words(input_ids=ids, output_hidden_states=True).hidden_states[1]" in graph.source()


def test_one_model_reads_two_texts() -> None:
    spec = """
    inputs: {a: {shape: [T], vocab: 50}, b: {shape: [S], vocab: 50}}
    nodes:
      texts:
        each: [a, b]
        shared: true
        layer: transformers.AutoModel
        config: {model_type: gpt2, n_embd: 16, n_layer: 1, n_head: 2, vocab_size: 50}
        features: 1
    outputs: {a: texts.a, b: texts.b}
    """
    graph = mg.loads(spec)
    model = graph.compile().eval()
    a, b = torch.randint(50, (2, 5)), torch.randint(50, (2, 3))
    with torch.no_grad():
        found = model(a=a, b=b)
        (theirs,) = (m for m in model.modules() if isinstance(m, transformers.GPT2Model))
        assert_close(found["a"], theirs(a).last_hidden_state)
        assert_close(found["b"], theirs(b).last_hidden_state)


HUGE = {
    "BertModel": "max_position_embeddings: 2000000000, vocab_size: 2000000000",
    "ViTModel": "image_size: 60000, patch_size: 1",
    "Dinov2Model": "image_size: 60000, patch_size: 1",
}


@pytest.mark.slow
@pytest.mark.parametrize("model", HUGE)
def test_the_weights_of_a_huge_model_are_counted_without_their_memory(model: str) -> None:
    source = "[3, 60000, 60000]" if "image" in HUGE[model] else "{shape: [T], vocab: 50}"
    graph = mg.loads(f"""
    inputs: {{x: {source}}}
    nodes: {{y: {{layer: transformers.{model}, from: x, config: {{num_hidden_layers: 1, {HUGE[model]}}}}}}}
    outputs: y
    """)
    assert int(graph.summary().total.params) > 10**12


def test_weights_that_cannot_be_counted_are_a_diagnostic(monkeypatch: pytest.MonkeyPatch) -> None:
    def version(package: str) -> str:
        if package == "transformers":
            raise importlib.metadata.PackageNotFoundError(package)
        return "2.13"

    graph = mg.loads(SPEC.replace("width: 16", "width: 22"))
    monkeypatch.setattr(importlib.metadata, "version", version)
    with pytest.raises(mg.SpecError, match=r"pip install 'mimgraph\[transformers\]'"):
        graph.summary()


OTHERS = {
    "opt": "hidden_size: 16, ffn_dim: 24, num_hidden_layers: 2, num_attention_heads: 2, vocab_size: 50, word_embed_proj_dim: 16",
    "bloom": "hidden_size: 16, n_layer: 2, n_head: 2, vocab_size: 50",
    "resnet": "embedding_size: 8, hidden_sizes: [8, 16], depths: [1, 1], layer_type: basic",
    "convnext": "hidden_sizes: [8, 16], depths: [1, 1], num_stages: 2",
}


@pytest.mark.slow
@pytest.mark.parametrize("model_type", OTHERS)
def test_a_model_that_is_not_in_the_table_is_run_on_the_meta_device(model_type: str) -> None:
    is_image = model_type in ("resnet", "convnext")
    source = "[3, H, W]" if is_image else "{shape: [T], vocab: 50}"
    graph = mg.loads(f"""
    inputs: {{x: {source}}}
    nodes:
      y: {{layer: transformers.AutoModel, from: x, config: {{model_type: {model_type}, {OTHERS[model_type]}}}, features: [1]}}
    outputs: {{last: y, first: y.hidden_states_1}}
    """)
    model = graph.compile().eval()
    x = torch.rand(2, 3, 64, 96) if is_image else torch.randint(50, (2, 7))
    with torch.no_grad():
        found = model(x=x)
    sizes = {"N": 2, "H": 64, "W": 96, "T": 7}
    for name, output in graph.outputs.items():
        assert found[name].shape == tuple(substitute(size, sizes) for size in output.shape)
    assert graph.summary().total.params == sum(p.numel() for p in model.parameters())
