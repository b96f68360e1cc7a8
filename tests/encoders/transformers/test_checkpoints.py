"""A checkpoint is read from the hub's cache: its config by a check, its weights by a run."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch.testing import assert_close

import mimgraph as mg
from mimgraph.encoders.transformers.checkpoints import KNOWN
from tests.encoders.transformers import hub
from tests.helpers.marked import locations

transformers = pytest.importorskip("transformers")

SPEC = """
name: Texts
inputs:
  ids: {shape: [T], vocab: 50}
  mask: {shape: [T], dtype: bool}
nodes:
  words: {layer: transformers.AutoModel, from: {input_ids: ids, attention_mask: mask}, pretrained: acme/tiny}
outputs: {words: words, pooled: words.pooler_output}
"""


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a cache with one checkpoint, acme/tiny, in float16."""
    hub.use(tmp_path, monkeypatch)
    torch.manual_seed(0)
    config = transformers.BertConfig(
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=24,
        vocab_size=50,
        max_position_embeddings=12,
    )
    model = transformers.BertModel(config).half()
    model.save_pretrained(hub.snapshot(tmp_path, "acme/tiny"))
    return tmp_path


def _batch() -> dict[str, torch.Tensor]:
    """Return two texts, of which the second is padded."""
    return {"ids": torch.randint(1, 50, (2, 5)), "mask": torch.arange(5) < torch.tensor([[5], [2]])}


def test_a_model_has_the_weights_of_its_checkpoint(cache: Path) -> None:
    graph = mg.loads(SPEC)
    ours = graph.compile().eval()
    theirs = transformers.AutoModel.from_pretrained("acme/tiny", dtype=torch.float32).eval()
    batch = _batch()
    with torch.no_grad():
        found = ours(**batch)
        wanted = theirs(batch["ids"], batch["mask"])
    assert_close(found["words"], wanted.last_hidden_state)  # both float32, as the file is not
    assert_close(found["pooled"], wanted.pooler_output)
    assert str(graph.shapes["words"]) == "(N, T, 16)"
    assert [str(constraint) for constraint in graph.constraints] == ["T <= 12"]


