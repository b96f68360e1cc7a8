"""Find a function that a trace recorded under the name by which a file of Python calls it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F

from mimgraph.importer.python_layers.call_text import positional_parameters
from mimgraph.importer.trace.records import Step

_HOMES = {
    "torch": torch,
    "torch.nn.functional": F,
    "torch.linalg": torch.linalg,
    "torch.fft": torch.fft,
    "torch.special": torch.special,
    "torch.Tensor": torch.Tensor,
}
# what is no function of its tensors alone, or changes one of them
_IMPURE = ("rand", "dropout", "bernoulli", "normal", "multinomial", "exponential", "uniform")
_IMPURE_NAMES = frozenset({"empty_like", "set_data", "requires_grad_", "rrelu", "gumbel_softmax"})


class TorchFunction(NamedTuple):
    """A function of torch: the code that names it, and the parameters that are given by position."""

    text: str
    parameters: Sequence[str]

    @property
    def class_name(self) -> str:
        """The name of a layer that calls it: `IndexAdd` for `index_add`."""
        words = self.text.rpartition(".")[2].strip("_").split("_")
        return "".join(word[:1].upper() + word[1:] for word in words)


def pure_function(step: Step) -> TorchFunction | None:
    """Return the function of a step, of one in place that which leaves its argument as it is.

    None if it draws random numbers, writes into a weight, or is no function of torch.
    """
    name = step.function
    if name in _IMPURE_NAMES or name.startswith(_IMPURE) or "out" in step.kwargs:
        return None
    if not step.in_place:
        return _named(name, step.callee)
    arguments = step.arguments
    if "inplace" in step.kwargs or not arguments or arguments[0].is_weight:
        return None
    plain = f"__{name[3:]}" if name.startswith("__i") else name.removesuffix("_")
    return None if plain == name else _named(plain, None)


def _named(name: str, callee: Any) -> TorchFunction | None:
    """Return a function by its name; `callee` is the object that was called, None for any."""
    for home, module in _HOMES.items():
        found = getattr(module, name, None)
        if callable(found) and callee in (None, found):
            return TorchFunction(f"{home}.{name}", _parameters(found))
    return None


def _parameters(function: Any) -> Sequence[str]:
    """Return the names of the parameters; torch keeps signatures of its builtins for tests."""
    found = positional_parameters(function)
    if found:
        return found
    known = torch.overrides.get_testing_overrides().get(function)
    return [] if known is None else positional_parameters(known)
