"""Peak memory of a forward without gradients, of a step of training, and of a check."""

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
from mimgraph.runtime.runner import seeded_inputs
from tests.benchmarks.case import Case, Cost, fixed
from tests.benchmarks.forwards import sum_of, torchvision_model
from tests.benchmarks.large_specs import items
from tests.conftest import ROOT
from tests.emit.test_liveness import Lives
from tests.gallery import gallery
from tests.helpers.compiled_pairs import Bert


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


def memory_of_resnet() -> tuple[Cost, Cost]:
    ours, theirs = gallery("resnet50").compile().eval(), torchvision_model("resnet50").eval()
    image = torch.ones(8, 3, 224, 224)
    return (
        lambda: watched(ours, lambda: ours(image=image)).peak,
        lambda: watched(theirs, lambda: theirs(image)).peak,
    )


LOAD = "import sys, yaml; yaml.safe_load(open(sys.argv[1]))"


def resident(spec: str, *python: str) -> float:
    """Return the largest resident memory of Python that is given a spec, in bytes.

    A process between counts that child alone: the memory of this one is not in it.
    """
    script = (
        "import resource, subprocess, sys\n"
        "subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)\n"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)\n"
    )
    with TemporaryDirectory() as folder:
        path = Path(folder) / "spec.yaml"
        path.write_text(spec)
        command = [sys.executable, "-c", script, sys.executable, *python, str(path)]
        done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT)
    return float(done.stdout) * 1024


def memory_of_a_node(spec: Callable[[int], str], most: int, *python: str) -> Cost:
    """Return the memory that each node of a large spec adds to a process."""
    few = 50
    return lambda: (resident(spec(most), *python) - resident(spec(few), *python)) / (most - few)


def check_and_load(spec: Callable[[int], str], nodes: int) -> tuple[Cost, Cost]:
    check = memory_of_a_node(spec, nodes, "-m", "mimgraph", "check")
    return check, memory_of_a_node(spec, nodes, "-c", LOAD)


def named(nodes: int) -> str:
    """Return a spec with a line for each node; 28,000 of these are nearly 1 MiB, the most there may be."""
    lines = "".join(f"  n{i + 1}: {{layer: ReLU, from: n{i}}}\n" for i in range(nodes))
    return f"inputs: {{n0: [64]}}\nnodes:\n{lines}outputs: n{nodes}\n"


def step_peak(model: nn.Module, call: Callable[[], Any]) -> Cost:
    """Return the bytes alive at the peak of a step of training, beside the weights.

    The optimizer has no state, which would hide what the forward keeps for the backward.
    """
    model.train()
    optimizer = torch.optim.SGD(model.parameters(), 0.1)

    def cost() -> float:
        optimizer.zero_grad()
        with Lives([*model.parameters(), *model.buffers()]) as lives:
            sum_of(call()).backward()
            optimizer.step()
        return lives.peak

    return cost


def step_of_resnet() -> tuple[Cost, Cost]:
    ours, theirs = gallery("resnet50").compile(), torchvision_model("resnet50")
    image = torch.ones(8, 3, 224, 224)
    return step_peak(ours, lambda: ours(image=image)), step_peak(theirs, lambda: theirs(image))


def step_of_bert() -> tuple[Cost, Cost]:
    """Compare with Hugging Face's class, with dropout, and on the kernel that ours calls too."""
    graph = gallery("bert_base")
    ours, theirs = graph.compile(), Bert()
    inputs = seeded_inputs(graph.typed, 4, 0, {"T": 128})
    inputs["padding"] = torch.arange(128).expand(4, -1) > 120
    return (
        step_peak(ours, lambda: ours(**inputs)),
        step_peak(theirs, lambda: theirs(*inputs.values())),
    )


def cases() -> Iterator[Case]:
    for what, spec, nodes in (("50,000 items", items, 50_000), ("28,000 nodes", named, 28_000)):
        yield Case(
            f"memory of a check, {what}",
            "yaml.safe_load",
            partial(check_and_load, spec, nodes - 1),
            rounds=1,
            unit="B a node",
        )
    yield Case(
        "peak of a forward, 1,000 element-wise nodes",
        "a limit",
        lambda: (ours_alive(), fixed(3)),
        at_most=1.0,
        rounds=1,
        unit="tensors",
    )
    yield Case(
        "peak of a forward, resnet50, batch 8",
        "torchvision",
        memory_of_resnet,
        at_most=1.1,
        rounds=1,
        unit="MB",
    )
    for name, what, against, make in (
        ("resnet50", "batch 8", "torchvision", step_of_resnet),
        ("bert_base", "4 texts of 128", "transformers", step_of_bert),
    ):
        yield Case(
            f"peak of a training step, {name}, {what}",
            against,
            make,
            at_most=1.001,
            rounds=1,
            unit="MB",
            peer=against,
        )
