"""Follows the batch where it is an axis like others: again, `(N, N)`, or elsewhere, `(T, N, C)`."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

import mimgraph as mg
from mimgraph import layers
from mimgraph.picture.diagram.io_boxes import output_box
from tests.helpers.cases import each

SPEC = """
inputs: {a: [8], b: [6], s: [T, 8]}
blocks:
  head: {inputs: {x: [D]}, nodes: {f: {layer: Linear, from: x, out_features: 4}}, outputs: f}
  scores:
    inputs: [x, y]
    nodes:
      products: {merge: einsum, from: [x, y], equation: "n d, m d -> n m"}
      out: {layer: Softmax, from: products, dim: 0}
    outputs: out
  flip: {seq: [{Transpose: {dim0: 0, dim1: 1}}, Tanh, {Transpose: {dim0: 1, dim1: 0}}]}
nodes:
  head: {block: head, each: [a, b]}
  scores: {block: scores, from: [head.a, head.b]}
  mixed: {merge: matmul, from: [scores, head.b]}
  columns: {layer: Transpose, from: head.b, dim0: 0, dim1: 1}
  alike: {merge: matmul, from: [head.a, columns]}
  flipped: {block: flip, each: [head.a, head.b], repeat: 2}
  row: {layer: Unsqueeze, from: head.a, dim: 1}
  gaps: {merge: formula, expr: abs(x - y), from: {x: row, y: other}, broadcast: true}
  other: {layer: Transpose, from: row, dim0: 0, dim1: 1}
  logp: {from: s, seq: [{Linear: 5}, {Transpose: {dim0: 0, dim1: 1}}, {LogSoftmax: -1}]}
outputs: [scores, mixed, alike, columns, gaps, logp, {flipped: flipped.b}]
"""


class ByHand(nn.Module):
    """Computes the same as SPEC."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.ModuleDict({"a": nn.Linear(8, 4), "b": nn.Linear(6, 4)})
        self.logp = nn.Linear(8, 5)

    def forward(self, a: Tensor, b: Tensor, s: Tensor) -> dict[str, Tensor]:
        a, b = self.head["a"](a), self.head["b"](b)
        alike = a @ b.T
        scores = alike.softmax(0)
        return {
            "scores": scores,
            "mixed": scores @ b,
            "alike": alike,
            "columns": b.T,
            "gaps": (a[:, None] - a[None]).abs(),
            "logp": F.log_softmax(self.logp(s).transpose(0, 1), -1),
            "flipped": b.tanh().tanh(),
        }


def inputs(batch: int) -> dict[str, Tensor]:
    return {"a": torch.randn(batch, 8), "b": torch.randn(batch, 6), "s": torch.randn(batch, 7, 8)}


@pytest.fixture(scope="module")
def graph() -> mg.Graph:
    return mg.loads(SPEC)


@pytest.fixture(scope="module")
def pair(graph: mg.Graph) -> tuple[nn.Module, ByHand]:
    model, by_hand = graph.compile(), ByHand()
    with torch.no_grad():
        for mine, other in zip(model.parameters(), by_hand.parameters(), strict=True):
            other.copy_(mine)
    return model, by_hand


def test_shapes_hold_the_batch_again_or_elsewhere(graph: mg.Graph) -> None:
    shown = {name: str(shape) for name, shape in graph.shapes.items()}
    assert (shown["scores"], shown["columns"]) == ("(N, N)", "(4, N)")
    assert (shown["gaps"], shown["logp"]) == ("(N, N, 4)", "(T, N, 5)")
    assert (shown["mixed"], shown["flipped.a"]) == ("(N, 4)", "(N, 4)")
    assert not graph.constraints


@each("batch", [5, 1, 0])
def test_outputs_equal_those_by_hand(pair: tuple[nn.Module, ByHand], batch: int) -> None:
    given = inputs(batch)
    found, expected = pair[0](**given), pair[1](**given)
    torch.testing.assert_close(found, expected)


