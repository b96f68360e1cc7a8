"""No text in a spec can inject code or markup: all output is parsed and compared."""

from __future__ import annotations

import ast
import itertools
import json
import subprocess
import sysconfig
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import torch
import yaml
from PIL import Image
from pypdf import PdfReader

import mimgraph as mg
from mimgraph.cli import main
from mimgraph.diagnostics.render import render_json, render_text
from tests.conftest import in_ci, missing, sampled

WORDS = {
    "a docstring's end": '"""\nimport os\n"""',
    "a backslash at the end": "ends in \\",
    "backslashes and quotes": '\\" \\\' \\\\""" \\N{BULLET} \\x00 \\u0000',
    "a coding comment": "# -*- coding: utf-7 -*-\n+AGEAYg-",
    "carriage returns": "a\rimport os\r\nb",
    "other line ends": "a\x85b\u2028c\u2029d\x0be\x0cf\x1cg",
    "control characters": "\x00\x07\x08\x1b[31m\x1b]0;owned\x07\x7f\x9b2J",
    "marks of direction": "\u202eevil\u202c \u2066\u2069\u200f\u061c",
    "unseen characters": "\ufeff\u200b\u00ad\u2060\ue000\U000e0041",
    "halves of characters": "z\u0301\u0301 \U0001f469\u200d\U0001f4bb",
    "XML": "]]> <!-- --> <![CDATA[ <script>alert(1)</script> &lt; &#0; &#x1b; &amp;amp; <?php ?>",
    "HTML": "</script><img src=x onerror=alert(1)> </title></text></svg> javascript:alert(1)",
    "dot": '"]; evil [label="x"]; \\N \\G \\L \\E \\T </B>> <BR/> } digraph {',
    "mermaid": 'end %% click x "javascript:alert(1)" ]] }} #quot; `x` ---',
    "formats": "{0.__class__} {x!r:>{y}} %s %n %(x)s %2F $(x) ${x} #{x} {{x}}",
    "shells": "; rm -rf / | `id` $(id) && > /tmp/x\n",
    "paths": "../../../etc/passwd C:\\con file:///etc/passwd",
    "YAML": "- a: [b, {c: &d *e !!f g}] # h\n---\n...\n? i\n",
    "numbers and words": "1_000 0x1F no ~ null .inf 1:30 <<: =",
    "a long one": "word " * 3000 + "w" * 3000,
}


def spec(word: str) -> str:
    """Return a spec with the word wherever free text is allowed, as JSON, which can hold any character."""
    return json.dumps(
        {
            "name": "Texts",
            "doc": word,
            "params": {"said": word},
            "inputs": {"x": {"shape": [4], "doc": word}, "y": [4]},
            "blocks": {
                "part": {"doc": word, "params": {"w": word}, "seq": [{"Linear": 3}, "ReLU"]}
            },
            "nodes": {
                "a": {"block": "part", "from": "x", "w": word},
                "b": {"block": "part", "from": "y"},
                "c": {"merge": "add", "from": ["a", "b"]},
            },
            "outputs": {"out": {"from": "c", "doc": word}},
        }
    )


@pytest.fixture(params=sampled(WORDS, 5))
def word(request: pytest.FixtureRequest) -> str:
    return WORDS[request.param]


