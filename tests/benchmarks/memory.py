"""Peak memory of a forward without gradients, and of a check."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from torch import nn

import mimgraph as mg
from tests.benchmarks import peers
from tests.benchmarks.case import Case, Cost, fixed
from tests.benchmarks.forwards import torchvision_model
from tests.benchmarks.reading import items
from tests.conftest import ROOT
from tests.emit.test_liveness import Lives
from tests.gallery import gallery


def watched(model: nn.Module, call: Callable[[], Any]) -> Lives:
    """Run a call, and return the lives of all tensors except the model's own."""
    with torch.no_grad(), Lives([*model.parameters(), *model.buffers()]) as lives:
        call()
    return lives


def elementwise(nodes: int) -> mg.Graph:
    """Return a graph of `nodes` element-wise nodes in a row."""
    return mg.loads(named(nodes))


def tensors_alive(model: nn.Module, call: Callable[[], Any]) -> Cost:
    """Return the largest number of tensors alive at once during a call."""
    return lambda: max(map(len, watched(model, call).alive))


def ours_alive() -> Cost:
    model = elementwise(1_000).compile()
    return tensors_alive(model, lambda: model(n0=torch.ones(8, 64)))


def alive_beside_keras() -> tuple[Cost, Cost]:
    model = peers.keras_relus(1_000)
    return ours_alive(), tensors_alive(model, lambda: model(torch.ones(8, 64)))


def memory_of_resnet() -> tuple[Cost, Cost]:
    ours, theirs = gallery("resnet50").compile().eval(), torchvision_model("resnet50").eval()
    image = torch.ones(8, 3, 224, 224)
    return (
        lambda: watched(ours, lambda: ours(image=image)).peak,
        lambda: watched(theirs, lambda: theirs(image)).peak,
    )


def resident(spec: str) -> float:
    """Return the largest resident memory of a process that checks a spec, in bytes.

    A process between counts that child alone: the memory of this one is not in it.
    """
    script = (
        "import resource, subprocess, sys\n"
        "command = [sys.executable, '-m', 'mimgraph', 'check', sys.argv[1]]\n"
        "subprocess.run(command, check=True, stdout=subprocess.DEVNULL)\n"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)\n"
    )
    with TemporaryDirectory() as folder:
        path = Path(folder) / "spec.yaml"
        path.write_text(spec)
        command = [sys.executable, "-c", script, str(path)]
        done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT)
    return float(done.stdout) * 1024


def memory_of_check(spec: Callable[[int], str], most: int, limit: int) -> tuple[Cost, Cost]:
    """Return the memory that each node of a large spec adds to a check, and the limit."""
    few = 50
    return (
        lambda: (resident(spec(most)) - resident(spec(few))) / (most - few),
        fixed(limit),
    )


def named(nodes: int) -> str:
    """Return a spec with a line for each node; 28,000 of these are nearly 1 MiB, the most there may be."""
    lines = "".join(f"  n{i + 1}: {{layer: ReLU, from: n{i}}}\n" for i in range(nodes))
    return f"inputs: {{n0: [64]}}\nnodes:\n{lines}outputs: n{nodes}\n"


def cases() -> Iterator[Case]:
    for what, spec, nodes in (("50,000 items", items, 50_000), ("28,000 nodes", named, 28_000)):
        yield Case(
            name=f"memory of a check, {what}",
            against="a limit",
            make=partial(memory_of_check, spec, nodes - 1, 1_200),
            at_most=1.0,
            rounds=1,
            unit="B a node",
            slow=True,
        )
    yield Case(
        name="peak of a forward, 1,000 element-wise nodes",
        against="a limit",
        make=lambda: (ours_alive(), fixed(3)),
        at_most=1.0,
        rounds=1,
        unit="tensors",
    )
    yield Case(
        name="peak of a forward, 1,000 element-wise nodes",
        against="keras",
        make=alive_beside_keras,
        rounds=1,
        unit="tensors",
        peer="keras",
        slow=True,
    )
    yield Case(
        name="peak of a forward, resnet50, batch 8",
        against="torchvision",
        make=memory_of_resnet,
        at_most=1.1,
        rounds=1,
        unit="MB",
        slow=True,
    )
