"""Find the modules that do not learn: all their parameters have `requires_grad=False`."""

from __future__ import annotations

from torch import nn

from mimgraph.importer.trace.records import Call, Step

# what computes something else in training; a spec's `freeze` keeps a node in evaluation mode
BY_MODE = (nn.modules.dropout._DropoutNd, nn.modules.batchnorm._NormBase, nn.RReLU)


def is_frozen(call: Call) -> bool:
    """Return whether a module has parameters, none of them learns, and it does the same in training."""
    learns = [one.requires_grad for one in call.module.parameters()]
    return bool(learns) and not any(learns) and not _has_modes(call)


def _has_modes(call: Call) -> bool:
    """Return whether a module, or a function inside, drops values or counts statistics in training."""
    rates = (getattr(one, "dropout", 0.0) for one in call.module.modules())
    if any(isinstance(rate, float) and rate > 0 for rate in rates):
        return True
    if any(isinstance(one, BY_MODE) for one in call.module.modules()):
        return True
    steps = (item for item in call.walk() if isinstance(item, Step))
    return any("dropout" in step.function or "dropout_p" in step.kwargs for step in steps)