def test_products_are_written_as_by_hand(graph: mg.Graph) -> None:
    assert "products = x @ y.T  # (N, N)" in graph.source()
    assert "mixed = scores @ head_b  # (N, 4)" in graph.source()


def test_a_dynamic_batch_is_exported(pair: tuple[nn.Module, ByHand]) -> None:
    n = torch.export.Dim("n", min=2)
    shapes = {"a": {0: n}, "b": {0: n}, "s": {0: n}}
    program = torch.export.export(pair[0], (), inputs(3), dynamic_shapes=shapes)
    given = inputs(4)
    torch.testing.assert_close(program.module()(**given), pair[1](**given))


def test_stages_hand_on_tensors_whose_batch_is_elsewhere(
    graph: mg.Graph, pair: tuple[nn.Module, ByHand]
) -> None:
    first, second = graph.split(["flipped"])
    assert {"(4, N)", "(N, N)"} <= {str(second.shapes[name]) for name in second.inputs}
    given, weights = inputs(3), pair[0].state_dict()
    handed = tuple(given.values())
    for stage in (first, second):
        module = stage.compile()
        module.load_state_dict({name: weights[name] for name in module.state_dict()})
        handed = module(*handed)
    torch.testing.assert_close(dict(zip(second.outputs, handed, strict=True)), pair[1](**given))


def test_costs_are_those_of_the_batch(graph: mg.Graph, pair: tuple[nn.Module, ByHand]) -> None:
    with FlopCounterMode(display=False) as counter:
        pair[0](**inputs(3))
    assert graph.summary(batch=3, sizes={"T": 7}).macs == counter.get_total_flops() // 2
    assert " 40·T + 68 MACs, " in str(graph.summary())
    wider = mg.loads(SPEC.replace("{Linear: 5}", "{Linear: 6}"))
    assert "MACs at batch 1: 40·T + 68 → 48·T + 68" in str(mg.diff(graph, wider))


def test_the_inputs_of_a_stage_agree_on_the_batch(graph: mg.Graph) -> None:
    stage = graph.split(["flipped"])[1]
    module, given = stage.compile(check=True), {}
    for name, shape in stage.shapes.items():
        if name in stage.inputs:
            sizes = [{"N": 3, "T": 7}.get(str(size), size) for size in shape]
            given[name] = torch.randn(*sizes)  # type: ignore[arg-type]  # no name is left
    module(**given)
    with pytest.raises(ValueError, match="N of .* is 3 but N of columns is 2"):
        module(**given | {"columns": torch.randn(4, 2)})


def test_targets_number_the_samples() -> None:
    graph = mg.loads("""
inputs: {a: [8]}
nodes:
  targets: {arange: a, dim: 0}
  column: {layer: Unsqueeze, from: targets, dim: 1}
  row: {layer: Transpose, from: column, dim0: 0, dim1: 1}
  own: {merge: formula, expr: i == j, from: {i: column, j: row}, broadcast: true}
outputs: [targets, own]
""")
    assert [str(type_) for type_ in graph.outputs.values()] == ["(N,)", "(N, N)"]
    assert "targets = torch.arange(a.shape[0], device=a.device)  # (N,)" in graph.source()
    found = graph.compile()(a=torch.randn(3, 8))
    assert torch.equal(found["targets"], torch.arange(3))
    assert torch.equal(found["own"], torch.eye(3, dtype=torch.bool))


# outputs with the batch elsewhere

OUTPUTS = """
inputs: {s: [T, 8]}
nodes:
  logp: {from: s, seq: [{Linear: 5}, {LogSoftmax: -1}]}
  pair: {layer: Unsqueeze, from: s, dim: 1}
outputs:
  logp: {from: logp, batch_dim: 1}
  pair: {from: pair, batch_dim: -2}
  first: {from: logp, batch_dim: 0}
  aux: {from: pair, only: training, batch_dim: 1}
"""


