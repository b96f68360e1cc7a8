"""`split`: every stage is a graph, and all stages in a row give what the whole graph gives."""

from __future__ import annotations

import pickle
import runpy
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from torch import Tensor, nn

import mimgraph as mg
from mimgraph.cost.choose_sizes import choose_sizes
from mimgraph.emit.source_map import excerpts
from mimgraph.picture.details.build import details
from mimgraph.picture.diagram.build import diagram
from mimgraph.pipeline.repeat_pieces import repeat_names
from mimgraph.runtime.runner import seeded_inputs
from tests.helpers import presence, strategies
from tests.helpers.cases import check_texts, each, texts
from tests.helpers.stages import as_tuple, compile_stages, run_stages
from tests.helpers.strategies import to_yaml
from tests.picture.details.test_details import ids

thorough = partial(settings, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def stages_of(text: str, *starts: str) -> tuple[mg.Graph, ...]:
    return mg.loads(text, name="spec.yaml").split(starts)


# what crosses

CROSSING = Path(__file__).with_name("crossing.md")


def test_values_between_stages(rewrite: bool) -> None:
    def inputs_of_stages(text: str, starts: str) -> str:
        stages = stages_of(text, *starts.split())
        for stage in stages:
            assert [*stage.typed.body.results.values()] == [*stage.outputs.values()]
        assert_same_as_the_whole(run_whole(stages[0].whole), stages)
        return "".join(f"{' '.join(stage.inputs)}\n" for stage in stages)

    check_texts(CROSSING, inputs_of_stages, rewrite)


def test_a_stage_keeps_sizes_that_are_not_a_single_name() -> None:
    text = """
        inputs: {x: [3, T]}
        nodes:
          conv: {layer: Conv1d, from: x, out_channels: 4, kernel_size: 3, stride: 2}
          next: {layer: Conv1d, from: conv, out_channels: 4, kernel_size: 3}
        outputs: next
    """
    _, last = stages_of(text, "next")
    assert str(last.shapes["conv"]) == "(N, 4, (T - 1)//2)"
    assert str(last.outputs["next"]) == str(mg.loads(text).outputs["next"])


HEADS = """
    inputs: {x: [3]}
    nodes:
      one: {layer: Linear, from: x, out_features: 4}
      aux: {layer: Linear, from: one, out_features: 2}
      two: {layer: Linear, from: one, out_features: 2}
    outputs: {main: two, aux: {from: aux, only: training}}
"""


@each("start", ["aux", "two"])
def test_the_last_stage_gives_the_outputs_of_training(start: str) -> None:
    graph = mg.loads(HEADS)
    stages = graph.split([start])
    x = torch.randn(2, 3)
    modules = compile_stages(stages, graph.compile())
    assert len(run_stages(stages, modules, {"x": x})) == 2
    assert len(run_stages(stages, [m.eval() for m in modules], {"x": x})) == 1


# inside of a repeat

REPEATED = """
    name: Deep
    inputs: {x: [4], y: [4]}
    blocks:
      rest:
        params: {width: null}
        inputs: [a, b]
        nodes:
          wide: {layer: Linear, from: a, out_features: $width}
          back: {layer: Linear, from: wide, out_features: 4}
          sum: {merge: add, from: [back, b]}
          less: {merge: subtract, from: [b, back]}
        outputs: {a: sum, c: less}
      one: {seq: [{Linear: 4}, ReLU]}
      keep:
        inputs: [a, b]
        nodes: {lin: {layer: Linear, from: a, out_features: 4}, s: {merge: add, from: [lin, b]}}
        outputs: s
    nodes:
      deep_1: {layer: Linear, from: x, out_features: 4}
      deep: {block: one, from: deep_1, repeat: 3, freeze: true}
      two: {block: rest, from: [deep, y], repeat: {with: {width: [2, 3, 4, 5]}}}
      kept: {block: keep, from: [two.a, two.c], repeat: 3}
      last: {merge: add, from: [kept, deep]}
    outputs: last
"""


def test_a_stage_may_begin_inside_a_repeated_block() -> None:
    graph = mg.loads(REPEATED)
    stages = graph.split(["deep.1", "two.1", "two.3", "kept", "kept.2"])
    assert [" ".join(stage.inputs) for stage in stages] == [
        "x y",
        "y deep_0",
        "y deep two_0_a",
        "y deep two_2_a",
        "deep two_a two_c",
        "deep two_c kept_1",
    ]
    assert_same_as_the_whole(run_whole(graph), stages)


@each("starts", [["deep.1", "two.1", "kept.1"], ["two.2"], ["deep.2", "two.3", "kept.2"]])
def test_a_split_repeated_block_keeps_the_numbers_of_its_repeats(starts: list[str]) -> None:
    """State_dict keys and rows of the table have the names of the whole."""
    graph = mg.loads(REPEATED)
    stages = graph.split(starts)
    model = graph.compile()
    modules = compile_stages(stages, model)  # which asserts the names
    assert not any(p.requires_grad for n, p in modules[1].named_parameters() if n[:4] == "deep")
    assert_same_as_the_whole(run_whole(graph), stages)


def test_the_source_and_table_of_the_second_part_of_a_repeated_block() -> None:
    *_, last = mg.loads(REPEATED).split(["two.2"])
    assert 'nn.ModuleDict({"2": Rest(width=4), "3": Rest(width=5)})' in last.source()
    assert "for layer in self.two.values():" in last.source()
    two = next(row for row in last.summary().rows if row.name == "two")
    assert [row.name for row in two.children] == ["2", "3"]


def test_the_first_repeat_begins_where_the_node_begins() -> None:
    graph = mg.loads(REPEATED)
    assert [s.inputs for s in graph.split(["two.0"])] == [s.inputs for s in graph.split(["two"])]


def test_many_repeats_are_split_in_linear_time() -> None:
    """Time is measured in lines that run, which a busy machine does not change."""

    def lines(count: int) -> int:
        graph = mg.loads(f"""
            inputs: {{x: [3]}}
            blocks: {{one: {{seq: [{{Linear: 3}}]}}}}
            nodes: {{deep: {{block: one, from: x, repeat: {count}}}}}
            outputs: deep
        """)
        starts = repeat_names(graph.typed.body)
        ran = 0

        def trace(_: FrameType, event: str, __: Any) -> Any:
            nonlocal ran
            ran += event == "line"
            return trace

        before = sys.gettrace()
        sys.settrace(trace)
        try:
            graph.split(starts)
        finally:
            sys.settrace(before)
        return ran

    assert lines(400) < 1.5 * 8 * lines(50)  # were it quadratic, 64 times


# what cannot be cut


def test_a_split_that_is_impossible_is_refused(rewrite: bool) -> None:
    def message(text: str, start: str) -> str:
        with pytest.raises(ValueError) as raised:
            stages_of(text, start.strip())
        return f"{raised.value}\n"

    check_texts(Path(__file__).with_name("refused.md"), message, rewrite)


@each(
    "stages, odd",
    [(True, "True"), (2.0, "2.0"), (None, "None"), ([None], "None"), (["two", 2], "2")],
)
def test_stages_must_be_a_number_or_names(stages: Any, odd: str) -> None:
    with pytest.raises(TypeError) as raised:
        mg.loads(HEADS).split(stages)
    assert str(raised.value) == f"split takes a number of stages or names of nodes, not {odd}"


@each("stages", ["two", ["two"], ("two", "two"), {"two": 1}])
def test_a_single_name_and_a_repeated_name_make_one_cut(stages: Any) -> None:
    found = mg.loads(HEADS).split(stages)
    assert found == mg.loads(HEADS).split(["two"])
    assert found[0].starts == ("two",)


# the whole, again


class Whole(NamedTuple):
    """A compiled graph, with the outputs for some inputs: all, and any optional ones left out."""

    model: nn.Module
    runs: list[tuple[dict[str, Tensor], tuple[Tensor, ...]]]


@torch.no_grad()
def run_whole(graph: mg.Graph) -> Whole:
    model = graph.compile().double().eval()
    made = seeded_inputs(graph.typed, 3, 0, choose_sizes(graph.typed, {}))
    inputs = {name: x.double() if x.is_floating_point() else x for name, x in made.items()}
    subsets = presence.subsets([*graph.typed.body.optional][:2])
    given = [{n: x for n, x in inputs.items() if n not in gone} for gone in subsets]
    return Whole(model, [(some, as_tuple(model(**some))) for some in given])


@torch.no_grad()
def assert_same_as_the_whole(whole: Whole, stages: tuple[mg.Graph, ...]) -> None:
    """Check that the stages in a row give what the graph gives, with any optional inputs left out."""
    modules = compile_stages(stages, whole.model)
    for inputs, outputs in whole.runs:
        for one, other in zip(run_stages(stages, modules, inputs), outputs, strict=True):
            torch.testing.assert_close(one, other, equal_nan=True)


def check_every_cut(text: str) -> int:
    """Check that every possible cut gives the results of the whole, and all cuts at once too."""
    graph = mg.loads(text)
    whole = run_whole(graph)
    allowed = []
    body = graph.typed.body
    for name in (*body.by_name, *repeat_names(body)):
        try:
            stages = graph.split([name])
        except ValueError as error:
            assert any(word in str(error) for word in ("must be in one", "no node runs before"))
        else:
            assert_same_as_the_whole(whole, stages)
            allowed.append(name)
    if len(allowed) > 1:
        assert_same_as_the_whole(whole, graph.split(allowed))
    return len(allowed)


def check_random(spec: strategies.Spec) -> None:
    text = to_yaml(spec)
    allowed = check_every_cut(text)
    if not any(word in text for word in ("share", ".weight", "optional")):
        assert allowed >= len(spec["nodes"]) - tensors(spec) - 1


def tensors(spec: strategies.Spec) -> int:
    """Return the nodes that depend on no input; each joins the stage of another node."""
    return sum("from" not in node and "each" not in node for node in spec["nodes"].values())


@thorough(max_examples=5)
@given(strategies.specs())
def test_every_cut_of_a_random_graph(spec: strategies.Spec) -> None:
    check_random(spec)


@thorough(max_examples=10)
@given(presence.specs())
def test_every_cut_of_a_random_graph_with_optional_inputs(spec: presence.Spec) -> None:
    check_every_cut(to_yaml(spec))


@pytest.mark.slow
@thorough(max_examples=150)
@given(strategies.specs())
def test_every_cut_of_many_random_graphs(spec: strategies.Spec) -> None:
    check_random(spec)


@pytest.mark.slow
@thorough(max_examples=150)
@given(presence.specs())
def test_every_cut_of_many_random_graphs_with_optional_inputs(spec: presence.Spec) -> None:
    check_every_cut(to_yaml(spec))


# a stage is a graph


def test_a_stage_has_a_picture_and_a_summary() -> None:
    first, last = mg.loads(HEADS).split(["two"])
    assert first.name == "ModelStage1"
    assert "one" in str(first.summary()) and "two" not in str(first.summary())
    assert [*last.to_networkx()] == ["one", "aux", "two"]
    assert "def forward(self, one: Tensor, aux: Tensor) -> tuple[Tensor, ...]:" in last.source()


@each("starts", [["two"], ["two.2"], ["two.1", "two.3", "kept.1"]])
def test_every_box_of_a_stage_has_details(starts: list[str]) -> None:
    for stage in mg.loads(REPEATED).split(starts):
        found = details(stage.typed, None, excerpts(stage.typed))
        assert sorted(found) == sorted(ids(diagram(stage.typed).items))
        assert [id_ for id_, detail in found.items() if not detail.code] == []


def test_a_stage_is_drawn_as_a_page(tmp_path: Path) -> None:
    *_, last = mg.loads(REPEATED).split(["two.2"])
    last.draw(tmp_path / "stage.html")
    assert "DeepStage2" in (tmp_path / "stage.html").read_text()


def test_diff_of_two_stages_uses_the_numbers_of_the_whole() -> None:
    one, other = (mg.loads(REPEATED).split([start])[1] for start in ("two.1", "two.2"))
    text = str(mg.diff(one, other))
    assert "two.1.* → two.2.*" in text
    assert "two.3.wide  Linear  out_features 4 → 5" in text


@each("use", [mg.Graph.dumps, mg.Graph.as_layer])
def test_a_stage_has_no_spec_of_its_own(use: Callable[[mg.Graph], Any]) -> None:
    first, _ = mg.loads(HEADS).split(["two"])
    with pytest.raises(
        ValueError,
        match="ModelStage1 is a stage and has no spec; its `whole` is Model, which has one",
    ):
        use(first)


def test_a_stage_is_not_split_again() -> None:
    """Its repeats would be numbered from 0 again."""
    *_, last = mg.loads(REPEATED).split(["two.2"])
    with pytest.raises(
        ValueError, match="DeepStage2 is a stage and cannot be split again: split its `whole`"
    ):
        last.split(["two.3"])


def test_the_source_of_a_stage_runs_alone(tmp_path: Path) -> None:
    _, last = mg.loads(HEADS).split(["two"])
    path = tmp_path / "stage.py"
    path.write_text(last.source())
    one, aux = torch.randn(2, 4), torch.randn(2, 2)
    alone, compiled = runpy.run_path(str(path))["ModelStage2"](), last.compile()
    alone.load_state_dict(compiled.state_dict())
    for ours, theirs in zip(alone(one, aux), compiled(one, aux), strict=True):
        assert torch.equal(ours, theirs)


def test_results_and_gradients_that_are_sent_are_contiguous() -> None:
    first, last = stages_of(
        """
        inputs: {x: [T, 3]}
        nodes:
          columns: {layer: Transpose, from: x, dim0: 1, dim1: 2}
          twice: {merge: concat, from: [columns, columns]}
        outputs: twice
        """,
        "twice",
    )
    columns = first.compile()(torch.randn(2, 5, 3))
    assert columns.is_contiguous()
    columns = columns.detach().requires_grad_()
    twice = last.compile()(columns)
    (gradient,) = torch.autograd.grad(twice.square().sum(), columns)
    assert gradient.is_contiguous()


def test_metadata_has_the_shapes_and_dtypes_that_are_sent() -> None:
    first, last = mg.loads("""
        inputs: {x: {shape: [T], vocab: 9}, sound: {shape: [4], optional: true}}
        nodes:
          words: {layer: Embedding, from: x, embedding_dim: 4}
          most: {layer: ArgMax, from: words, dim: -1}
          rows: {layer: Fill, from: sound, value: zeros}
          row: {layer: Unsqueeze, from: rows, dim: 1}
          all: {merge: concat, from: [words, row]}
        outputs: [all, most]
    """).split(["row"])
    found = {
        key: [(tuple(x.shape), x.dtype, x.requires_grad) for x in tensors]
        for key, tensors in last.metadata(2, T=5).items()
    }
    words, most = ((2, 5, 4), torch.float32, True), ((2, 5), torch.int64, False)
    assert found == {
        "input_args": [words, most, ((2, 4), torch.float32, True)],
        "output_args": [((2, 6, 4), torch.float32, True), most],
    }
    assert [x.shape for x in first.metadata(2, T=5)["output_args"]] == [
        x.shape for x in last.metadata(2, T=5)["input_args"]
    ]
    floats = [x.dtype for x in last.metadata(2, T=5, dtype=torch.bfloat16)["input_args"]]
    assert floats == [torch.bfloat16, torch.int64, torch.bfloat16]


WINDOW = """
    inputs: {x: [T, 3]}
    nodes:
      columns: {layer: Transpose, from: x, dim0: 1, dim1: 2}
      conv: {layer: Conv1d, from: columns, out_channels: 4, kernel_size: 3}
      again: {layer: Conv1d, from: conv, out_channels: 4, kernel_size: 1}
    outputs: again
"""
REFUSED_METADATA = {
    "a size that is missing": ((2,), {}, "no number is given for the size T"),
    "a size that the graph does not have": (
        (2,),
        {"T": 5, "Q": 3},
        "the graph has no size named 'Q'; .*sizes: T",
    ),
    "the batch given by name": ((2,), {"T": 5, "N": 3}, "the graph has no size named 'N'"),
    "a batch of 0": ((0,), {"T": 5}, "the batch must be an integer of at least 1, not 0"),
    "a size too small for a layer": (
        (2,),
        {"T": 2},
        r"T = 2 breaks T >= 3, which conv needs \(spec.yaml:5\)",
    ),
    "a dtype that is not floating-point": (
        (2,),
        {"T": 5, "dtype": torch.int64},
        "a floating-point dtype .*, not torch.int64",
    ),
}


@each("batch, given, message", REFUSED_METADATA)
def test_wrong_arguments_of_metadata_are_refused(
    batch: tuple[int], given: dict[str, Any], message: str
) -> None:
    _, last = stages_of(WINDOW, "again")
    with pytest.raises(ValueError, match=message):
        last.metadata(*batch, **given)


def test_a_stage_sends_what_its_metadata_promised() -> None:
    """The next stage would misread other bytes."""
    first, last = stages_of(WINDOW, "again")
    module = first.compile()
    for batch in (2, 3):
        first.metadata(batch, T=5)
    assert [module(torch.randn(batch, 5, 3)).shape[0] for batch in (2, 3)] == [2, 3]
    with torch.autocast("cpu", torch.bfloat16):
        assert module(torch.randn(2, 5, 3)).dtype == torch.float32
    message = (
        r"ModelStage1 gives \(1, 4, 3\), but metadata promised \(2, 4, 3\) for N = 2, T = 5; or "
    )
    with pytest.raises(ValueError, match=message):
        pickle.loads(pickle.dumps(module))(torch.randn(1, 5, 3))
    last.metadata(2, T=5)
    assert len(last.compile()(torch.randn(1, 4, 3))) == 1  # that sends nothing


@each("dtypes", [[torch.bfloat16], [torch.bfloat16, None]])
def test_the_last_promise_of_equal_shapes_counts(dtypes: list[torch.dtype | None]) -> None:
    first, _ = stages_of(WINDOW, "again")
    for dtype in (None, *dtypes):
        first.metadata(2, T=5, dtype=dtype)
    assert first.compile()(torch.randn(2, 5, 3)).dtype == (dtypes[-1] or torch.float32)


def test_the_last_stage_sends_nothing_though_two_names_begin_it() -> None:
    name = "a node that depends on no input is in the first stage that reads it"
    text, *_ = texts(CROSSING)[name]
    first, last = stages_of(text, "scaled", "two")
    assert (first, last) == stages_of(text, "two")
    last.metadata(4)
    assert len(last.compile()(torch.randn(2, 3))) == 2


@each("check", [False, True])
def test_a_stage_is_pickled_by_the_spec_of_the_whole(check: bool) -> None:
    _, last = mg.loads(HEADS).split(["two"])
    model = last.compile(check=check)
    again = pickle.loads(pickle.dumps(model))
    one, aux = torch.randn(2, 4), torch.randn(2, 2)
    for ours, theirs in zip(again(one, aux), model(one, aux), strict=True):
        assert torch.equal(ours, theirs)
    if check:
        with pytest.raises(ValueError, match=r"one has shape \(2, 5\), not \(N, 4\)"):
            again(torch.randn(2, 5), aux)
