"""What each command prints, and its exit code."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy
import pytest
import torch
from safetensors.torch import save_file

import mimgraph as mg
from mimgraph.cli import main
from tests.conftest import ROOT

SIMPLE = str(ROOT / "specs" / "simple_numerical.yaml")
TEXT = str(ROOT / "specs" / "text_numerical.yaml")
WRONG = "inputs: {x: [5]}\nnodes:\n  y: {layer: Liner, from: x}\noutputs: y\n"


@pytest.fixture
def wrong(tmp_path: Path) -> str:
    path = tmp_path / "wrong.yaml"
    path.write_text(WRONG)
    return str(path)


class Printed(str):
    """The standard output of a command, and its standard error as `error`."""

    error = ""


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]):  # type: ignore[no-untyped-def]
    def call(*arguments: str) -> tuple[int, Printed]:
        try:
            code = main(arguments)
        except SystemExit as exit:
            code = int(exit.code or 0)
        captured = capsys.readouterr()
        printed = Printed(captured.out)
        printed.error = captured.err
        return code, printed

    return call


def test_check_reports_specs_without_errors(run) -> None:
    code, out = run("check", SIMPLE, TEXT)
    assert code == 0
    assert out == f"{SIMPLE}: ok, 4 nodes\n{TEXT}: ok, 6 nodes\n"


def test_check_reports_every_error(run, wrong: str) -> None:
    code, out = run("check", SIMPLE, wrong)
    assert code == 1
    assert f"error[unknown-layer]: no layer is called 'Liner'\n  --> {wrong}:3:14" in out
    assert f"{SIMPLE}: ok" in out


ODD = """\
params: {hidden: 64, hiden: 128}
inputs: {x: [5]}
nodes:
  y: {layer: Linear, from: x, out_features: $hidden}
