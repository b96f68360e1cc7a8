"""Write the test of a project."""

from __future__ import annotations

from mimgraph.project.plan import Plan

TEST = '''\
"""{name} has the shapes of its spec, and learns; `pytest` runs this."""

from __future__ import annotations

from pathlib import Path
from runpy import run_path
from types import SimpleNamespace

import mimgraph as mg
import torch
from torch.optim import AdamW
from torch.utils.data import default_collate

HERE = Path(__file__).parent
SCRIPT = SimpleNamespace(**run_path(str(HERE / "train.py")))
GRAPH = mg.load(HERE / "{module}.yaml")


def test_the_spec_has_no_warning() -> None:
    assert not GRAPH.warnings


def test_the_outputs_have_the_shapes_of_the_spec() -> None:
    torch.manual_seed(0)
    model = GRAPH.compile(check=True).to(SCRIPT.DEVICE)  # says what is wrong
    inputs, _ = default_collate([SCRIPT.Data()[0], SCRIPT.Data()[1]])
    for name, output in SCRIPT.run(model, SCRIPT.on_device(inputs)).items():
        declared = GRAPH.outputs[name].shape
        assert output.dim() == len(declared), name
        for size, expected in zip(output.shape, declared, strict=True):
            assert not isinstance(expected, int) or size == expected, name


def test_it_learns_a_batch() -> None:
    """Steps on one batch lower its loss, and reach every part of the model."""
    torch.manual_seed(0)
    model = GRAPH.compile().to(SCRIPT.DEVICE).train()
    batch = default_collate([SCRIPT.Data()[index] for index in range(SCRIPT.BATCH)])
    optimizer = AdamW(model.parameters(), lr=1e-4)
    losses = []
    for _ in range(5):
        torch.manual_seed(0)  # the same dropout in each step
        loss = SCRIPT.step(model, batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert min(losses[1:]) < losses[0], losses
    for name, part in model.named_children():
        learned = [one for one in part.parameters() if one.requires_grad]
        assert not learned or any(one.grad is not None for one in learned), name
'''


def check_script(plan: Plan) -> str:
    """Return the text of the test."""
    return TEST.format(name=plan.name, module=plan.module)
