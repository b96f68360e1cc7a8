"""Ask a process with limits about a user's module, and report what goes wrong there as a fault."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import chain
from typing import TypeVar

import torch
from torch import nn

from mimgraph.ops.custom.module_signature import Probed
from mimgraph.ops.op import OpFault
from mimgraph.support.limited_process import Ended, call

GIB = 1 << 30
SECONDS = 20.0  # for all runs of one question
MEMORY = 4 * GIB  # bytes beyond what this process has

Answer = TypeVar("Answer")


def answer(op: Probed, question: Callable[[], Answer]) -> Answer:
    """Return what a function returns in a process with limits; raise the fault that it raises there."""
    try:
        found = call(partial(_asked, question), SECONDS, MEMORY)
    except Ended as ended:
        message = f"{op.name} cannot be run to find its shapes"
        raise OpFault(
            "cannot-run", message, note=str(ended), help=op.shape_help, at_node=True
        ) from None
    if isinstance(found, OpFault):
        raise found
    return found


def _asked(question: Callable[[], Answer]) -> Answer | OpFault:
    """Return the answer or the fault; with one thread, as a fork has none of the others."""
    torch.set_num_threads(1)
    try:
        return question()
    except OpFault as fault:
        return fault


def check_size(op: Probed, module: nn.Module) -> None:
    """Refuse a module on the meta device that cannot be made within the limits if it needs data."""
    held = chain(module.parameters(), module.buffers())
    size = sum(tensor.numel() * tensor.element_size() for tensor in held)
    if size > MEMORY // 2:
        message = f"{op.name} cannot be run to find its shapes"
        note = f"it needs data, and its tensors take {size / GIB:.1f} GiB, more than {MEMORY / GIB / 2:.0f}"
        raise OpFault("cannot-run", message, note=note, help=op.shape_help, at_node=True)