def test_outputs_have_the_batch_on_the_axis_that_they_say() -> None:
    graph = mg.loads(OUTPUTS)
    shown = {name: str(type_) for name, type_ in graph.outputs.items()}
    assert shown == {
        "logp": "(T, N, 5)", "pair": "(1, T, N, 8)", "first": "(N, T, 5)", "aux": "(1, N, T, 8)"
    }  # fmt: skip
    model, s = graph.compile(), torch.randn(3, 7, 8)
    found, logp = model(s=s), model.logp(s)
    torch.testing.assert_close(found["logp"], logp.transpose(0, 1))
    torch.testing.assert_close(found["first"], logp)
    assert torch.equal(found["pair"], s[:, None].permute(1, 2, 0, 3))
    assert torch.equal(found["aux"], s[:, None].transpose(0, 1))
    assert model.eval()(s=s).keys() == {"logp", "pair", "first"}


def test_ctc_loss_takes_an_output_with_time_first() -> None:
    graph = mg.loads(
        OUTPUTS.partition("  pair: {layer")[0] + "outputs: {y: {from: logp, batch_dim: 1}}"
    )
    assert "return self.logp(s).transpose(0, 1)\n" in graph.source()
    model = graph.compile()
    lengths = torch.tensor([7, 6, 5])
    loss = nn.CTCLoss()(
        model(s=torch.randn(3, 7, 8)),
        torch.ones(3, 2, dtype=torch.long),
        lengths,
        torch.tensor([2, 1, 2]),
    )
    loss.backward()
    assert loss.isfinite()


def test_the_axis_of_an_output_is_shown_written_and_compared() -> None:
    graph = mg.loads(OUTPUTS)
    assert mg.loads(graph.dumps()) == graph
    assert "pair: {from: pair, batch_dim: -2}" in graph.dumps()
    assert "Outputs: logp (T, N, 5), pair (1, T, N, 8), " in str(graph.summary())
    boxes = (output_box(graph.typed, name, None) for name in ("logp", "aux"))
    assert [(box.subtitle, box.shapes) for box in boxes] == [
        ("batch_dim 1", ("(T, N, 5)",)),
        ("in training, batch_dim 1", ("(1, N, T, 8)",)),
    ]
    plain = mg.loads(OUTPUTS.replace("logp: {from: logp, batch_dim: 1}", "logp: logp"))
    assert plain != graph
    assert "~ logp  output  batch_dim none → 1" in str(mg.diff(plain, graph))


def test_the_last_stage_moves_the_batch() -> None:
    whole = mg.loads(OUTPUTS)
    first, last = whole.split(["pair"])
    assert str(last.outputs["logp"]) == "(T, N, 5)"
    assert "(T, N, 5)" not in map(str, first.outputs.values())


def test_python_and_yaml_move_the_same_output() -> None:
    s = mg.Input("s", ("T", 8))
    logp = mg.Sequential(layers.Linear(5), layers.LogSoftmax(-1))(s, name="logp")
    pair = layers.Unsqueeze(1)(s, name="pair")
    outputs = {
        "logp": mg.Output(logp, batch_dim=1),
        "pair": mg.Output(pair, batch_dim=-2),
        "first": mg.Output(logp, batch_dim=0),
        "aux": mg.Output(pair, only="training", batch_dim=1),
    }
    assert mg.Graph(outputs) == mg.loads(OUTPUTS)
    with pytest.raises(TypeError, match="batch_dim is an integer or None"):
        mg.Output(logp, batch_dim="1")  # type: ignore[arg-type]


def test_a_graph_that_is_a_layer_gives_its_batch_first() -> None:
    inner = mg.loads(
        OUTPUTS.partition("  pair: {layer")[0] + "outputs: {y: {from: logp, batch_dim: 1}}"
    )
    outer = mg.Graph(inner(mg.Input("x", ("T", 8))))
    assert [str(type_) for type_ in outer.outputs.values()] == ["(N, T, 5)"]
    assert mg.loads(outer.dumps()) == outer
