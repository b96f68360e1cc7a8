"""`graph.split` cuts a model for `torch.distributed.pipelining`: two processes give the outputs and
the gradients of one."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor, nn
from torch.distributed.pipelining import (
    PipelineStage,
    Schedule1F1B,
    ScheduleGPipe,
    ScheduleInterleaved1F1B,
)

from mimgraph.cost.choose_sizes import choose_sizes
from tests.engines.models import MODELS, Model, Written, assert_close
from tests.engines.processes import BATCH, SIZE, in_two_processes, loss_of

# between its stages go a view, integers and an early output; the second stage has an optional input
SEVERAL = Written(
    "several",
    text="""
        inputs:
          x: [T, 3]
          kind: {vocab: 5}
          sound: {shape: [4], optional: true}
        nodes:
          rows: {layer: Linear, from: x, out_features: 4}
          columns: {layer: Transpose, from: rows, dim0: 1, dim1: 2}
          heard: {layer: Linear, from: sound, out_features: 4}
          filled: {layer: Fill, from: heard, value: learned}
          kinds: {layer: Embedding, from: kind, embedding_dim: 4}
          pooled: {layer: Mean, from: columns, dim: 2}
          both: {merge: concat, from: [pooled, filled, kinds]}
          score: {layer: Linear, from: both, out_features: 2}
        outputs: {early: rows, late: score}
    """,
)
LONG = next(model for model in MODELS if model.name == "image_numerical")

MICROBATCHES = 4

Starts = list[str]
# without gpt2: its first and last layer share a weight, so they must be in one stage
CUTS: dict[str, Starts] = {
    "simple_numerical": ["combined"],
    "text_numerical": ["fc_numerical"],
    "image_numerical": ["pool2"],
    "residual_cnn": ["stage2"],
    "vit_b16": ["encoded.1"],
    "dlrm": ["pairs"],
    "masked_attention": ["first"],
    "image_table_missing": ["fused"],
    "several": ["heard"],
}


class Case(NamedTuple):
    model: Model
    starts: Starts
    schedule: Any
    inferred: bool = (
        False  # whether torch infers the shapes between stages, instead of being given them
    )
    autocast: bool = False
    dtype: torch.dtype = torch.float32

    def __str__(self) -> str:
        how = ("inferred" if self.inferred else "given") + (", autocast" if self.autocast else "")
        how += "" if self.dtype is torch.float32 else f", {self.dtype}"
        return f"{self.model}, {self.schedule.__name__} of {len(self.starts) + 1}, {how}"


WITHOUT = Written("several", {}, ("sound",), SEVERAL.text)
CUT = [model for model in (*MODELS, SEVERAL, WITHOUT) if model.name in CUTS]
CASES = [
    *(Case(model, CUTS[model.name], ScheduleGPipe) for model in CUT),
    *(Case(model, CUTS[model.name], Schedule1F1B) for model in CUT),
    *(Case(m, CUTS[m.name], ScheduleGPipe, True) for m in CUT if m.name != "several"),
    Case(LONG, ["conv2", "flatten", "fc_combined"], ScheduleInterleaved1F1B),
    Case(LONG, ["pool2"], ScheduleGPipe, autocast=True),
    Case(LONG, ["pool2"], ScheduleGPipe, dtype=torch.bfloat16),
]


class Found(NamedTuple):
    """The gradients of the stages of a process, and the outputs of the last stage."""

    gradients: dict[str, Tensor]
    outputs: Any
    losses: list[Tensor]


def inputs_of(case: Case) -> dict[str, Tensor]:
    """Return the inputs with floats in the dtype of the weights."""
    made = case.model.inputs(BATCH)
    return {n: x.to(case.dtype) if x.is_floating_point() else x for n, x in made.items()}


def train(case: Case, rank: int) -> Found:
    """Run one step of a schedule; each process has every second stage."""
    with torch.autocast("cpu", torch.bfloat16, case.autocast):
        return _train(case, rank)


def _train(case: Case, rank: int) -> Found:
    weights = case.model.compile().state_dict()
    inputs = inputs_of(case)
    stages = case.model.graph.split(case.starts)
    sizes = choose_sizes(case.model.graph.typed, {})
    mine = stages[rank::SIZE]
    modules = [stage.compile().eval().to(case.dtype) for stage in mine]
    for module in modules:
        module.load_state_dict({key: weights[key] for key in module.state_dict()})
    parts = [
        PipelineStage(
            module,
            stage.index,
            len(stages),
            torch.device("cpu"),
            **(
                {}
                if case.inferred
                else stage.metadata(BATCH // MICROBATCHES, dtype=case.dtype, **sizes)
            ),
        )
        for stage, module in zip(mine, modules, strict=True)
    ]
    several = parts if case.schedule is ScheduleInterleaved1F1B else parts[0]
    schedule = case.schedule(
        several, MICROBATCHES, loss_fn=lambda y, _: loss_of(y), scale_grads=False
    )
    losses: list[Tensor] = []
    outputs = None
    if (
        rank == 0
    ):  # the first stage takes all inputs except optional ones that only other stages read
        read = {name: inputs[name] for name in mine[0].inputs if name in inputs}
        if len(mine) > 1:  # torch would pass keywords to every stage of the process
            schedule.step(*read.values())
        else:
            schedule.step(**read)
    else:
        read = mine[-1].typed.body.optional
        optional = {name: x for name, x in inputs.items() if name in read}
        outputs = schedule.step(**optional, target=torch.zeros(BATCH), losses=losses)
    return Found(gradients(modules), outputs, losses)


def gradients(modules: list[nn.Module]) -> dict[str, Tensor]:
    named = (pair for module in modules for pair in module.named_parameters())
    return {name: p.grad for name, p in named if p.grad is not None}


def train_all(rank: int) -> dict[str, Found]:
    return {str(case): train(case, rank) for case in CASES}


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Found]]:
    return in_two_processes(train_all, tmp_path_factory.mktemp("pipelining"))


@pytest.mark.parametrize("case", CASES, ids=str)
def test_two_processes_give_what_one_gives(case: Case, found: list[dict[str, Found]]) -> None:
    first, last = (one[str(case)] for one in found)
    whole = case.model.compile().to(case.dtype)
    with torch.autocast("cpu", torch.bfloat16, case.autocast):
        outputs = whole(**inputs_of(case))
    is_coarse = case.autocast or case.dtype is torch.bfloat16
    near = {"rtol": 2e-2, "atol": 2e-2} if is_coarse else {}
    loss = loss_of(outputs)
    loss.backward()
    assert_close({**first.gradients, **last.gradients}, gradients([whole]), **near)
    theirs = tuple(outputs.values()) if isinstance(outputs, dict) else outputs
    assert_close(last.outputs, theirs, **near)
    assert_close(sum(last.losses), loss, **near)
