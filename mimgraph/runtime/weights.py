"""Save the weights of a module to a .safetensors file, and load them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from os import PathLike, fspath
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor, nn

from mimgraph.runtime.weight_transfer.by_keys import as_keys, parts, renamed
from mimgraph.support.arguments import as_path, wrong
from mimgraph.support.columns import lists
from mimgraph.support.files import write_whole

OF_OLDER = (
    "weights of an older version of the spec: mg.carry(old, new, weights), or mimgraph diff OLD NEW "
    "--weights FILE -o NEW.safetensors"
)
ADAPTER, BASE = ".lora_", ".base_layer"  # in the keys of layers with adapters of peft


def as_module(given: Any) -> nn.Module:
    """Return the argument if it is a module; else raise a `TypeError`."""
    if not isinstance(given, nn.Module):
        raise wrong("the model", "a module such as graph.compile()", given)
    refuse_meta("the model", given.state_dict())
    refuse_meta("the model", dict(given.named_buffers()), " and copy it from a model made there")
    return given


def as_weights(given: Any, what: str = "other") -> nn.Module | Mapping[str, Tensor]:
    """Return the argument `what` if weights can be taken from it; else raise a `TypeError`."""
    if isinstance(given, nn.Module):
        refuse_meta("the other model", given.state_dict())
        return given
    named: Mapping[Any, Any] = given if isinstance(given, Mapping) else {"": None}
    if all(isinstance(k, str) and isinstance(v, Tensor) for k, v in named.items()):
        refuse_meta("the state_dict", named)
        return named
    raise wrong(what, "a module or the state_dict of one", given)


def as_weights_file(given: Any) -> Path:
    """Return the argument as the path of a file; else raise a `TypeError`."""
    if isinstance(given, nn.Module | Mapping):
        takes = "graph.load_state(model, other) takes a module or a state_dict"
        raise TypeError(f"load_weights takes the path of a file, and {takes}")
    return as_path("the file of weights", given)


def refuse_meta(what: str, state: Mapping[str, Tensor], more: str = "") -> None:
    """Raise a `ValueError` if a tensor has no memory, as torch would copy nothing without an error."""
    for key, tensor in state.items():
        if tensor.is_meta:
            cure = f'give it memory first, as .to_empty(device="cpu") does{more}'
            raise ValueError(
                f"{key} of {what} is on the meta device, which keeps no values: {cure}"
            )


def save(
    model: nn.Module,
    make: Callable[[], nn.Module],
    path: str | PathLike[str],
    metadata: dict[str, str],
) -> None:
    """Write all tensors of a model, whole or not at all; it must have the tensors that `make` makes."""
    with torch.device("meta"):
        expected = make().state_dict()
    state = model.state_dict()
    check_fit(expected, state, "the model is not of this graph")
    write_state(state, path, metadata)


def write_state(
    state: Mapping[str, Tensor], path: str | PathLike[str], metadata: dict[str, str]
) -> None:
    """Write tensors to a .safetensors file, whole or not at all."""
    # a file holds each tensor by itself, contiguous
    tensors = {
        key: tensor.detach().cpu().clone(memory_format=torch.contiguous_format)
        for key, tensor in state.items()
    }
    write_whole(Path(path), safetensors.torch.save(tensors, metadata))


def read_state(path: str | PathLike[str]) -> dict[str, Tensor]:
    """Return the tensors of a .safetensors file; raise a `ValueError` for any other file."""
    Path(path).open("rb").close()  # the OSError of safetensors does not name the file
    try:
        return safetensors.torch.load_file(fspath(path))
    except SafetensorError as error:
        raise ValueError(f"{path} is not a safetensors file, or is cut off: {error}") from None


@dataclass(frozen=True)
class LoadedWeights:
    """Which tensors of a file were copied into a model, and which did not fit.

    Those in `missing` are the model's alone, those in `unexpected` the file's; those in `mismatched`
    have other shapes, in `shapes` first that of the file, then that of the model.
    """

    loaded: tuple[str, ...]
    missing: tuple[str, ...] = ()
    unexpected: tuple[str, ...] = ()
    mismatched: tuple[str, ...] = ()
    shapes: Mapping[str, tuple[tuple[int, ...], tuple[int, ...]]] = field(default_factory=dict)

    def faults(self) -> str:
        """Return what did not fit, for a message; "" if everything did."""
        sizes = [f"{key} {given}, not {wanted}" for key, (given, wanted) in self.shapes.items()]
        return "; ".join(
            lists(
                ("missing", self.missing),
                ("unexpected", self.unexpected),
                ("of another shape", sizes),
            )
        )

    def __str__(self) -> str:
        count = len(self.loaded)
        found = f"loaded {count} tensor{'' if count == 1 else 's'}"
        return "; ".join(filter(None, (found, self.faults())))


def load_weights(
    model: nn.Module, path: str | PathLike[str], strict: bool = True, keys: object = None
) -> LoadedWeights:
    """Copy the tensors of a .safetensors file into the model; if strict, raise a `ValueError` for keys
    that do not fit, else leave them out. `keys` maps keys of the model to keys of the file."""
    given = read_state(path)
    if keys is not None:
        given = _with_our_keys(model, given, keys)
    state = model.state_dict()
    given = _with_base_layers(state, given)
    found = _compared(state, given)
    is_bare = not any(
        ADAPTER in key for key in given
    )  # the weights from before there were adapters
    missing = tuple(key for key in found.missing if not (is_bare and ADAPTER in key))
    if strict and (faults := replace(found, missing=missing).faults()):
        raise ValueError(f"{path} does not fit: {faults}\n- {OF_OLDER}")
    model.load_state_dict(
        {key: given[key] for key in found.loaded}, strict=strict and not found.missing
    )
    return found


def _with_base_layers(state: Mapping[str, Tensor], given: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return the tensors of a file with the keys that a model has if its layers have adapters of peft:
    `query.weight` is its `query.base_layer.weight`."""
    bare = {key.replace(BASE, ""): key for key in state if BASE in key}
    return {bare.get(key, key) if key not in state else key: one for key, one in given.items()}


def _with_our_keys(
    model: nn.Module, given: Mapping[str, Tensor], keys: object
) -> dict[str, Tensor]:
    """Return the tensors of a file under the keys of the model; tensors that no key names keep theirs."""
    checked = as_keys(keys)
    names = [*model.state_dict()]
    used = {part for name in names for part in parts(checked.get(name, name))}
    others = {key: one for key, one in given.items() if key not in used}
    return others | renamed(names, given, checked)


def check_fit(expected: Mapping[str, Tensor], given: Mapping[str, Tensor], title: str) -> None:
    """Raise a `ValueError` that lists the keys and shapes that do not fit, if any."""
    if faults := _compared(expected, given).faults():
        raise ValueError(f"{title}: {faults}")


def _compared(expected: Mapping[str, Tensor], given: Mapping[str, Tensor]) -> LoadedWeights:
    """Return which given tensors have the key and shape of an expected one."""
    shapes = {
        key: (tuple(given[key].shape), tuple(expected[key].shape))
        for key in expected
        if key in given and given[key].shape != expected[key].shape
    }
    return LoadedWeights(
        loaded=tuple(key for key in expected if key in given and key not in shapes),
        missing=tuple(key for key in expected if key not in given),
        unexpected=tuple(key for key in given if key not in expected),
        mismatched=tuple(shapes),
        shapes=shapes,
    )
