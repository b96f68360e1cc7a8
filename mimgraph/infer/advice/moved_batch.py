"""Explain the refusal of a source whose batch is not its first axis, as in `(T, N, C)`."""

from __future__ import annotations

from mimgraph.infer.advice.rule_trial import Trial
from mimgraph.ir.axes_help import NO_BATCH, moved_axis
from mimgraph.ir.types import BATCH
from mimgraph.ops.op import OpFault

OF_SIZES = ("rank-mismatch", "shape-mismatch", "symbolic-size")


def fault_for(trial: Trial) -> OpFault | None:
    """Return the fault of an op that needs the batch first; None if it refused for another reason.

    The batch is the reason if the rule says so, or accepts the source with its batch moved back.
    """
    fault, types = trial.fault, trial.types
    key = next((key for key in _about(trial) if types[key].has_moved_batch), None)
    if key is None or fault.code not in OF_SIZES:
        return None
    x, axis = types[key], types[key].batch_axes[0]
    help, first = "", x
    if x.dims[axis] == BATCH:
        node, first = moved_axis(x, axis, 0, f"{{{key}}}")
        help = f"move it back: {node}"
    if fault.help != NO_BATCH and (first is x or trial.ask({key: first}) is None):
        return None
    needs = fault.message
    if fault.code == "rank-mismatch":
        needs = f"{trial.op.name} needs the batch first"
    where = f"the batch is axis {axis}" if help else f"axis {axis} is {x.dims[axis]}"
    message = f"{needs}, and here {where}"
    return OpFault("batch-moved", message, None, key, str(x), help, fault.mentions)


def _about(trial: Trial) -> list[str]:
    """Return the operand keys of the sources that a fault is about."""
    named = [key for key in (trial.fault.source, *trial.fault.mentions) if key is not None]
    return named or list(trial.types)[:1]
