"""An edit changes what it names and nothing else; `--rewrite` replaces the lines in the cases."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any

import pytest

import mimgraph as mg
from mimgraph.diagnostics import Report
from mimgraph.infer.graph import infer
from mimgraph.language.edit.spec_editor import SpecEditor
from mimgraph.language.reader.spec import read
from mimgraph.source import SourceFile
from tests.helpers.cases import SLOW_FOR_EACH_SPEC, check_texts, each, texts

SPEC = """# top
params: {hidden: 64}  # width
inputs:
  image: [3, 8, 8]
  numbers: {shape: [5], dtype: float32}
blocks:
  residual:
    inputs: {x: [C, H, W]}
    nodes:
      # the only convolution
      conv: {layer: Conv2d, from: x, out_channels: $C, kernel_size: 3, padding: 1}
      sum: {merge: add, from: [conv, x]}
    outputs: sum
nodes:
  stage: {block: residual, from: image, repeat: 2}
  vec:
    from: stage   # flat
    seq:
      - Flatten
      # wide
      - Linear: {out_features: $hidden}  # to hidden
      - ReLU

  # what is left
  fc: {layer: Linear, from: numbers, out_features: 8, bias: false}
  drop: {layer: Dropout, from: fc, p: 0.5}  # off
  both: {merge: concat, from: [vec, drop]}

  score: {layer: Linear, from: both, out_features: 1}
outputs: {score: score, drop: drop}
"""


def run(text: str, calls: str) -> SpecEditor:
    """Return the spec after the calls."""
    spec = SpecEditor(text)
    exec(calls, {"spec": spec})  # noqa: S102 - the calls of the tables in this file
    return spec


def changes(before: str, after: str) -> list[str]:
    """Return the lines that were taken away and put in, in the order of the text."""
    found = difflib.ndiff(before.splitlines(), after.splitlines())
    return [line[0] + line[2:] for line in found if line[0] in "+-"]


def test_only_the_lines_of_an_edit_change(rewrite: bool) -> None:
    def lines(calls: str) -> str:
        spec, report = run(SPEC, calls), Report()
        declared = read(SourceFile("spec.yaml", spec.text), report)
        assert declared is not None
        infer(declared, report)
        assert {one.code for one in report.diagnostics} <= {"unused-node"}
        return "".join(f"{line}\n" for line in changes(SPEC, spec.text))

    check_texts(Path(__file__).with_name("edits.md"), lines, rewrite)


@each("calls, message", texts(Path(__file__).with_name("edit_refusals.md")))
def test_an_edit_that_cannot_be_made_changes_nothing(calls: str, message: str) -> None:
    spec = SpecEditor(SPEC)
    with pytest.raises((mg.SpecError, TypeError)) as caught:
        exec(calls, {"spec": spec})  # noqa: S102 - as above
    assert message.strip() in str(caught.value)
    assert spec.text == SPEC and not spec.diff()


def test_comments_inside_and_outside_of_a_node() -> None:
    text = """inputs: {x: [8]}
nodes:
  a:
    layer: ReLU
    from: x
    # of a

  # of b
  b: {layer: ReLU, from: a}
  # of none
outputs: b
"""
    spec = SpecEditor(text)
    spec.add("c", {"layer": "ReLU", "from": "a"}, after="a")
    assert "    # of a\n  c:\n    layer: ReLU\n    from: a\n\n  # of b\n  b:" in spec.text
    spec.remove("c")
    assert spec.text == text
    spec.remove("a")
    assert spec.text == text.replace(
        text[text.index("  a:") : text.index("\n  # of b")], ""
    ).replace("from: a", "from: x")
    spec.add("blocks.one", {"inputs": ["x"], "seq": ["ReLU"]})
    spec.add("one.1", "GELU")
    spec.set("", name="Net")
    assert spec.text.startswith("name: Net\ninputs: {x: [8]}\nblocks: {one: {")
    assert "seq: [ReLU, GELU]" in spec.text
    spec.set("b", {"from": ["x"]})
    spec.replace("b", {"block": "one"})
    spec.check()


JSON = """{
  "inputs": {"x": [8]},
  "nodes": {
    "fc": {"layer": "Linear", "from": "x", "out_features": 8},
    "y": {"layer": "ReLU", "from": "fc"}
  },
  "outputs": "y"
}
"""


def test_comments_in_brackets_stay_behind_their_entries() -> None:
    text = """inputs: {x: [8]}
