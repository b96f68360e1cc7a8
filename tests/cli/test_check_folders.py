"""`mimgraph check FOLDER`: which files are specs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mimgraph.language.files import specs_in
from tests.cli.conftest import WRONG

GOOD = "inputs: {x: [5]}\nnodes:\n  y: {layer: ReLU, from: x}\noutputs: y\n"
USES = "parts: {p: PART}\ninputs: {x: [5]}\nnodes: {y: {block: p, from: x, width: 3}}\noutputs: y\n"
PART = "params: {width: null}\ninputs: {x: [C]}\nnodes: {y: {layer: Linear, from: x, out_features: $width}}\noutputs: y\n"

FOLDERS: dict[str, tuple[dict[str, str], str]] = {  # files, and those of them that are specs
    "endings": (
        {"a.yaml": GOOD, "b.yml": GOOD, "c.txt": GOOD, "d/e/f.yaml": GOOD},
        "a.yaml b.yml d/e/f.yaml",
    ),
    "json": ({"a.json": json.dumps({"inputs": {"x": [5]}, "nodes": {}, "outputs": "x"})}, "a.json"),
    "flow": ({"a.yaml": "{inputs: {x: [5]}, nodes: {}, outputs: x}"}, "a.yaml"),
    "wrong": ({"a.yaml": WRONG, "b.yaml": f"{GOOD}extra: 1\n"}, "a.yaml b.yaml"),
    "misspelt": (
        {"a.yaml": GOOD.replace("nodes", "nods"), "b.yaml": GOOD.replace("inputs", "input")},
        "a.yaml b.yaml",
    ),
    "too large": (
        {"a.yaml": GOOD + "#" * 2_000_000, "b.json": "[" + "1, " * 500_000 + "1]", "c.yaml": GOOD},
        "a.yaml c.yaml",
    ),
    "a key that is none": ({"a.yaml": f"{GOOD}? [x] : 3\n"}, "a.yaml"),
    "syntax": ({"a.yaml": f"{GOOD}\t- ["}, "a.yaml"),
    "others": (
        {
            "list.json": '[{"nodes": 1, "inputs": 2}]',
            "deep.json": '{"graph": {"nodes": [], "inputs": []}}',
            "action.yml": "inputs: {token: {required: true}}\noutputs: {}\nruns: {using: node20}\n",
            "empty.yaml": "",
            "bytes.yaml": "nodes \x00 \udcff",
            "keys.yaml": "on: push\nnodes: 1\n- a: 2\n",
            "ambiguous.yaml": "{on: push, nodes: 1}",
        },
        "",
    ),
    "skipped": ({".git/a.yaml": GOOD, "node_modules/a.yaml": GOOD, ".a.yaml": GOOD}, ""),
    "part": ({"a.yaml": USES.replace("PART", "parts/p.yaml"), "parts/p.yaml": PART}, "a.yaml"),
    "part of a part": (
        {
            "a.yaml": USES.replace("PART", "b.yaml"),
            "b.yaml": USES.replace("PART", "c.yaml"),
            "c.yaml": PART,
        },
        "a.yaml",
    ),
    "cycle": (
        {"a.yaml": USES.replace("PART", "b.yaml"), "b.yaml": USES.replace("PART", "a.yaml")},
        "a.yaml",
    ),
    "odd parts": (
        {"a.yaml": f"parts: [1, {{}}]\n{GOOD}", "b.yaml": f"parts: {{p: 1, q: []}}\n{GOOD}"},
        "a.yaml b.yaml",
    ),
}


def test_specs_in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for case, (files, specs) in FOLDERS.items():
        folder = tmp_path / case
        for name, text in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(text.encode(errors="surrogateescape"))
        monkeypatch.chdir(folder)
        assert specs_in(".") == specs.split(), case