outputs: y
"""


@pytest.fixture
def odd(tmp_path: Path) -> str:
    path = tmp_path / "odd.yaml"
    path.write_text(ODD)
    return str(path)


def test_check_warns_of_legal_but_odd_specs(run, odd: str, wrong: str) -> None:
    code, out = run("check", odd)
    assert code == 0
    assert out.startswith("warning[unused-param]: nothing uses hiden\n")
    assert out.endswith(f"\n\n{odd}: ok, 1 node\n")
    code, out = run("check", odd, wrong)
    assert code == 1
    assert re.findall(r"^(\w+)\[", out, re.MULTILINE) == ["warning", "error"]


def test_check_as_json_has_no_warnings(run, odd: str) -> None:
    code, out = run("check", odd, "--format", "json")
    assert (code, json.loads(out), out.error) == (0, [], "")
    code, out = run("check", odd, "--format", "sarif")
    (result,) = json.loads(out)["runs"][0]["results"]
    assert (code, result["ruleId"], result["level"]) == (0, "unused-param", "warning")
    code, out = run("check", odd, "--format", "github")
    assert (code, out.partition(" ")[0]) == (0, "::warning")


def test_check_as_json_prints_warnings_to_a_terminal(
    run, odd: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("NO_COLOR", "1")
    code, out = run("check", odd, "--format", "json")
    assert (code, json.loads(out)) == (0, [])
    assert out.error.startswith("warning[unused-param]: nothing uses hiden\n")


def test_only_check_prints_warnings(run, odd: str) -> None:
    for command in ("summary", "emit"):
        code, out = run(command, odd)
        assert (code, out.error, "unused-param" in out) == (0, "", False)


def test_check_as_json(run, wrong: str) -> None:
    code, out = run("check", "--format", "json", wrong)
    assert code == 1
    assert json.loads(out) == [
        {
            "code": "unknown-layer",
            "message": "no layer is called 'Liner'",
            "file": wrong,
            "line": 3,
            "column": 14,
            "end_line": 3,
            "end_column": 19,
            "node": "y",
            "help": "did you mean Linear?",
        }
    ]


def test_check_as_json_without_errors_is_an_empty_list(run) -> None:
    assert run("check", "--format", "json", SIMPLE) == (0, "[]\n")


@pytest.mark.parametrize("command", ["summary", "emit", "run"])
def test_a_wrong_spec_exits_1(run, wrong: str, command: str) -> None:
    code, out = run(command, wrong)
    assert (code, out) == (1, "")
    assert "unknown-layer" in out.error


@pytest.mark.parametrize(
    "arguments",
    [
        ["check", "no/such/file.yaml"],
        ["check", "."],
        ["check"],
        ["chek", SIMPLE],
        ["check", SIMPLE, "--set", "hidden"],
        ["check", SIMPLE, "--set", "hidden=3"],
        ["check", TEXT, "--set", "hidden=no"],
        ["draw", SIMPLE],
        ["draw", SIMPLE, "-o", "picture.bmp"],
        ["diff", SIMPLE],
        ["diff", SIMPLE, "no/such/file.yaml"],
        ["diff", "-", "-"],
        ["diff", SIMPLE, TEXT, "-o", "picture.bmp"],
        ["diff", SIMPLE, TEXT, "-o", SIMPLE],
        ["emit", SIMPLE, "-o", "no/such/folder/model.py"],
        ["summary", SIMPLE, "--batch", "0"],
        ["summary", TEXT, "--set", "T=0"],
        ["run", SIMPLE, "--batch", "0"],
        ["run", SIMPLE, "--inputs", "no/such/file.npz"],
        ["run", SIMPLE, "--weights", "no/such/file.safetensors"],
        ["run", SIMPLE, "--weights", SIMPLE],
        ["check", "no/such/file.safetensors"],
        ["layers", "Conv2"],
    ],
    ids=" ".join,
)
def test_a_wrong_call_exits_2(run, arguments: list[str]) -> None:
    code, out = run(*arguments)
    assert code == 2
    assert out.error


def test_set_replaces_a_param(run) -> None:
    code, out = run("emit", TEXT, "--set", "hidden=128")
    assert code == 0
    assert "nn.LSTM(100, 128, batch_first=True)" in out


def test_a_dash_is_standard_input(run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(WRONG.encode())))
    code, out = run("check", "-")
    assert code == 1
    assert "--> <stdin>:3:14" in out


# --- diff -----------------------------------------------------------------------------------------


@pytest.fixture
def wider(tmp_path: Path) -> str:
    """The spec TEXT with another width."""
    path = tmp_path / "wider.yaml"
    text = Path(TEXT).read_text()
    assert "hidden: 64" in text
    path.write_text(text.replace("hidden: 64", "hidden: 96"))
    return str(path)


def test_diff_prints_what_changed(run, wider: str) -> None:
    code, out = run("diff", TEXT, wider)
    assert code == 0
    assert "~ hidden" in out and "value 64 → 96" in out
    assert str(mg.diff(mg.load(TEXT), mg.load(wider))) == out.rstrip("\n")


def test_diff_of_specs_that_mean_the_same(run, wider: str) -> None:
    assert run("diff", TEXT, wider, "--set", "hidden=8", "--exit-code") == (0, "no changes\n")


def test_diff_sets_a_param_in_the_spec_that_has_it(run, wider: str, tmp_path: Path) -> None:
    fixed = tmp_path / "fixed.yaml"
    text = Path(TEXT).read_text()
    fixed.write_text(
        re.sub(r"^params: .*\n", "", text, flags=re.MULTILINE).replace("$hidden", "96")
    )
    for specs in ((TEXT, str(fixed)), (str(fixed), TEXT)):
        assert run("diff", *specs, "--set", "hidden=96") == (0, "no changes\n")
    code, out = run("diff", TEXT, str(fixed), "--set", "hiden=96")
    assert (code, out) == (2, "")
    message = f"no param is called 'hiden': {TEXT} has hidden, {fixed} has none"
    assert out.error == f"mimgraph: {message}\n"


def test_diff_exits_as_git_diff_does(run, wider: str) -> None:
    assert run("diff", TEXT, wider, "--exit-code")[0] == 1
    assert run("diff", TEXT, TEXT, "--exit-code")[0] == 0


def test_diff_as_json_and_as_markdown(run, wider: str) -> None:
    code, out = run("diff", TEXT, wider, "--format", "json")
    assert code == 0
    assert json.loads(out) == mg.diff(mg.load(TEXT), mg.load(wider)).data()
    code, out = run("diff", TEXT, wider, "--format", "md")
    assert (code, out) == (0, mg.diff(mg.load(TEXT), mg.load(wider)).markdown())


def test_diff_of_a_commit_and_the_file(run, wider: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """`git show HEAD:spec.yaml | mimgraph diff - spec.yaml`"""
    old = io.TextIOWrapper(io.BytesIO(Path(TEXT).read_bytes()))
    monkeypatch.setattr("sys.stdin", old)
    assert run("diff", "-", wider) == run("diff", TEXT, wider)


def test_draw_says_that_a_picture_is_too_long_to_read(run, tmp_path: Path) -> None:
    rows = (f"  n{i}: {{layer: ReLU, from: {f'n{i - 1}' if i else 'x'}}}\n" for i in range(300))
    spec = tmp_path / "long.yaml"
    spec.write_text(f"inputs: {{x: [4]}}\nnodes:\n{''.join(rows)}outputs: n299\n")
    code, out = run("draw", str(spec), "-o", str(tmp_path / "long.pdf"))
    assert code == 0
    assert re.fullmatch(r"mimgraph: the picture is 2\d,\d{3} points high .*\n", out.error)
    code, out = run("draw", str(spec), "-o", str(tmp_path / "long.pdf"), "--collapse")
    assert (code, out.error) == (0, "")


def test_diff_draws_both_specs_in_one_picture(run, wider: str, tmp_path: Path) -> None:
    path = tmp_path / "diff.dot"
    code, _ = run("diff", TEXT, wider, "-o", str(path), "--direction", "LR")
    assert code == 0
    assert "out_features 64 → 96" in path.read_text()
    assert 'rankdir="LR"' in path.read_text()


def test_diff_reports_the_errors_of_both_specs(run, wrong: str, tmp_path: Path) -> None:
    other = tmp_path / "other.yaml"
    other.write_text(WRONG.replace("Liner", "Lineer"))
    code, out = run("diff", wrong, str(other))
    assert (code, out) == (1, "")
    assert f"--> {wrong}:3:14" in out.error
    assert f"--> {other}:3:14" in out.error
    code, out = run("diff", wrong, wrong)
    assert out.error.count("error[") == 1
    code, out = run("diff", TEXT, wrong)
    assert (code, out) == (1, "")
    assert f"--> {wrong}:3:14" in out.error


def test_emit_to_a_file(run, tmp_path: Path) -> None:
    path = tmp_path / "model.py"
    assert run("emit", SIMPLE, "-o", str(path)) == (0, "")
    assert path.read_text() == mg.load(SIMPLE).source()


LENGTH = """
params: {width: 4}
inputs: {x: [4, T]}
nodes: {y: {layer: Conv1d, from: x, out_channels: $width, kernel_size: 3}}
outputs: y
"""


@pytest.fixture
def length(monkeypatch: pytest.MonkeyPatch) -> str:
    """Standard input with a spec whose size T is known only at run time."""
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(LENGTH.encode())))
    return "-"


def test_set_of_summary_fills_in_a_size_that_is_no_param(run, length: str) -> None:
    code, out = run("summary", length, "--set", "T=10", "--set", "width=8", "--batch", "2")
    assert code == 0
    assert re.search(r"^y +Conv1d +\(2, 8, 8\) +104 +1,536 +x$", out, re.MULTILINE)
    assert "At run time" not in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--set", "T=2"], "T = 2 breaks T >= 3, which y needs (<stdin>:4)"),
        (["--set", "T=ten"], "T must be an integer of at least 1, not 'ten'"),
        (
            ["--set", "T=9", "--set", "L=9"],
            "no param is called 'L'; the spec's params: width; the sizes of its inputs: T",
        ),
    ],
    ids=["constraint", "no size", "no name"],
)
def test_a_wrong_setting_is_reported(run, length: str, arguments: list[str], message: str) -> None:
    code, out = run("summary", length, *arguments)
    assert (code, out, out.error) == (2, "", f"mimgraph: {message}\n")


def test_other_commands_fill_in_no_sizes(run, length: str) -> None:
    code, out = run("emit", length, "--set", "T=10")
    assert code == 2
    assert out.error == "mimgraph: no param is called 'T'; the spec's params: width\n"


@pytest.mark.parametrize(
    ("format", "method"), [("csv", "csv"), ("md", "markdown"), ("text", "text")]
)
def test_summary_in_each_format(run, format: str, method: str) -> None:
    code, out = run("summary", SIMPLE, "--format", format)
    assert code == 0
    assert out.rstrip("\n") == getattr(mg.load(SIMPLE).summary(), method)().rstrip("\n")


def test_summary_to_a_depth(run) -> None:
    assert "├─ 0" in run("summary", "specs/resnet18.yaml")[1]
    assert "├─" not in run("summary", "specs/resnet18.yaml", "--depth", "0")[1]


def test_summary_as_json(run) -> None:
    code, out = run("summary", SIMPLE, "--format", "json")
    rows = {row["name"]: row for row in json.loads(out)}
    assert code == 0
    assert {k: rows["fc1"][k] for k in ("layer", "shape", "dtype", "params")} == {
        "layer": "Linear",
        "shape": "(N, 32)",
        "dtype": "float32",
        "params": 192,
    }


def test_run_shows_inputs_nodes_and_outputs(run) -> None:
    code, out = run("run", SIMPLE)
    assert code == 0
    inputs, _, rest = out.partition("\n\n")
    assert "input1  (2, 5) float32" in inputs
    assert "(N, 64)" in rest
    assert "fc3  (2, 1) float32  [" in rest


def test_run_prints_and_writes_what_the_module_computes(run, tmp_path: Path) -> None:
    arrays = {
        "input1": numpy.ones((3, 5), dtype="float32"),
        "input2": numpy.zeros((3, 10), dtype="float32"),
    }
    model = mg.load(SIMPLE).compile()
    numpy.savez(tmp_path / "in.npz", **arrays)
    save_file(model.state_dict(), tmp_path / "w.safetensors")
    files = [
        *("--inputs", str(tmp_path / "in.npz")),
        *("--weights", str(tmp_path / "w.safetensors")),
        *("--outputs", str(tmp_path / "out.npz")),
    ]
    code, out = run("run", SIMPLE, "--json", *files)
    assert code == 0
    expected = model(**{name: torch.from_numpy(array) for name, array in arrays.items()})
    written = numpy.load(tmp_path / "out.npz")["fc3"]
    assert torch.equal(torch.from_numpy(written), expected)
    assert json.loads(out)["outputs"]["fc3"]["values"] == expected.tolist()


@pytest.mark.parametrize(
    ("arrays", "says"),
    [
        ({"input1": (3, 5)}, "an array for input2 is missing"),
        ({"input1": (3, 5), "input2": (2, 10), "input3": (3,)}, "there is no input 'input3'; N of"),
        ({"input1": (3, 5), "input2": (3, 9)}, "input2 has shape (3, 9), not (N, 10)"),
        ({"input1": (3, 5), "input2": (3,)}, "input2 has shape (3,), not (N, 10)"),
    ],
)
def test_run_reports_an_array_of_the_wrong_shape(
    run, tmp_path: Path, arrays: dict[str, tuple[int, ...]], says: str
) -> None:
    numpy.savez(tmp_path / "in.npz", **{k: numpy.ones(v, "float32") for k, v in arrays.items()})
    code, out = run("run", SIMPLE, "--inputs", str(tmp_path / "in.npz"))
    assert code == 2
    assert says in out.error


@pytest.fixture
def saved(tmp_path: Path) -> str:
    """A .safetensors file with a model and its spec."""
    torch.manual_seed(5)
    graph = mg.load(SIMPLE)
    graph.save(graph.compile(), tmp_path / "model.safetensors")
    return str(tmp_path / "model.safetensors")


def test_a_file_of_weights_with_a_spec_is_read_as_a_spec(run, saved: str) -> None:
    assert run("check", saved) == (0, f"{saved}: ok, 4 nodes\n")
    for command in ("emit", "summary"):
        assert run(command, saved) == run(command, SIMPLE)


def test_run_takes_the_weights_beside_the_spec(run, saved: str, tmp_path: Path) -> None:
    code, out = run("run", saved, "--json")
    assert code == 0
    assert run("run", SIMPLE, "--weights", saved, "--json") == (0, out)
    assert run("run", SIMPLE, "--json") != (0, out)
    zeros = {key: torch.zeros_like(t) for key, t in mg.load_model(saved).state_dict().items()}
    save_file(zeros, tmp_path / "zeros.safetensors")
    code, out = run("run", saved, "--weights", str(tmp_path / "zeros.safetensors"), "--json")
    assert json.loads(out)["outputs"]["fc3"]["values"] == [[0.0], [0.0]]


@pytest.mark.parametrize("command", ["check", "summary", "emit", "run"])
def test_a_file_of_weights_without_a_spec_exits_1(run, command: str, tmp_path: Path) -> None:
    path = tmp_path / "bare.safetensors"
    save_file({"a": torch.ones(1)}, path)
    code, out = run(command, str(path))
    assert code == 1
    assert "error[missing-key]: there is no spec in the metadata" in out + out.error


def test_layers_lists_all_by_family(run) -> None:
    code, out = run("layers")
    assert code == 0
    assert "layers: conv" in out
    assert "Conv2d" in out
    assert "merges: join" in out


def test_layers_as_json(run) -> None:
    entries = {entry["name"]: entry for entry in json.loads(run("layers", "--format", "json")[1])}
    linear = entries["Linear"]
    assert linear["kind"] == "layer"
    assert linear["inputs"] == ["input"]
    options = {option["name"]: option for option in linear["options"]}
    assert options["in_features"]["inferred"]
    assert options["bias"]["default"] is True
    assert entries["concat"]["kind"] == "merge"


def test_schema_is_printed_and_written(run, tmp_path: Path) -> None:
    code, printed = run("schema")
    assert code == 0
    assert json.loads(printed)["$schema"].endswith("2020-12/schema")
    path = tmp_path / "mimgraph.schema.json"
    assert run("schema", "-o", str(path)) == (0, "")
    assert path.read_text() == printed


def test_a_closed_pipe_is_no_error() -> None:
    command = f"{sys.executable} -m mimgraph layers --format json | head -1"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=True)
    assert done.stdout == "[\n"
    assert done.stderr == ""


# --- patterns, formats and colour -----------------------------------------------------------------


def test_check_expands_patterns(run, tmp_path: Path) -> None:
    for name in ("b.yaml", "a.yaml", "deep/er/c.yaml", "[x].yaml"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(Path(SIMPLE).read_text())
    every = ["[x].yaml", "a.yaml", "b.yaml", "deep/er/c.yaml"]
    for pattern, found in (
        ("*.yaml", every[:3]),
        ("**/*.yaml", every),
        ("deep/**", ["deep/er/c.yaml"]),
        ("[x].yaml", ["[x].yaml"]),
        ("[ab].yaml", ["a.yaml", "b.yaml"]),
    ):
        code, out = run("check", str(tmp_path / pattern))
        assert code == 0
        assert out == "".join(f"{tmp_path / name}: ok, 4 nodes\n" for name in found)


def test_a_pattern_without_a_file_exits_2_after_all_checks(run, wrong: str) -> None:
    code, out = run("check", "no/such/*.yaml", wrong, SIMPLE)
    assert code == 2
    assert out.error == "mimgraph: no file matches no/such/*.yaml\n"
    assert "unknown-layer" in out and f"{SIMPLE}: ok" in out


def test_check_as_github_annotations_and_as_sarif(run, wrong: str) -> None:
    code, out = run("check", "--format", "github", wrong, SIMPLE)
    assert code == 1
    assert out == (
        f"::error file={wrong},line=3,endLine=3,col=14,endColumn=19,title=unknown-layer::"
        "no layer is called 'Liner'%0Ahelp: did you mean Linear?\n"
    )
    code, out = run("check", "--format", "sarif", wrong)
    assert code == 1
    assert json.loads(out)["runs"][0]["results"][0]["ruleId"] == "unknown-layer"
    assert run("check", "--format", "github", SIMPLE) == (0, "")


@pytest.mark.parametrize(
    ("terminal", "variables", "colored"),
    [
        (False, {}, False),
        (True, {}, True),
        (True, {"NO_COLOR": "1"}, False),
        (True, {"TERM": "dumb"}, False),
        (False, {"FORCE_COLOR": "1"}, True),
        (True, {"NO_COLOR": "1", "FORCE_COLOR": "1"}, False),
        (True, {"NO_COLOR": ""}, True),
    ],
)
def test_color(
    run,
    wrong: str,
    monkeypatch: pytest.MonkeyPatch,
    terminal: bool,
    variables: dict[str, str],
    colored: bool,
) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    for stream in (sys.stdout, sys.stderr):
        monkeypatch.setattr(stream, "isatty", lambda: terminal, raising=False)
    assert ("\x1b[" in run("check", wrong)[1]) is colored
    assert ("\x1b[" in run("emit", wrong)[1].error) is colored


def test_a_terminal_shows_how_to_explain_the_codes(
    run, wrong: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("check", wrong)[1].error == ""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    assert run("check", wrong, wrong)[1].error == "\nfor more: mimgraph explain unknown-layer\n"
    assert run("check", "--format", "json", wrong)[1].error == ""


def test_explain(run) -> None:
    code, out = run("explain", "shape-mismatch", "cycle")
    assert code == 0
    assert out.startswith("# shape-mismatch\n\nSizes that must be equal are not")
    assert "\n# cycle\n" in out
    code, out = run("explain")
    assert code == 0
    assert "cycle              nodes feed each other, or a block contains itself\n" in out


@pytest.mark.parametrize(
    ("code", "help"),
    [
        ("shape-missmatch", "did you mean shape-mismatch?"),
        ("../codes", "mimgraph explain lists them"),
    ],
)
def test_explain_suggests_a_known_code(run, code: str, help: str) -> None:
    exit, out = run("explain", code)
    assert (exit, out) == (2, "")
    assert out.error == f"mimgraph: no code is called {code!r}; {help}\n"


@pytest.mark.parametrize("params", ["[hidden]", "{hidden: 2, hidden: 3}", "{{ x }}"])
def test_set_in_a_spec_with_unreadable_params(
    params: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "spec.yaml"
    rest = "inputs: {x: [5]}\nnodes: {y: {layer: ReLU, from: x}}\noutputs: y\n"
    path.write_text(f"params: {params}\n{rest}")
    assert main(["check", str(path), "--set", "width=3"]) == 1
    assert capsys.readouterr().out.count("error[") == 1