def statements(source: str) -> list[str]:
    """Return the statements of a file without the docstrings of its classes."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and ast.get_docstring(node) is not None:
            node.body[:1] = []
    return [ast.dump(node) for node in tree.body]


def test_text_changes_only_docstrings_of_the_source(word: str) -> None:
    source = mg.loads(spec(word)).source()
    assert statements(source) == statements(mg.loads(spec("plain")).source())
    classes = [node for node in ast.parse(source).body if isinstance(node, ast.ClassDef)]
    docs = ["".join((ast.get_docstring(node, clean=False) or "").split()) for node in classes]
    wanted = "".join(word.split())
    assert [doc.count(wanted) >= 1 for doc in docs] == [True] * 2
    assert (
        source.encode().decode() == source
    )  # it can be encoded as UTF-8, the default encoding of source
    assert all(char.isprintable() or char == "\n" for char in source)


def test_a_dumped_spec_reads_back_the_same(word: str) -> None:
    graph = mg.loads(spec(word))
    text = graph.dumps()
    again = mg.loads(text)
    assert again == graph
    assert again.declared.doc == word
    assert again.dumps() == text
    if text.isprintable():  # except for the line breaks of YAML 1.1, any YAML reader reads the same
        assert yaml.safe_load(text)["doc"] == word


def test_picture(word: str, tmp_path: Path) -> None:
    for name, said in (("plain", "plain"), ("hostile", word)):
        mg.loads(spec(said)).draw(tmp_path / f"{name}.svg")
    plain, hostile = (
        list(ElementTree.parse(tmp_path / f"{name}.svg").iter()) for name in ("plain", "hostile")
    )
    assert {e.tag for e in hostile} == {e.tag for e in plain}
    assert [(e.get("class"), e.get("id")) for e in hostile if e.get("class")] == [
        (e.get("class"), e.get("id")) for e in plain if e.get("class")
    ]
    assert {key for e in hostile for key in e.attrib} == {key for e in plain for key in e.attrib}


def test_printed_picture(word: str, tmp_path: Path) -> None:
    graph = mg.loads(spec(word))
    graph.draw(tmp_path / "m.pdf")
    read = PdfReader(tmp_path / "m.pdf", strict=True)
    (page,) = read.pages
    assert page.extract_text().count("Linear 4 to 3") == 2
    assert not page.annotations
    assert not read.trailer["/Root"].keys() & {"/OpenAction", "/AA", "/Names", "/AcroForm"}
    graph.draw(tmp_path / "m.png")
    with Image.open(tmp_path / "m.png") as image:
        image.load()
        assert image.info["Description"].startswith("Architecture of Texts: inputs x (N, 4)")


@pytest.mark.slow
def test_dot(word: str, tmp_path: Path) -> None:
    mg.loads(spec(word)).draw(tmp_path / "m.dot")
    pure = Path(sysconfig.get_path("scripts")) / "graphviz-pure"
    if not pure.exists():
        missing("there is no graphviz-pure, which the extra test-all has")
    done = subprocess.run([pure, "-Tdot_json", tmp_path / "m.dot"], capture_output=True, check=True)
    names = [found["name"] for found in json.loads(done.stdout)["objects"]]
    assert names == [
        "cluster_a",
        "cluster_b",
        "x",
        "y",
        "a.0",
        "a.1",
        "b.0",
        "b.1",
        "c",
        "output out",
    ]


def test_summary(word: str, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "spec.json"
    path.write_text(spec(word))
    assert main(["summary", str(path)]) == 0
    assert all(char.isprintable() or char == "\n" for char in capsys.readouterr().out)
    assert main(["summary", str(path), "--format", "json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["name"] for row in rows] == ["x", "y", "a", "b", "c"]


# places where only a legal or known name may stand, so that `WORD` there is a fault
PLACES: dict[str, dict[str, Any]] = {
    "name": {"name": "WORD"},
    "key": {"WORD": 1},
    "param": {"params": {"WORD": 1}},
    "input": {"inputs": {"WORD": [4]}},
    "size": {"inputs": {"x": ["WORD"]}},
    "dtype": {"inputs": {"x": {"shape": [4], "dtype": "WORD"}}},
    "block": {"blocks": {"WORD": {"seq": ["ReLU"]}}},
    "input of a block": {"blocks": {"b": {"inputs": ["WORD"], "seq": ["ReLU"]}}},
    "node": {"nodes": {"WORD": {"layer": "ReLU", "from": "x"}}},
    "layer": {"nodes": {"n": {"layer": "WORD", "from": "x"}}},
    "merge": {"nodes": {"n": {"merge": "WORD", "from": "x"}}},
    "use": {"nodes": {"n": {"block": "WORD", "from": "x"}}},
    "share": {"nodes": {"n": {"share": "WORD", "from": "x"}}},
    "item": {"nodes": {"n": {"seq": ["WORD"], "from": "x"}}},
    "option": {"nodes": {"n": {"layer": "ReLU", "from": "x", "WORD": 1}}},
    "value": {"nodes": {"n": {"layer": "GELU", "from": "x", "approximate": "WORD"}}},
    "activation": {"nodes": {"n": {"merge": "add", "from": ["x"], "activation": "WORD"}}},
    "source": {"nodes": {"n": {"layer": "ReLU", "from": "WORD"}}},
    "port": {"nodes": {"n": {"layer": "ReLU", "from": "x.WORD"}}},
    "argument": {"nodes": {"n": {"layer": "ReLU", "from": {"WORD": "x"}}}},
    "each": {"nodes": {"n": {"layer": "ReLU", "each": {"WORD": "x"}}}},
    "take": {"nodes": {"n": {"layer": "ReLU", "from": "x", "take": "WORD"}}},
    "expression": {"nodes": {"n": {"layer": "Linear", "from": "x", "out_features": "$(WORD)"}}},
    "formula": {"nodes": {"n": {"merge": "formula", "from": {"a": "x"}, "expr": "a WORD"}}},
    "equation": {"nodes": {"n": {"merge": "einsum", "from": ["x"], "equation": "na WORD"}}},
    "pattern": {"nodes": {"n": {"layer": "Rearrange", "from": "x", "pattern": "n a WORD"}}},
    "init": {"nodes": {"n": {"parameter": [4], "init": "WORD"}}},
    "output": {"outputs": {"WORD": "x"}},
    "output's source": {"outputs": "WORD"},
}
NAMES = {
    **{
        name: WORDS[name]
        for name in ("a docstring's end", "carriage returns", "XML", "dot", "paths")
    },
    **{name: WORDS[name] for name in ("control characters", "marks of direction", "formats")},
    "a dunder": "__class__",
    "letters that Unicode folds into others": "ｆｏｒｗａｒｄ",
    "a ligature": "ﬁle",
    "a letter of another alphabet": "hіdden",
    "a word of Python": "lambda",
    "a call": "__import__('os').system('id')",
}


# the names of outputs are keys of a dict, so any string is legal
LEGAL = [("output", "a dunder"), ("output", "a word of Python")]


@pytest.mark.parametrize("step", [10, in_ci(1)])  # of each place one name, or all
def test_an_illegal_name_is_reported_in_printable_text(step: int) -> None:
    wrong = []
    pairs = [pair for pair in itertools.product(PLACES, NAMES) if pair not in LEGAL]
    for place, name in pairs[::step]:
        plain = {"inputs": {"x": [4]}, "nodes": {}, "outputs": "x"}
        quoted = json.dumps(NAMES[name])[1:-1]
        text = json.dumps({**plain, **PLACES[place]}).replace("WORD", quoted)
        try:
            mg.loads(text, name=f"{NAMES[name]}.json".replace("/", ""))
        except mg.SpecError as error:
            found = error.diagnostics
            shown = render_text(found) + str(error)
            unprintable = [char for char in shown if not (char.isprintable() or char == "\n")]
            if unprintable or len(json.loads(render_json(found))) != len(found):
                wrong.append((place, name, unprintable))
        else:
            wrong.append((place, name, "is legal"))
    assert not wrong, wrong


def test_an_output_may_have_any_name() -> None:
    for name in ("__class__", "lambda", "self", "torch", "forward", "x", "n"):
        nodes = "nodes: {n: {layer: ReLU, from: x}, m: {layer: GELU, from: x}}"
        text = f"inputs: {{x: [4]}}\n{nodes}\noutputs: {{{name}: n, other: m}}"
        model = mg.loads(text).compile()
        assert list(model(x=torch.zeros(2, 4))) == [name, "other"]


@pytest.mark.parametrize("command", ["check", "emit", "draw"])
@pytest.mark.parametrize(
    "name", ["\x1b[31mred", *map(in_ci, ("two\nlines", "\u202eevil", "\udcff"))]
)
def test_the_name_of_a_file_is_shown_in_printable_text(
    command: str, name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong, right, missing = (str(tmp_path / f"{name}{i}.json") for i in range(3))
    Path(wrong).write_text("{}")
    Path(right).write_text(spec("plain"))
    out = str(tmp_path / f"{name}.svg")
    for path in (wrong, right, missing):
        output = [] if command == "check" else ["-o", out if command == "draw" else f"{out}.py"]
        main([command, path, *output])
    printed = capsys.readouterr()
    assert all(char.isprintable() or char == "\n" for char in printed.out + printed.err)
    assert f"{name}.svg" in "".join(p.name for p in tmp_path.iterdir()) or command != "draw"
