"""Specs in files of their own as blocks: what they mean, what a dump holds, and the places of faults."""

from __future__ import annotations

import copy
import io
import json
import pickle
from collections.abc import Mapping
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings

import mimgraph as mg
from mimgraph.cli import main
from mimgraph.cost.choose_sizes import choose_sizes
from mimgraph.runtime.runner import seeded_inputs
from tests.builder.blocks.test_graph_layer import ENCODER, ODD, TOWER
from tests.conftest import ROOT
from tests.helpers.cases import each
from tests.helpers.strategies import Spec, specs, to_yaml

MAIN = """\
parts: {tower: towers/text.yaml}
inputs: {tokens: {shape: [T], vocab: 100}, numbers: [5]}
nodes:
  vec: {block: tower, from: tokens, width: 64}
  y: {merge: concat, from: [vec, numbers]}
outputs: y
"""
TEXT = """\
params: {width: 32}
inputs: {tokens: {shape: [T], vocab: 100}}
blocks:
  step: {seq: [{Linear: $width}, ReLU]}
nodes:
  emb: {layer: Embedding, from: tokens, embedding_dim: $width}
  read: {block: step, from: emb}
  out: {layer: Mean, from: read, dim: 1}
outputs: out
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(files: Mapping[str, str]) -> None:
    for name, text in files.items():
        Path(name).parent.mkdir(exist_ok=True, parents=True)
        Path(name).write_text(text)


def load(main: str = MAIN, text: str = TEXT, **others: str) -> mg.Graph:
    write({"main.yaml": main, "towers/text.yaml": text})
    write({f"{name}.yaml": other for name, other in others.items()})
    return mg.load("main.yaml")


# what a part means


def user_of(part: mg.Graph, params: str = "") -> str:
    """Return a spec that passes its inputs to the part `p`, and its outputs on."""
    body = part.typed.body
    inputs = [
        f"  {name}: {{optional: {str(name in body.optional).lower()}, "
        f"shape: [{', '.join(map(str, type_.dims))}], dtype: {type_.dtype}"
        f"{f', vocab: {type_.vocab}' if type_.vocab else ''}}}\n"
        for name, type_ in part.inputs.items()
    ]
    sources = ", ".join(f"{name}: {name}" for name in part.inputs)
    ports = [f"{name}: p.{name}" for name in part.outputs if name not in body.training]
    outputs = "{o: p}" if len(ports) == 1 else f"{{{', '.join(ports)}}}"
    node = f"{{block: p, from: {{{sources}}}{params}}}"
    return f"parts: {{p: part.yaml}}\ninputs:\n{''.join(inputs)}nodes: {{p: {node}}}\noutputs: {outputs}\n"


# a block inside reads the part's params, past a param or a size of its own with that name
INSIDE = {
    "past a param": "params: {w: 3}\ninputs: {x: [4]}\nblocks:\n  fc: {seq: [{Linear: $w}]}\n  two: {params: {w: 5, v: 1}, seq: [{Linear: $w}, fc, {Linear: $v}]}\nnodes:\n  y: {from: x, seq: [{two: 7}]}\noutputs: y\n",
    "past a size": "params: {w: 3}\ninputs: {x: [4]}\nblocks:\n  fc: {params: {b: true}, seq: [{Linear: {out_features: $w, bias: $b}}]}\n  two: {inputs: {x: [w]}, nodes: {a: {from: x, seq: [fc, {fc: false}, {Linear: $w}]}}, outputs: a}\nnodes:\n  y: {block: two, from: x, repeat: 2}\noutputs: y\n",
    "in a default": "params: {w: 3}\ninputs: {x: [4]}\nblocks:\n  fc: {params: {w: $(w + 1), u: $(2 * w)}, seq: [{Linear: $w}, {Linear: $u}]}\nnodes:\n  y: {block: fc, from: x, repeat: {with: {u: [5, 6]}}}\noutputs: y\n",
    "in an each": "params: {w: 3}\ninputs: {x: [4], z: [2]}\nblocks:\n  fc: {params: {b: null}, seq: [{Linear: {out_features: $w, bias: $b}}, ReLU]}\nnodes:\n  e: {block: fc, each: [x, z], with: {b: [true, false]}}\n  y: {merge: concat, from: [e.*]}\noutputs: y\n",
    "in a formula and a pattern": "params: {w: 2, d: 4}\ninputs: {x: [$d]}\nblocks:\n  f: {params: {w: $w}, inputs: {x: [$d]}, nodes: {y: {merge: formula, expr: x ** $w + $d, from: {x: x}}}, outputs: y}\n  g: {inputs: [x], nodes: {y: {block: f, from: x, w: 3}, z: {block: f, from: y}}, outputs: z}\nnodes:\n  y: {block: g, from: x}\noutputs: y\n",
}
PARTS = {
    **{name: text for name, text in ODD.items() if name != "a param without a value"},
    "a tower": TOWER,
    "several outputs": ENCODER,
    **INSIDE,
}


@each("text", PARTS)
def test_a_part_computes_what_its_spec_does_alone(text: str) -> None:
    check_part(text, {})


@each("text", INSIDE)
def test_a_use_gives_params_that_reach_the_blocks_inside(text: str) -> None:
    check_part(text, {"w": 4})


def check_part(text: str, params: dict[str, int]) -> None:
    part = mg.loads(text, params)
    given = "".join(f", {name}: {value}" for name, value in params.items())
    write({"main.yaml": user_of(part, given), "part.yaml": text})
    graph = mg.load("main.yaml")
    again = mg.loads(graph.dumps())
    assert again == graph
    assert again.source() == graph.source()
    alone, whole = part.compile().eval(), graph.compile().eval()
    weights = {f"p.{key}": value for key, value in alone.state_dict().items()}
    whole.load_state_dict(weights)
    inputs = seeded_inputs(part.typed, 2, 0, choose_sizes(part.typed, {}))
    one, other = alone(**inputs), whole(**inputs)
    for name in part.outputs:
        ours = other if isinstance(other, torch.Tensor) else other[name]
        assert torch.equal(one if isinstance(one, torch.Tensor) else one[name], ours)


@settings(max_examples=10, deadline=None)
@given(specs())
def test_any_spec_can_be_a_part(spec: Spec) -> None:
    text = to_yaml(spec)
    part = mg.loads(text)
    write({"main.yaml": user_of(part), "part.yaml": text})
    try:
        graph = mg.load("main.yaml")
    except mg.SpecError as error:
        assert "only outputs for training need" in str(error)
        return
    again = mg.loads(graph.dumps())
    assert again == graph
    assert again.source() == graph.source()
    if not part.typed.body.training:
        assert graph.summary().totals() == part.summary().totals()


HEAD = "params: {width: null}\ninputs: {x: [W]}\nblocks: {step: {seq: [{Linear: $width}, Tanh]}}\nnodes:\n  y: {from: x, seq: [step, step]}\noutputs: y\n"
NESTED = TEXT.replace("params:", "parts: {head: ../head.yaml}\nparams:").replace(
    "outputs: out", "  last: {block: head, from: out, width: 7}\noutputs: last"
)


def test_parts_of_parts_are_private_and_their_classes_have_names_of_their_own() -> None:
    blocks = "blocks: {step: {seq: [{Linear: 3}]}, tower_step: {seq: [Tanh]}}\n"
    nodes = "  y: {from: vec, seq: [step, tower_step]}\n  z: {block: tower, from: tokens}\noutputs: [y, z]\n"
    main = f"{MAIN.partition('  y:')[0]}{nodes}{blocks}".replace(", numbers: [5]", "")
    graph = load(main, NESTED, head=HEAD)
    assert [*graph.declared.blocks] == [
        *("tower_head_step", "tower_head", "tower_step_1", "tower", "step", "tower_step"),
    ]
    assert mg.loads(graph.dumps()).source() == graph.source()
    tokens = torch.zeros(2, 3, dtype=torch.int64)
    assert graph.compile()(tokens=tokens)["z"].shape == (2, 7)


def test_what_a_graph_writes_is_whole_without_the_parts(folder: Path) -> None:
    graph = load(text=NESTED, head=HEAD)
    model = graph.compile(check=True)
    graph.save(model, "model.safetensors")
    inputs = {"tokens": torch.tensor([[1, 2]]), "numbers": torch.zeros(1, 5)}
    pickled = pickle.dumps(model)
    for path in ("main.yaml", "head.yaml", "towers/text.yaml"):
        Path(path).unlink()
    for other in (
        mg.load_model("model.safetensors"),
        pickle.loads(pickled),
        copy.deepcopy(model),
    ):
        assert torch.equal(model(**inputs), other(**inputs))
    assert mg.load("model.safetensors") == graph


def test_an_optional_input_of_a_part_may_be_missing() -> None:
    text = "inputs: {a: {shape: [4], optional: true}, b: [4]}\nnodes:\n  f: {layer: Fill, from: a, value: zeros}\n  y: {merge: add, from: [f, b]}\noutputs: y\n"
    main = "parts: {tower: towers/text.yaml}\ninputs: {a: {shape: [4], optional: true}, b: [4]}\nnodes: {y: {block: tower, from: [b, a]}}\noutputs: y\n"
    graph = load(main, text)
    b = torch.ones(2, 4)
    assert torch.equal(graph.compile()(b=b), b)
    assert torch.equal(graph.compile()(a=b, b=b), 2 * b)
    without = load(
        main.replace("[b, a]", "b").replace("a: {shape: [4], optional: true}, ", ""), text
    )
    assert torch.equal(without.compile()(b=b), b)
    with pytest.raises(mg.SpecError, match="a may be missing, but b of tower is not optional"):
        load(
            main,
            text.replace("a: {shape: [4], optional: true}, b", "a: [4], b").replace(
                "[b, a]", "[a, b]"
            ),
        )


def test_a_part_in_a_chain_repeated_and_called_in_python() -> None:
    text = "params: {rate: 0.5}\ninputs: {x: [4]}\nnodes:\n  y: {from: x, seq: [{Linear: 4}, {Dropout: $rate}]}\noutputs: y\n"
    main = "parts: {tower: towers/text.yaml}\ninputs: {x: [4]}\nnodes:\n  y: {from: x, seq: [tower, {tower: {rate: 0.1, repeat: 2}}]}\noutputs: y\n"
    graph = load(main, text)
    assert graph.compile().state_dict().keys() >= {"y.0.y.0.weight", "y.1.1.y.0.weight"}
    tower = graph.blocks["tower"](rate=0.2)(mg.Input("x", (4,)), name="left")
    assert "nn.Dropout(0.2)" in mg.Graph(tower).source()


# faults, in the file where they are

FAULTS: dict[str, tuple[str, str, list[str]]] = {
    "a typo in a part": (MAIN, TEXT.replace("Linear", "Liner"), ["towers/text.yaml:4:17 unknown-layer"]),
    "no YAML": (MAIN, TEXT.replace("Mean", "Mean}"), ["towers/text.yaml:8:21 yaml-syntax"]),
    "a list": (MAIN, "- a\n", ["towers/text.yaml:1:1 wrong-type"]),
    "an unused node": (MAIN, TEXT.replace("outputs: out", "outputs: emb"), ["towers/text.yaml:8:3 unused-node"]),
    "an unknown param": (MAIN, TEXT.replace("[{Linear: $width", "[{Linear: $widht"), ["towers/text.yaml:4:26 unknown-param"]),
    "a param of the spec around": ("params: {deep: 5}\n" + MAIN, TEXT.replace("[{Linear: $width", "[{Linear: $deep"), ["towers/text.yaml:4:26 unknown-param"]),
    "a param of a part's own block": (MAIN, TEXT.replace("from: emb}", "from: emb, width: 5}"), ["towers/text.yaml:7:34 unknown-option"]),
    "a lone value for a block without params": (MAIN, TEXT.replace("{block: step, from: emb}", "{from: emb, seq: [{step: 5}]}"), ["towers/text.yaml:7:34 wrong-type"]),
    "a fault of a param's value": (MAIN.replace("64", "-1"), TEXT, ["towers/text.yaml:6:56 bad-option"]),
    "a param that no use may give": (MAIN.replace("width: 64", "act: Tanh"), TEXT.replace("32}", "32, act: ReLU}").replace(", ReLU", ", $act"), ["main.yaml:4:37 unknown-option"]),
    "a name of an op that is null": (MAIN, TEXT.replace("32}", "32, act: null}").replace(", ReLU", ", $act"), ["towers/text.yaml:4:34 wrong-type"]),
    "faults in both": (MAIN.replace("concat", "concatt"), TEXT.replace("Linear", "Liner"), ["main.yaml:5:14 unknown-merge", "towers/text.yaml:4:17 unknown-layer"]),
    "only outputs for training": (MAIN, TEXT.replace("outputs: out", "outputs: {a: {from: out, only: training}}"), ["towers/text.yaml:9:11 bad-option"]),
    "an input for training": (MAIN, TEXT.replace("}}\nblocks", "}, z: [3]}\nblocks").replace("outputs: out", "  r: {layer: ReLU, from: z}\noutputs: {a: out, b: {from: r, only: training}}"), ["towers/text.yaml:2:44 unused-input"]),
    "a part that contains itself": (MAIN, "parts: {a: text.yaml}\n" + TEXT, ["towers/text.yaml:1:12 cycle"]),
    "parts that contain each other": (MAIN, "parts: {a: ../main.yaml}\n" + TEXT, ["towers/text.yaml:1:12 cycle"]),
    "a missing part of a part": (MAIN, "parts: {a: txt.yaml}\n" + TEXT, ["towers/text.yaml:1:12 bad-part"]),
    # a wrong use
    "a wrong dtype": (MAIN.replace("from: tokens", "from: numbers").replace("[vec", "[tokens, vec"), TEXT, ["main.yaml:4:29 dtype-mismatch"]),
    "another vocab": (MAIN.replace("100", "99"), TEXT, ["main.yaml:4:29 dtype-mismatch"]),
    "no vocab": (MAIN.replace("vocab: 100", "dtype: int64"), TEXT, ["main.yaml:4:29 dtype-mismatch"]),
    "another rank": (MAIN.replace("[T]", "[T, 3]"), TEXT, ["main.yaml:4:29 rank-mismatch"]),
    "a tensor without a batch": (MAIN.replace("from: tokens", "from: p").replace("nodes:", "nodes:\n  p: {parameter: [1, 4], init: zeros}").replace("[vec", "[tokens, vec"), TEXT.replace("{shape: [T], vocab: 100}", "[4]").replace("{layer: Embedding, from: tokens, embedding_dim: $width}", "{layer: Linear, from: tokens, out_features: $width}"), ["main.yaml:5:29 rank-mismatch"]),
    "a param that must be given": (MAIN.replace(", width: 64", ""), TEXT.replace("32", "null"), ["main.yaml:4:3 missing-option"]),
    "a misspelt param": (MAIN.replace("width", "widht"), TEXT, ["main.yaml:4:37 unknown-option"]),
    "a block of a part": (MAIN.replace("[vec", "[tokens, vec").replace("tower, from: tokens, width: 64", "tower_step, from: numbers"), TEXT, ["main.yaml:4:16 unknown-block"]),
    # the section
    "a name that a block has": (MAIN + "blocks: {tower: {seq: [ReLU]}}\n", TEXT, ["main.yaml:1:9 duplicate-name"]),
    "the name of a layer": (MAIN.replace("tower:", "Linear:").replace("block: tower", "block: Linear"), TEXT, ["main.yaml:1:9 duplicate-name"]),
    "a name that is none": (MAIN.replace("tower:", "class:").replace("block: tower", "block: class"), TEXT, ["main.yaml:1:9 bad-name"]),
    "a number for a path": (MAIN.replace("towers/text.yaml", "5"), TEXT, ["main.yaml:1:16 wrong-type"]),
    "a path of a param": ("params: {p: towers/text.yaml}\n" + MAIN.replace("towers/text.yaml", "$p"), TEXT, ["main.yaml:2:16 bad-part"]),
}  # fmt: skip


@each("main, text, expected", FAULTS)
def test_a_fault_is_reported_in_its_file(main: str, text: str, expected: list[str]) -> None:
    with pytest.raises(mg.SpecError) as caught:
        load(main, text)
    found = caught.value.diagnostics
    assert [f"{d.span.file.name}:{d.span.line}:{d.span.column} {d.code}" for d in found] == expected


def test_a_fault_of_a_part_shows_where_the_part_is_named() -> None:
    with pytest.raises(mg.SpecError) as caught:
        load(text=TEXT.replace("Linear", "Liner"))
    assert (
        str(caught.value)
        == """\
