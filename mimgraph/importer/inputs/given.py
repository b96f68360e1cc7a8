"""Read inputs as users give them: in Python, as `--input text=T:vocab=1000`, and as a file of tensors."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple, TypeAlias

import torch
from torch import Tensor

from mimgraph.diagnostics.text import unmarked
from mimgraph.importer.inputs.model import InputError, Size, parsed
from mimgraph.ir.declared_graph import Input
from mimgraph.ir.expression import ExpressionError
from mimgraph.ir.types import DTYPES, dtype_help
from mimgraph.ops.layer_call import is_source
from mimgraph.support.arguments import as_plain, dtype_name, shown


class Given(NamedTuple):
    """An input as it was given; a field that is None follows from the example or the model."""

    shape: tuple[Size, ...] | None = None
    dtype: str | None = None
    vocab: int | None = None
    example: Tensor | None = None


class Constant(NamedTuple):
    """An argument of forward that is no input, such as a flag."""

    value: Any


Tree: TypeAlias = "Given | Constant | dict[str, Tree] | list[Tree]"
_KEYS = frozenset({"shape", "dtype", "vocab", "value"})
_WORDS = {"true": True, "false": False, "null": None}
_HELP = (
    'give a tensor, a shape without the batch such as (3, 224, 224) or ("T",), '
    'mg.Input(...), or {"shape": ("T",), "vocab": 1000}'
)


def read_given(name: str, given: Any) -> Tree:
    """Return the inputs in one argument of forward.

    That is one input; a dict or list of inputs if forward takes such; or a constant: True, None, 0.5, or
    any value in `{"value": 3}`.
    """
    if isinstance(given, Tensor):
        return Given(example=given) if given.ndim else Constant(given)
    if type(given).__module__ == "numpy" and hasattr(given, "__array__"):
        return read_given(name, torch.as_tensor(given))
    if is_source(given) or isinstance(given, Input):
        return _declared(name, given)
    if given is None or isinstance(given, bool | float):
        return Constant(given)
    if isinstance(given, list | tuple):
        if all(isinstance(size, int | str) and not isinstance(size, bool) for size in given):
            return Given(shape=_shape(name, given))
        return [read_given(f"{name}.{n}", one) for n, one in enumerate(given)]
    if isinstance(given, Mapping):
        return _read_mapping(name, given)
    raise InputError(f"{name} is {shown(given)}: {_HELP}")


def _read_mapping(name: str, given: Mapping[Any, Any]) -> Tree:
    """Return an input by its shape, dtype and vocab; else a dict of inputs."""
    odd = next((key for key in given if not isinstance(key, str)), None)
    if odd is not None or not given:
        raise InputError(f"{name} has the key {odd!r}: {_HELP}" if given else f"{name} is empty")
    if not given.keys() <= _KEYS or any(isinstance(one, Tensor) for one in given.values()):
        return {key: read_given(f"{name}.{key}", one) for key, one in given.items()}
    if "value" in given:
        return Constant(given["value"])
    shape, vocab, dtype = given.get("shape"), given.get("vocab"), given.get("dtype")
    if shape is None and vocab is None:
        raise InputError(f"{name} needs a shape")
    return _input(name, () if shape is None else shape, dtype, vocab)


def _declared(name: str, handle: Any) -> Given:
    """Return the input that `mg.Input` declared."""
    declared = getattr(getattr(getattr(handle, "record", None), "made", None), "declared", handle)
    if not isinstance(declared, Input) or declared.shape is None:
        raise InputError(f"{name} is {shown(handle)}, which is not what mg.Input returned")
    vocab = None if declared.vocab is None else declared.vocab.value
    return _input(name, declared.shape.texts, declared.dtype, vocab)


def _input(name: str, shape: Any, dtype: Any, vocab: Any) -> Given:
    if dtype is not None:
        dtype = dtype_name(dtype) or dtype
        if dtype not in DTYPES:
            raise InputError(f"{name} has the dtype {dtype!r}: {unmarked(dtype_help(str(dtype)))}")
    vocab = as_plain(f"the vocab of {name}", vocab)
    if vocab is not None and (not isinstance(vocab, int) or vocab < 1):
        raise InputError(f"the vocab of {name} is the number of its categories, not {vocab!r}")
    return Given(_shape(name, shape), dtype, vocab)


def _shape(name: str, given: Any) -> tuple[Size, ...]:
    """Return sizes, without spaces around their names; `N`, the batch, is none of them."""
    if not isinstance(given, list | tuple):
        raise InputError(f"the shape of {name} is {shown(given)}: (5,) has one axis of 5")
    sizes: list[Size] = []
    for size in given:
        try:
            found = parsed(size if isinstance(size, str) else int(size))
        except ExpressionError as error:
            help = error.help and f": {error.help}"
            message = unmarked(f"{error.message}{help}")
            raise InputError(f"{size!r} in the shape of {name}: {message}") from None
        except (TypeError, ValueError):
            raise InputError(f"{shown(size)} in the shape of {name} is no size") from None
        if isinstance(found, int) and found < 1:
            raise InputError(f"{size} in the shape of {name}: a size is at least 1")
        sizes.append(found if isinstance(found, int) else str(found))
    return tuple(sizes)


# --- the command line -----------------------------------------------------------------------------


def from_text(text: str) -> tuple[tuple[str, ...], Tree]:
    """Return the path of an argument of forward, and what `--input` gives for it.

    batch.text=T:vocab=1000      image=3,224,224      mask=T:dtype=bool      deep=false
    """
    name, equals, rest = text.partition("=")
    path = tuple(name.split("."))
    if not equals or not all(path):
        raise InputError(f"--input takes NAME=SIZES, such as image=3,224,224, not {text!r}")
    if rest in _WORDS:
        return path, Constant(_WORDS[rest])
    sizes, *options = rest.split(":")
    if re.fullmatch(r"\d+(x\w+)+", sizes):
        raise InputError(f"commas separate sizes: --input {name}={sizes.replace('x', ',')}")
    named = dict(option.split("=", 1) for option in options if "=" in option)
    if len(named) < len(options) or not named.keys() <= {"vocab", "dtype"}:
        raise InputError(f"--input {name} takes :vocab=N and :dtype=NAME after the sizes")
    shape = [_number(size.strip()) for size in sizes.split(",")] if sizes.strip() else []
    vocab = _number(named["vocab"]) if "vocab" in named else None
    return path, _input(name, shape, named.get("dtype"), vocab)


def _number(text: str) -> int | str:
    return int(text) if text.isdecimal() else text


def from_file(path: str) -> Any:
    """Return the example inputs in a file that torch.save wrote: a dict by name, or a list.

    Nothing in the file is run. An `OSError` is raised if it cannot be read.
    """
    try:
        found = torch.load(path, map_location="cpu", weights_only=True)
    except OSError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever torch meets in a damaged file
        reason = "no file of tensors that torch.save wrote"
        if "Unsupported global" in str(error):
            reason = "a file with more than tensors in dicts and lists, which could run code"
        raise InputError(f"{path} is {reason}") from None
    if isinstance(found, Tensor):
        return [found]
    if not isinstance(found, dict | list | tuple) or not found:
        raise InputError(f"{path} has {shown(found)}, not a dict or list of tensors")
    return found
