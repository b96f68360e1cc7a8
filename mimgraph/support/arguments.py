"""Check the arguments of public functions; a `TypeError` for a wrong one says which type is needed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from os import PathLike
from pathlib import Path
from typing import Any, Literal, TypeAlias

Depth: TypeAlias = int | Literal["all"]  # the number of levels of nested blocks that are open


def wrong(what: str, wants: str, given: Any) -> TypeError:
    """Return the `TypeError` for an argument of a wrong type."""
    return TypeError(f"{what} is {wants}, not {shown(given)}")


def shown(given: Any) -> str:
    """Return the repr of a value for a message, shortened and on one line."""
    try:
        text = " ".join(repr(given).split())
    except Exception:  # noqa: BLE001 - the user's repr may raise anything
        text = f"a {type(given).__name__}"
    return text if len(text) <= 40 else f"{text[:37]}..."


_FLAGS = ("bool", "bool_")  # the bool types of numpy
_PLAIN = frozenset({int, float, bool, str, type(None)})
MAX_BYTES = 1 << 24  # the size from which an array is not converted to a list


def as_plain(what: str, given: Any) -> Any:
    """Return the value as plain data; raise a `TypeError` if it contains itself."""
    try:
        return plain(given)
    except RecursionError:
        raise wrong(what, "plain data that does not contain itself", given) from None


def plain(given: Any) -> Any:
    """Return the value of an option or param as plain data.

    Numbers of numpy and torch become Python's; tuples, and arrays of whole numbers, become lists, and
    dtypes their names.
    """
    if type(given) in _PLAIN:
        return given
    if isinstance(given, list | tuple):
        return [plain(item) for item in given]
    if isinstance(given, Mapping):
        return {key: plain(item) for key, item in given.items()}
    if hasattr(type(given), "tolist"):
        return _of_array(given)
    return dtype_name(given) or given


def dtype_name(given: Any) -> str | None:
    """Return the name of a dtype of torch or numpy, `int64` for `torch.int64` and for Python's `int`;
    None for anything else, as for `float`, which is float32 here and float64 there."""
    kind = type(given)
    if kind.__module__ == "torch" and kind.__name__ == "dtype":
        return str(given).removeprefix("torch.")
    if isinstance(given, type):
        if given in (int, bool):
            return "int64" if given is int else "bool"
        return given.__name__ if given.__module__ == "numpy" else None
    return (
        str(given)
        if any(base.__module__ == "numpy" and base.__name__ == "dtype" for base in kind.__mro__)
        else None
    )


def _of_array(given: Any) -> Any:
    """Return a number or a row of whole numbers of numpy or torch as plain data, else the value itself."""
    if getattr(given, "ndim", 2) > 1 or getattr(given, "nbytes", MAX_BYTES) >= MAX_BYTES:
        return given
    try:
        found = given.tolist()
    except Exception:  # noqa: BLE001 - a tensor on the meta device has no data
        return given
    whole = not isinstance(found, list) or all(type(item) is int for item in found)
    return found if whole else given


def as_text(what: str, given: Any) -> str:
    """Return the argument if it is a string."""
    if not isinstance(given, str):
        raise wrong(what, "a string", given)
    return given


def as_flag(what: str, given: Any) -> bool:
    """Return the argument as a bool if it is True or False, of Python or numpy."""
    if given not in (0, 1) if isinstance(given, int) else type(given).__name__ not in _FLAGS:
        raise wrong(what, "True or False", given)
    return bool(given)


def as_path(what: str, given: Any) -> Path:
    """Return the argument as a path."""
    if not isinstance(given, str | PathLike) or given == "":
        raise wrong(what, "the path of a file", given)
    return Path(given)


def as_mapping(what: str, given: Any, example: str) -> dict[str, Any]:
    """Return the argument as a dict with names as keys; None gives an empty one."""
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise wrong(what, f"a dict by name such as {example}", given)
    odd = next((key for key in given if not isinstance(key, str)), None)
    if odd is not None or None in given:
        raise wrong(f"a name in {what}", "a string", odd)
    return dict(given)


def as_texts(what: str, given: Any, example: str) -> dict[str, str]:
    """Return the argument as a dict of texts with names as keys; None gives an empty one."""
    named = as_mapping(what, given, example)
    return {name: as_text(f"{name} in {what}", value) for name, value in named.items()}


def as_names(what: str, given: Any) -> list[str]:
    """Return the argument, a name or several, as a list of names."""
    if isinstance(given, str):
        return [given]
    if not isinstance(given, Iterable):
        raise wrong(what, "a list of names", given)
    found = [*given]
    for name in found:
        if not isinstance(name, str):
            raise wrong(f"a name in {what}", "a string", name)
    return found


def check_depth(depth: Depth | None) -> None:
    """Raise a `ValueError` unless the depth to open blocks to is 0, 1, ..., "all", or not given."""
    if depth is None or (isinstance(depth, str) and depth == "all"):
        return
    if isinstance(depth, bool) or not isinstance(depth, int) or depth < 0:
        raise ValueError(f"depth is an integer of at least 0, or 'all', not {depth!r}")
