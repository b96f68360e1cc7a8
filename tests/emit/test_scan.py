"""A scan computes what a loop by hand computes; tests/gallery/published has decoders and state spaces."""

from __future__ import annotations

import pickle
from pathlib import Path
from textwrap import dedent

import pytest
import torch
from torch import Tensor, nn

import mimgraph as mg
from tests.helpers.cases import texts

SPECS = {name: text for name, (text,) in texts(Path(__file__).with_name("scan.md")).items()}


def compiled(spec: str, seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    return mg.loads(spec).compile()


def test_a_custom_gru_is_torchs() -> None:
    model, gru = compiled(SPECS["a custom GRU"]), nn.GRU(8, 16, batch_first=True)
    keys = ["states.a.weight", "states.b.weight", "states.a.bias", "states.b.bias"]
    gru.load_state_dict(dict(zip(gru.state_dict(), map(model.state_dict().get, keys), strict=True)))
    x, h0 = torch.randn(3, 5, 8), torch.randn(3, 16)
    states, last = gru(x, h0[None])
    given = model(x=x, h0=h0)
    torch.testing.assert_close(given["states"], states)
    torch.testing.assert_close(given["last"], last[0])


def test_the_steps_of_a_neural_ode_over_a_grid_of_times() -> None:
    model = compiled(SPECS["a neural ODE"])
    y = start = torch.randn(2, 3)
    path = []
    for dt, t in zip((0.5, 0.25, 0.25, 0.5), (0.0, 0.5, 0.75, 1.0), strict=True):
        y = y + dt * (model.path.f(y) + t)
        path.append(y)
    given = model(start=start)
    torch.testing.assert_close(given["path"], torch.stack(path, 1))
    torch.testing.assert_close(given["end"], y)


def forward_of(spec: str) -> str:
    """Return the statements of the graph's own forward."""
    return dedent(mg.loads(spec).source().split("def forward(")[-1].partition("\n")[2]).strip()


def test_it_is_written_as_a_loop_by_hand() -> None:
    cell = (
        "cell: {inputs: [x, h], nodes: {s: {merge: add, from: [x, h]}, y: {layer: ReLU, from: s}}"
    )
    spec = f"""\
inputs: {{x: [T, 8], h0: [8]}}
blocks: {{{cell}, outputs: {{y: y, h: s}}}}}}
nodes:
  states: {{scan: cell, over: x, carry: {{h: h0}}}}
outputs: {{states: states, last: states.h}}
"""
    loop = """\
steps = []
h = h0
for x_t in x.unbind(1):
    y, h = self.states(x_t, h)
    steps.append(y)
states_y = torch.stack(steps, 1)  # (N, T, 8)
del steps
return {"states": states_y, "last": h}"""
    assert forward_of(spec) == loop
    last = "h = h0\nfor x_t in x.unbind(1):\n    h = self.states(x_t, h)[1]  # (N, 8)\nreturn h"
    assert forward_of(spec.replace("{states: states, last: states.h}", "states.h")) == last
    third = spec.replace("h: s}", "h: s, unused: s}").replace(
        "states: states,", "states: states.y,"
    )
    assert "    y, h, _ = self.states(x_t, h)\n    steps.append(y)\ns" in forward_of(third)


def test_a_scan_in_a_scan_along_other_axes_and_shared() -> None:
    model = compiled(SPECS["a scan in a scan"])
    x, m, w, h = torch.randn(3, 5, 8), torch.randn(3, 4, 5), torch.randn(3, 8), torch.randn(3, 8)

    def scanned(x: Tensor, h: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        every, ys = [], []
        for t in range(5):
            wide = m[:, :, t, None] * x[:, t, None]
            every.append(h[:, None] + wide.cumsum(1))
            h = every[-1][:, -1]
            ys.append(h * w)
        return torch.stack(ys, 1), torch.stack(every, 1), h

    y, every, h_a = scanned(model.rows(x), h)
    _, _, h_b = scanned(model.rows(x), h_a)
    y_c, _, h_c = scanned(y, h_b)
    given = model(x=x, m=m, w=w, h0=h)
    for key, wanted in {"y": y_c, "all": every, "h": h_b, "last": h_c}.items():
        torch.testing.assert_close(given[key], wanted)


def test_sources_of_other_lengths_are_refused_when_it_runs() -> None:
    with pytest.raises(ValueError, match=r"zip\(\)"):
        compiled(SPECS["a scan in a scan"])(
            x=torch.randn(3, 5, 8),
            m=torch.randn(3, 4, 6),
            w=torch.randn(3, 8),
            h0=torch.randn(3, 8),
        )


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_it_follows_the_dtype_of_the_model(dtype: torch.dtype) -> None:
    x, h0 = torch.randn(2, 3, 8), torch.randn(2, 16)
    gru = compiled(SPECS["a custom GRU"]).to(dtype)(x=x.to(dtype), h0=h0.to(dtype))
    ode = compiled(SPECS["a neural ODE"]).to(dtype)(start=h0[:, :3].to(dtype))
    mamba = compiled(SPECS["a selective state space"]).to(dtype)(x=x[..., :4].to(dtype))
    assert {one.dtype for one in (*gru.values(), *ode.values(), mamba)} == {dtype}


def test_a_scan_of_what_may_be_missing_is_missing() -> None:
    spec = """\
inputs: {x: {shape: [T, 8], optional: true}, h0: [8], m: {shape: [8], optional: true}}
blocks:
  cell:
    inputs: [m, x, h]
    nodes:
      s: {merge: add, from: [x, h, m], missing: skip}
    outputs: {h: s}
nodes:
  states: {scan: cell, from: {m: m}, over: x, carry: {h: h0}}
  filled: {layer: Fill, from: states.h, value: zeros}
outputs: filled
"""
    model = compiled(spec)
    x, h0, m = torch.randn(2, 3, 8), torch.randn(2, 8), torch.randn(2, 8)
    torch.testing.assert_close(model(h0=h0), torch.zeros(2, 8))
    torch.testing.assert_close(model(h0=h0, m=m), torch.zeros(2, 8))
    torch.testing.assert_close(model(h0=h0, x=x), h0 + x.sum(1))
    torch.testing.assert_close(model(h0=h0, x=x, m=m), h0 + x.sum(1) + 3 * m)


def test_a_chain_may_be_scanned_in_a_repeat() -> None:
    spec = """\
inputs: {x: [T, 8]}
blocks:
  one: {seq: [{Linear: 8}, Tanh]}
  layer: {inputs: [x], nodes: {s: {scan: one, over: x}}, outputs: s}
nodes:
  y: {block: layer, from: x, repeat: 2}
outputs: y
"""
    model, x = compiled(spec), torch.randn(3, 4, 8)
    assert list(model.state_dict()) == [
        *("y.0.s.0.weight", "y.0.s.0.bias", "y.1.s.0.weight", "y.1.s.0.bias")
    ]
    torch.testing.assert_close(model(x=x), model.y[1].s(model.y[0].s(x)))


def test_the_module_is_pickled_and_a_frozen_scan_learns_nothing() -> None:
    model = compiled(SPECS["a custom GRU"].replace("over: x", "freeze: true, over: x"))
    assert not any(weight.requires_grad for weight in model.parameters())
    x, h0 = torch.randn(3, 5, 8), torch.randn(3, 16)
    torch.testing.assert_close(pickle.loads(pickle.dumps(model))(x=x, h0=h0), model(x=x, h0=h0))
