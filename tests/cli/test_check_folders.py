"""`mimgraph check FOLDER`: which files are specs, and the last line of a check of several."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mimgraph.language.find_specs import specs_in
from tests.cli.conftest import SIMPLE, TEXT, WRONG

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


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _write(files: dict[str, str]) -> None:
    for name, text in files.items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_bytes(text.encode(errors="surrogateescape"))


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("name", FOLDERS)
def test_specs_in_a_folder(name: str) -> None:
    files, specs = FOLDERS[name]
    _write(files)
    assert specs_in(".") == specs.split()


@pytest.mark.usefixtures("folder")
def test_a_folder_prints_faults_and_a_last_line(run) -> None:  # type: ignore[no-untyped-def]
    _write({"a.yaml": GOOD})
    assert run("check", ".") == (0, "1 spec, no errors\n")
    _write({"b.yaml": GOOD})
    assert run("check", ".") == (0, "2 specs, no errors\n")
    _write({"c.yaml": WRONG, "d/d.yaml": WRONG.replace("from: x", "from: z")})
    code, out = run("check", ".", "a.yaml")
    assert code == 1 and out.endswith("\n\na.yaml: ok, 1 node\n3 errors in 2 files\n")
    _write({"c.yaml": f"params: {{p: 1}}\n{GOOD}"})
    code, out = run("check", ".")
    assert code == 1 and out.endswith("\n\n2 errors and 1 warning in 2 files\n")
    Path("d/d.yaml").unlink()
    code, out = run("check", ".")
    assert code == 0 and out.endswith("\n\n3 specs, no errors and 1 warning\n")


@pytest.mark.usefixtures("folder")
def test_a_fault_of_a_part_is_reported_once(run) -> None:  # type: ignore[no-untyped-def]
    uses = USES.replace("PART", "p.yaml")
    _write({"a.yaml": uses, "b.yaml": uses, "p.yaml": PART.replace("Linear", "Liner")})
    code, out = run("check", ".")
    assert code == 1 and out.count("error[unknown-layer]") == 1
    assert out.endswith("1 error in 1 file\n")


@pytest.mark.usefixtures("folder")
def test_a_folder_without_specs(run) -> None:  # type: ignore[no-untyped-def]
    code, out = run("check", ".", SIMPLE)
    assert (code, out) == (2, f"{SIMPLE}: ok, 4 nodes\n")
    assert out.error == "error: there is no spec in .\n"


def test_the_last_line_of_several_files(run, wrong: str) -> None:  # type: ignore[no-untyped-def]
    assert run("check", SIMPLE, TEXT)[1].endswith("\n2 specs, no errors\n")
    assert run("check", SIMPLE, wrong)[1].endswith("\n1 error in 1 file\n")
    assert run("check", SIMPLE)[1].endswith(": ok, 4 nodes\n")
    assert run("check", SIMPLE, wrong, "--color", "always")[1].endswith(
        "\x1b[1;31m1 error in 1 file\x1b[0m\n"
    )
    assert "file" not in run("check", SIMPLE, wrong, "--format", "github")[1].replace("file=", "")