nodes: {
  a: {layer: ReLU, from: x},  # of a
  # of b
  b: {layer: ReLU, from: a}  # end
}
outputs: b
"""
    spec = SpecEditor(text)
    spec.add("c", {"layer": "ReLU", "from": "a"}, after="a")
    spec.add("d", {"layer": "ReLU", "from": "b"})
    assert (
        spec.text
        == """inputs: {x: [8]}
nodes: {
  a: {layer: ReLU, from: x},  # of a
  c: {layer: ReLU, from: a},
  # of b
  b: {layer: ReLU, from: a},  # end
  d: {layer: ReLU, from: b}
}
outputs: b
"""
    )
    spec.remove("a")
    assert "nodes: {\n  c: {layer: ReLU, from: x},\n  # of b\n  b:" in spec.text
    spec.remove("d")
    assert "  b: {layer: ReLU, from: x},  # end\n}" in spec.text


def test_json_stays_json() -> None:
    spec = run(
        JSON,
        "spec.set('fc', bias=False); spec.add('z', {'layer': 'ReLU', 'from': 'y'}, after='y');"
        "spec.rename('y', 'a'); spec.set('outputs', z='z'); spec.remove('fc')",
    )
    assert (
        spec.text
        == """{
  "inputs": {"x": [8]},
  "nodes": {
    "a": {"layer": "ReLU", "from": "x"},
    "z": {"layer": "ReLU", "from": "a"}
  },
  "outputs": {"a": "a", "z": "z"}
}
"""
    )
    spec.check()


def test_a_file_is_checked_and_written_whole(tmp_path: Path) -> None:
    path = tmp_path / "model.yaml"
    path.write_bytes(SPEC.replace("\n", "\r\n").encode())
    spec = mg.edit(path)
    spec.add("more", {"layer": "Linear", "from": "fc", "out_features": 2}, after="fc")
    with pytest.raises(mg.SpecError, match="no output depends on more"):
        spec.save()
    assert path.read_bytes() == SPEC.replace("\n", "\r\n").encode()
    spec.set("outputs", more="more")
    assert "+  more: {layer: Linear" in spec.diff()
    spec.save()
    assert not spec.diff() and path.read_bytes().count(b"\n") == path.read_bytes().count(b"\r\n")
    assert str(mg.load(path).nodes["more"].shape) == "(N, 2)"
    path.write_text(SPEC)
    with pytest.raises(ValueError, match="changed by another program"):
        spec.save()


# --- the same edits of graphs ---------------------------------------------------------------------


def comments(text: str) -> list[str]:
    return [line.partition("# ")[2] for line in text.splitlines() if "# " in line]


def pairs(text: str, graph: mg.Graph) -> list[tuple[str, Any, Any]]:
    """Return edits of the text and of the graph, by what they do."""
    found: list[tuple[str, Any, Any]] = []
    for name in graph.nodes:
        found += [
            (
                f"remove {name}",
                lambda s, n=name: s.remove(f"nodes.{n}"),
                lambda g, n=name: g.remove(n),
            ),
            (
                f"freeze {name}",
                lambda s, n=name: s.set(f"nodes.{n}", freeze=True),
                lambda g, n=name: g.with_options(n, freeze=True),
            ),
            (
                f"replace {name}",
                lambda s, n=name: s.replace(f"nodes.{n}", {"layer": "Identity"}),
                lambda g, n=name: g.replace(n, mg.layers.Identity()),
            ),
            (
                f"insert at {name}",
                lambda s, n=name: s.insert(f"nodes.{n}", {"layer": "Identity"}, name="new_one"),
                lambda g, n=name: g.insert(n, mg.layers.Identity(), name="new_one"),
            ),
        ]
    return found


@pytest.mark.parametrize("path", SLOW_FOR_EACH_SPEC)
def test_an_edited_text_is_the_edited_graph(path: Path) -> None:
    text = path.read_text()
    graph = mg.loads(text)
    for what, of_text, of_graph in pairs(text, graph):
        spec = SpecEditor(text)
        try:
            expected = of_graph(graph)
        except mg.SpecError:
            continue
        of_text(spec)
        assert mg.loads(spec.text) == expected, what
        if what.startswith(("freeze", "insert")):
            assert comments(spec.text) == comments(text), what
