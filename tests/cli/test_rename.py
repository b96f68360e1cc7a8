"""`mimgraph rename` writes all files that name something, says what it changed, or changes nothing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from mimgraph.support.files import write_whole

SPEC = """# a tower
parts: {text: towers/text.yaml}
params: {w: 4}
inputs: {x: [T, 8]}   # eight
nodes:
  w: {layer: LSTM, from: x, hidden_size: $w}
  y: {block: text, from: {tokens: w}, width: $w}
outputs: {out: y}
"""
PART = """inputs: {tokens: [T, C]}
params: {width: null}
nodes: {fc: {layer: Linear, from: tokens, out_features: $width}}
outputs: fc
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "towers").mkdir()
    (tmp_path / "model.yaml").write_bytes(SPEC.replace("\n", "\r\n").encode())
    (tmp_path / "towers" / "text.yaml").write_text(PART)
    before = os.getcwd()
    os.chdir(tmp_path)
    yield tmp_path
    os.chdir(before)


def spec(folder: Path) -> str:
    return (folder / "model.yaml").read_bytes().decode().replace("\r\n", "\n")


def test_a_node_and_the_keys_of_its_weights(folder: Path, run) -> None:  # type: ignore[no-untyped-def]
    code, out = run("rename", "model.yaml", "nodes.w", "lstm")
    assert code == 0
    assert "nodes.w -> lstm: 2 places in model.yaml" in out and "keys of weights: w -> lstm" in out
    assert spec(folder) == SPEC.replace("  w:", "  lstm:").replace("tokens: w", "tokens: lstm")
    assert (folder / "model.yaml").read_bytes().count(b"\r\n") == SPEC.count("\n")


def test_a_name_of_several_things_needs_a_kind(folder: Path, run) -> None:  # type: ignore[no-untyped-def]
    code, out = run("rename", "model.yaml", "w", "width")
    assert code == 1 and "w is a node and a param" in out.error and "nodes.w" in out.error
    assert run("rename", "model.yaml", "w", "width", "--kind", "param")[0] == 0
    assert "params: {width: 4}" in spec(folder) and "width: $width" in spec(folder)


def test_an_input_of_a_part_is_renamed_where_it_is_used(folder: Path, run) -> None:  # type: ignore[no-untyped-def]
    code, out = run("rename", "towers/text.yaml", "tokens", "words")
    assert code == 0 and "2 places in towers/text.yaml" in out and "1 place in model.yaml" in out
    assert "{words: w}" in spec(folder)
    assert run("check", "model.yaml")[0] == 0
    assert run("rename", "model.yaml", "y.words", "tokens")[0] == 0
    assert spec(folder) == SPEC and (folder / "towers" / "text.yaml").read_text() == PART


def test_keys_of_several_files(folder: Path, run) -> None:  # type: ignore[no-untyped-def]
    text = """inputs: {city: {vocab: 3}, job: {vocab: 4}}
nodes:
  emb: {layer: Embedding, each: [city, job], embedding_dim: 2}
  y: {merge: concat, from: [emb.*]}
outputs: y
"""
    use = """parts: {e: emb.yaml}
inputs: {a: {vocab: 3}, b: {vocab: 4}}
nodes: {z: {block: e, from: {city: a, job: b}}}
outputs: z
"""
    (folder / "emb.yaml").write_text(text)
    (folder / "use.yaml").write_text(use)
    code, out = run("rename", "emb.yaml", "city", "town")
    assert code == 0 and (folder / "use.yaml").read_text() == use.replace("{city: a", "{town: a")
    assert "keys of weights of emb.yaml: emb.city -> emb.town" in out
    assert "keys of weights of use.yaml: z.emb.city -> z.emb.town" in out


def test_a_diff_writes_nothing(folder: Path, run) -> None:  # type: ignore[no-untyped-def]
    code, out = run("rename", "model.yaml", "x", "frames", "--diff")
    assert code == 0 and "+inputs: {frames: [T, 8]}   # eight" in out
    assert spec(folder) == SPEC


@pytest.mark.parametrize(
    ("words", "code", "text"),
    [
        ("model.yaml y 2", 1, "'2' cannot be the name of a node"),
        ("model.yaml y x", 1, "x is an input already"),
        ("model.yaml fc a", 1, "there is no name 'fc'"),
        ("other.yaml y z", 2, "cannot read other.yaml"),
        ("- y z", 2, "standard input"),
    ],
)
def test_a_wrong_call_changes_nothing(folder: Path, run, words: str, code: int, text: str) -> None:  # type: ignore[no-untyped-def]
    found, out = run("rename", *words.split())
    assert found == code and text in out.error
    assert spec(folder) == SPEC


def test_if_one_file_cannot_be_written_none_is(  # type: ignore[no-untyped-def]
    folder: Path, run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write(path: str, data: bytes) -> None:
        if path == "model.yaml" and b"words" in data:
            raise OSError(28, "No space left on device", path)
        write_whole(path, data)

    monkeypatch.setattr("mimgraph.support.files.write_whole", write)
    code, out = run("rename", "towers/text.yaml", "tokens", "words")
    assert code == 2 and "cannot write model.yaml: No space left" in out.error
    assert spec(folder) == SPEC and (folder / "towers" / "text.yaml").read_text() == PART
