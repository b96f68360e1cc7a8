"""Group the parameters of a model by how the spec trains them, for any optimizer of torch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from torch import Tensor, nn

from mimgraph.ir.typed_graph import TypedGraph
from mimgraph.ir.typed_walks import Settings, Weight, weights_of
from mimgraph.support.arguments import wrong

# the names under which modules of torch hold another one: the first at the outside of a model alone
HOLDS_MODEL = "module"
HOLDS_PART = ("_orig_mod", "_checkpoint_wrapped_module", "_fsdp_wrapped_module")
DEFAULT = "default"  # the name of the group without settings


class ParameterGroup(dict[str, Any]):
    """A group of parameters that has a multiple of the optimizer's learning rate.

    An optimizer of torch gives every group its defaults with `setdefault`; of the rate, this group
    keeps `multiple` times the default.
    """

    def __init__(self, multiple: float, **entries: Any) -> None:
        super().__init__(entries)
        self.multiple = multiple

    def setdefault(self, key: str, default: Any = None, /) -> Any:
        """Return the value of a key, set to the default before if there is none."""
        if key == "lr" and key not in self and default is not None:
            default = self.multiple * default
        return super().setdefault(key, default)


def parameter_groups(graph: TypedGraph, model: nn.Module) -> list[dict[str, Any]]:
    """Return the groups: the parameters that learn, those with the same settings in one group."""
    if not isinstance(model, nn.Module):
        raise wrong("the model", "a module such as graph.compile()", model)
    weights = [*weights_of(graph.body)]
    held = _held(model, weights)
    groups: dict[tuple[Any, ...], tuple[Settings, list[Tensor]]] = {}
    seen: set[int] = set()
    for weight in weights:
        parameter = held[weight.key]
        if id(parameter) in seen or not parameter.requires_grad:
            continue
        seen.add(id(parameter))
        key = weight.settings[1:]
        groups.setdefault(key, (weight.settings, []))[1].append(parameter)
    return [_group(settings, parameters) for settings, parameters in groups.values()]


def _group(settings: Settings, parameters: list[Tensor]) -> dict[str, Any]:
    """Return one group, named by its settings: `lr=0.1x, weight_decay=0`."""
    given: dict[str, Any] = {}
    words = list[str]()
    if settings.lr is not None:
        words.append(f"lr={settings.lr}")
        if not settings.lr.is_multiple:
            given["lr"] = settings.lr.value
    if settings.weight_decay is not None:
        words.append(f"weight_decay={settings.weight_decay:g}")
        given["weight_decay"] = settings.weight_decay
    entries = {"params": parameters, "name": ", ".join(words) or DEFAULT, **given}
    if settings.lr is not None and settings.lr.is_multiple:
        return ParameterGroup(settings.lr.value, **entries)
    return entries


def _held(model: nn.Module, weights: Iterable[Weight]) -> Mapping[str, Tensor]:
    """Return the parameters of the model by the keys of the graph; a `ValueError` says that it is the
    model of another graph."""
    shapes = {weight.key: weight.shape for weight in weights}
    held = dict(_parameters(model, shapes))
    missing = next((key for key in shapes if key not in held), None)
    if missing is not None:
        raise ValueError(f"the model is not of this graph: it has no parameter {missing}")
    known = {id(held[key]) for key in shapes}  # a tied weight has several keys
    other = next((key for key, one in held.items() if id(one) not in known), None)
    if other is not None:
        raise ValueError(f"the model is not of this graph, which has no parameter {other}")
    for key, shape in shapes.items():
        found = tuple(held[key].shape)
        if found != tuple(shape):
            message = f"{key} is {found}, and the graph needs {tuple(map(int, shape))}"
            raise ValueError(f"the model is not of this graph: {message}")
    return held


def _parameters(model: nn.Module, known: Mapping[str, Any]) -> Iterator[tuple[str, Tensor]]:
    """Yield the parameters by their keys in the `state_dict`, without the names of wrappers."""
    for key, tensor in model.state_dict(keep_vars=True).items():
        if isinstance(tensor, nn.Parameter):
            yield _unwrapped(key, known), tensor


def _unwrapped(key: str, known: Mapping[str, Any]) -> str:
    """Return the key of a weight without the names under which wrappers of torch hold their model."""
    if key in known:
        return key
    names = [name for name in key.split(".") if name not in HOLDS_PART]
    while ".".join(names) not in known and names[0] == HOLDS_MODEL and len(names) > 1:
        del names[0]
    return ".".join(names)