error[unknown-layer]: no layer is called 'Liner'
  --> towers/text.yaml:4:17
   |
 4 |   step: {seq: [{Liner: $width}, ReLU]}
   |                 ^^^^^
   |
  ::: main.yaml:1:16
   |
 1 | parts: {tower: towers/text.yaml}
   |                ---------------- read here, as the part tower
   |
   = help: did you mean Linear?"""
    )


def test_a_part_that_two_specs_name_reports_a_fault_once() -> None:
    main = MAIN.replace("parts: {", "parts: {again: towers/text.yaml, other: other.yaml, ")
    other = "parts: {t: towers/text.yaml}\n" + MAIN.partition("\n")[2].replace("tower,", "t,")
    with pytest.raises(mg.SpecError) as caught:
        load(main, TEXT.replace("Linear", "Liner"), other=other)
    assert [fault.code for fault in caught.value.diagnostics] == ["unknown-layer"]


def test_warnings_point_into_the_part() -> None:
    (warning,) = load(text=TEXT.replace("32", "32, unread: 5")).warnings
    assert (warning.span.file.name, warning.span.line) == ("towers/text.yaml", 1)


# everything that reads a spec


def test_commands_take_parts(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    load()
    write({"wider.yaml": MAIN.replace("64", "65")})
    for command in (["check"], ["summary"], ["emit"], ["run"], ["draw", "-o", "model.svg"]):
        assert main([command[0], "main.yaml", *command[1:]]) == 0
    assert "class Tower(nn.Module)" in capsys.readouterr().out
    assert main(["diff", "main.yaml", "wider.yaml"]) == 0
    assert "width 64 -> 65" in capsys.readouterr().out.replace("→", "->")
    assert "tower" in Path("model.svg").read_text()
    write({"towers/text.yaml": TEXT.replace("Linear", "Liner")})
    for format in ("github", "sarif", "json"):
        assert main(["check", "main.yaml", "--format", format]) == 1
        assert "towers/text.yaml" in capsys.readouterr().out
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(MAIN.encode())))
    assert main(["check", "-", "--format", "json"]) == 1
    (fault,) = json.loads(capsys.readouterr().out)
    assert (fault["code"], fault["file"], fault["line"]) == ("bad-part", "<stdin>", 1)


def test_an_error_in_a_run_points_to_the_part() -> None:
    model = load(text=TEXT.replace("embedding_dim", "max_norm: 1, embedding_dim")).compile()
    with pytest.raises(IndexError) as caught:
        model(tokens=torch.tensor([[100]]), numbers=torch.zeros(1, 5))
    assert any("towers/text.yaml" in note for note in caught.value.__notes__)


def test_the_specs_with_parts_can_be_run() -> None:
    for name in ("search.yaml", "reader.yaml"):
        assert main(["run", str(ROOT / "specs" / "parts" / name)]) == 0


@each("output", ["main.yaml", "towers/text.yaml"])
def test_an_output_never_replaces_a_spec_that_was_read(
    output: str, capsys: pytest.CaptureFixture[str]
) -> None:
    write({"main.yaml": MAIN, "towers/text.yaml": TEXT})
    before = Path(output).read_bytes()
    assert main(["emit", "main.yaml", "-o", output]) == 2
    assert "of the spec" in capsys.readouterr().err or output == "main.yaml"
    assert Path(output).read_bytes() == before
