"""DDP and FSDP2 take a compiled model as it is, with its inputs by name: two processes, each with half
of the batch, give the outputs and the gradients of one; so does tensor parallelism."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import pytest
import torch
from torch import Tensor, nn
from torch.distributed import DeviceMesh, init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor import DTensor
from torch.distributed.tensor.parallel import (
    ColwiseParallel,
    ParallelStyle,
    RowwiseParallel,
    parallelize_module,
)
from torch.nn.parallel import DistributedDataParallel

from tests.engines.models import MODELS, Model, Written, assert_close
from tests.engines.processes import BATCH, SIZE, in_two_processes, loss_of

Wrap = Callable[[Model, nn.Module, DeviceMesh], nn.Module]


# with a sound, the learned replacement has no gradient; without one, the layer on the sound has none
FILLED = """
    inputs: {x: [3], sound: {shape: [4], optional: true}}
    nodes:
      heard: {layer: Linear, from: sound, out_features: 4}
      filled: {layer: Fill, from: heard, value: learned}
      both: {merge: concat, from: [x, filled]}
      score: {layer: Linear, from: both, out_features: 2}
    outputs: score
"""
EVERY = [*MODELS, Written("filled", text=FILLED), Written("filled", {}, ("sound",), FILLED)]


def distributed(model: Model, module: nn.Module, mesh: DeviceMesh) -> nn.Module:
    """Wrap in DDP; with optional inputs not every parameter contributes to the loss."""
    has_optional = bool(model.graph.typed.body.optional)
    return DistributedDataParallel(module, find_unused_parameters=has_optional)


# children whose weights the model itself reads, as GPT-2 reads its word embeddings to predict words:
# they are sharded with the whole, so that their weights are there during its forward
READ_BY_ALL = {"gpt2": {"words"}}


def sharded(model: Model, module: nn.Module, mesh: DeviceMesh) -> nn.Module:
    """Shard each module that is called by itself, as FSDP2 requires, and the rest with the whole."""
    for name, part in called(module):
        if name not in READ_BY_ALL.get(model.name, ()):
            fully_shard(part, mesh=mesh)
    return fully_shard(module, mesh=mesh)


def called(module: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    for name, child in module.named_children():
        if isinstance(child, nn.ModuleList | nn.ModuleDict):
            yield from called(child)
        else:
            yield name, child


WRAPS: dict[str, Wrap] = {"DDP": distributed, "FSDP2": sharded}
HALVES = [(name, model) for name in WRAPS for model in EVERY]


class Found(NamedTuple):
    outputs: list[Tensor]
    gradients: dict[str, Tensor]


def gradients(model: nn.Module) -> dict[str, Tensor]:
    """Return whole gradients by the names of parameters in the model itself."""
    named = (
        (name.removeprefix("module."), p.grad)
        for name, p in model.named_parameters()
        if p.grad is not None
    )
    return {name: grad.full_tensor() if isinstance(grad, DTensor) else grad for name, grad in named}


def learn(module: nn.Module, inputs: dict[str, Tensor]) -> Found:
    outputs = module(**inputs)
    (loss_of(outputs) / len(next(iter(inputs.values())))).backward()
    return Found([outputs.detach()], gradients(module))


def learn_halves(rank: int) -> dict[str, Found]:
    mesh = init_device_mesh("cpu", (SIZE,))
    found = {}
    for name, model in HALVES:
        module = WRAPS[name](model, model.compile(), mesh)
        inputs = {k: x.chunk(SIZE)[rank] for k, x in model.inputs(BATCH).items()}
        found[f"{name} {model}"] = learn(module, inputs)
    return found


@pytest.fixture(scope="module")
def halves(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Found]]:
    return in_two_processes(learn_halves, tmp_path_factory.mktemp("halves"))


@pytest.mark.parametrize(("wrap", "model"), HALVES, ids=str)
def test_two_halves_of_a_batch_give_the_gradients_of_the_whole(
    wrap: str, model: Model, halves: list[dict[str, Found]]
) -> None:
    theirs = learn(model.compile(), model.inputs(BATCH))
    ours = [one[f"{wrap} {model}"] for one in halves]
    assert_close(torch.cat([output for one in ours for output in one.outputs]), theirs.outputs[0])
    for one in ours:
        learned = {name: grad for name, grad in one.gradients.items() if grad.any()}
        assert_close(learned, {name: theirs.gradients[name] for name in learned})
        assert all(not grad.any() or name in learned for name, grad in theirs.gradients.items())


# tensor parallelism: each process has half of the columns of one matrix, and of the rows of the next

PLANS: dict[str, Callable[[], dict[str, ParallelStyle]]] = {
    "vit_b16": lambda: {
        "encoded.*.mlp.1": ColwiseParallel(),
        "encoded.*.mlp.3": RowwiseParallel(),
    },
    "gpt2": lambda: {
        "states.1.*.mlp.1": ColwiseParallel(),
        "states.1.*.mlp.3": RowwiseParallel(),
    },
}
SPLIT = [model for model in MODELS if model.name in PLANS]


def learn_split(rank: int) -> dict[str, Found]:
    mesh = init_device_mesh("cpu", (SIZE,))
    found = {}
    for model in SPLIT:
        module = parallelize_module(model.compile(), mesh, PLANS[model.name]())
        kept = sum(isinstance(p, DTensor) for p in module.parameters())
        assert kept == 4 * model.params["depth"]  # two weights and their biases
        found[str(model)] = learn(module, model.inputs(BATCH))
    return found


@pytest.fixture(scope="module")
def split(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Found]]:
    return in_two_processes(learn_split, tmp_path_factory.mktemp("split"))


@pytest.mark.parametrize("model", SPLIT, ids=str)
def test_two_halves_of_matrices_give_the_outputs_of_the_whole(
    model: Model, split: list[dict[str, Found]]
) -> None:
    theirs = learn(model.compile(), model.inputs(BATCH))
    for one in split:
        assert_close(one[str(model)].outputs, theirs.outputs)
        assert_close(one[str(model)].gradients, theirs.gradients)