@pytest.mark.slow
def test_its_weights_are_loaded_from_safetensors_alone(cache: Path) -> None:
    folder = next(cache.glob("models--acme--tiny/snapshots/*"))
    theirs = transformers.BertModel.from_pretrained(folder)
    torch.save(theirs.state_dict(), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    with pytest.raises(OSError, match="safetensors"):
        mg.loads(SPEC).compile()


@pytest.mark.slow
def test_a_graph_with_a_checkpoint_is_pickled_and_written(cache: Path) -> None:
    graph = mg.loads(SPEC)
    copies = (
        pickle.loads(pickle.dumps(graph)),
        mg.loads(graph.dumps()),
        mg.from_dict(graph.to_dict()),
    )
    for copy in copies:
        assert copy.source() == graph.source()
    total = sum(p.numel() for p in transformers.AutoModel.from_pretrained("acme/tiny").parameters())
    assert graph.summary().total.params == total


def test_a_revision_is_looked_up_and_emitted(cache: Path) -> None:
    spec = SPEC.replace("acme/tiny", f"acme/tiny, revision: {hub.COMMIT}")
    source = mg.loads(spec).source()
    assert f'revision="{hub.COMMIT}"' in source
    assert locations(SPEC.replace("acme/tiny", "acme/tiny, revision: v2")) == [
        "missing-weights 7:100"
    ]


@pytest.mark.parametrize(
    "config",
    [
        "",
        "[1, 2]",
        "{",
        "[" * 100_000,
        "{}",
        '{"model_type": ["bert"]}',
        '{"model_type": "bert", "hidden_size": "wide", "num_hidden_layers": 1e400}',
        '{"model_type": "bert", "hidden_size": -4, "vocab_size": null, "auto_map": {"AutoModel": "x.Y"}}',
        '{"model_type": "acme_text", "auto_map": {"AutoModel": "modeling.Mine"}}',
    ],
)
def test_a_damaged_config_is_a_diagnostic_or_has_the_defaults(cache: Path, config: str) -> None:
    folder = next(cache.glob("models--acme--tiny/snapshots/*"))
    (folder / "config.json").write_text(config)
    found = locations(SPEC, "transformers")
    assert found in ([], ["bad-option 7:100"], ["missing-weights 7:100"])
    assert bool(found) == ('"bert", ' not in config)


def test_a_checkpoint_of_two_models_is_read_by_the_class_of_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.use(tmp_path, monkeypatch)
    sides = {"hidden_size": 24, "intermediate_size": 32, "num_hidden_layers": 1}
    config = transformers.CLIPConfig(
        text_config={**sides, "num_attention_heads": 2, "vocab_size": 60},
        vision_config={**sides, "num_attention_heads": 2, "image_size": 16, "patch_size": 8},
    )
    transformers.CLIPModel(config).save_pretrained(hub.snapshot(tmp_path, "acme/clip"))
    spec = """
    inputs: {image: [3, 16, 16]}
    nodes: {seen: {layer: transformers.CLIPVisionModel, from: image, pretrained: acme/clip}}
    outputs: seen.pooler_output
    """
    graph = mg.loads(spec)
    theirs = transformers.CLIPVisionModel.from_pretrained("acme/clip").eval()
    image = torch.rand(2, 3, 16, 16)
    with torch.no_grad():
        assert_close(graph.compile().eval()(image=image), theirs(image).pooler_output)


@pytest.mark.slow
def test_a_checkpoint_of_another_model_type_is_run_on_the_meta_device(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.use(tmp_path, monkeypatch)
    config = transformers.OPTConfig(
        hidden_size=16, ffn_dim=24, num_hidden_layers=2, num_attention_heads=2, vocab_size=50
    )
    config.word_embed_proj_dim = 16
    folder = hub.snapshot(tmp_path, "acme/opt")
    transformers.OPTModel(config).save_pretrained(folder)
    spec = SPEC.replace("acme/tiny", "acme/opt").replace(", pooled: words.pooler_output", "")
    model = mg.loads(spec).compile().eval()
    batch = _batch()
    with torch.no_grad():
        theirs = transformers.OPTModel.from_pretrained(folder).eval()
        wanted = theirs(batch["ids"], batch["mask"]).last_hidden_state
        assert_close(model(**batch), wanted)
    kept = json.loads((folder / "config.json").read_text())
    for key, value in {"num_hidden_layers": 10**9, "attn_implementation": "acme/kernel"}.items():
        (folder / "config.json").write_text(json.dumps({**kept, key: value}))
        assert locations(spec, "transformers") == ["bad-option 7:100"]


@pytest.mark.slow
@pytest.mark.parametrize("name", KNOWN)
def test_a_known_checkpoint_needs_no_file(name: str) -> None:
    """Its config makes a model in transformers, with the shapes that a check gives."""
    model_type = KNOWN[name]["model_type"]
    values = {key: value for key, value in KNOWN[name].items() if key != "model_type"}
    config = transformers.AutoConfig.for_model(model_type, **values)
    source = (
        "[T], vocab: 10"
        if hasattr(config, "vocab_size")
        else f"[3, {config.image_size}, {config.image_size}]"
    )
    graph = mg.loads(f"""
    inputs: {{x: {{shape: {source}}}}}
    nodes: {{y: {{layer: transformers.AutoModel, from: x, pretrained: {name}}}}}
    outputs: y
    """)
    assert graph.shapes["y"][-1] == config.hidden_size


_CHECK = """
import sys
import mimgraph as mg
graph = mg.load(sys.argv[1])
graph.source()
graph.draw(sys.argv[2])
print([name for name in ("torch", "transformers", "huggingface_hub") if name in sys.modules])
"""


@pytest.mark.slow
def test_a_check_imports_neither_torch_nor_transformers(tmp_path: Path) -> None:
    spec = tmp_path / "spec.yaml"
    spec.write_text(SPEC.replace("acme/tiny", "bert-base-uncased"))
    command = [sys.executable, "-c", _CHECK, str(spec), str(tmp_path / "picture.svg")]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "[]\n"
