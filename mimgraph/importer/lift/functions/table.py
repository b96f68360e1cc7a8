"""The table of functions that can be declared, by torch's names.

A handler is a function of the body that is lifted, the step, and the arguments of torch's function by
their names; it adds nodes and says what stands for the results:

    @lifts("softmax", "_softmax")
    def softmax(body: BodyLifter, step: Step, input: Value, dim: int, dtype: Any = None) -> None:
        body.layer(step, "Softmax", input, dim=dim)

The handler of `relu` serves `relu_` too, that of `__add__` also `__iadd__`. An argument that the
handler does not name, or cannot express, is a `CannotLift`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from mimgraph.importer.lift.errors import CannotLift
from mimgraph.importer.lift.functions import load
from mimgraph.importer.trace.records import Step

if TYPE_CHECKING:
    from mimgraph.importer.lift.body import BodyLifter

Handler = TypeVar("Handler", bound=Callable[..., None])

_HANDLERS: dict[str, Callable[..., None]] = {}


def lifts(*names: str) -> Callable[[Handler], Handler]:
    """Register a handler for functions of these names."""

    def decorate(handler: Handler) -> Handler:
        for name in names:
            _HANDLERS[name] = handler
        return handler

    return decorate


def handler(step: Step) -> Callable[[BodyLifter, Step], None]:
    """Return a function that lifts a step; raise `CannotLift` if the table has none for it."""
    function = _function(step)
    bound_arguments(step)
    return lambda body, step: function(body, step, *step.args, **step.kwargs)


def bound_arguments(step: Step) -> inspect.BoundArguments:
    """Return the arguments of a step by the names that its handler has for them, behind two others."""
    try:
        return inspect.signature(_function(step)).bind(None, step, *step.args, **step.kwargs)
    except TypeError:
        name = plain_name(step.function)
        message = f"{name} is called with arguments that a spec cannot express"
        raise CannotLift("arguments", message, place=step.place) from None


def _function(step: Step) -> Callable[..., None]:
    load()
    name = step.function
    function = _HANDLERS.get(name) or _HANDLERS.get(_out_of_place(name))
    if function is None:
        message = f"{plain_name(name)} is no function that a spec can express"
        raise CannotLift("function", message, place=step.place)
    return function


def _out_of_place(name: str) -> str:
    """Return the function that does the same and leaves its argument as it is: `__add__` for `__iadd__`."""
    if name.startswith("__i") and name.endswith("__"):
        return f"__{name[3:]}"
    return name.rstrip("_") if not name.endswith("__") else name


def plain_name(name: str) -> str:
    """Return the name of a function as users write it: `getitem` for `__getitem__`."""
    return name.strip("_")


def refuse(step: Step, **given: Any) -> None:
    """Raise `CannotLift` for the first of these options that is given otherwise than not at all."""
    for option, value in given.items():
        if value not in (None, False):
            message = (
                f"{plain_name(step.function)} has {option}={value!r}, which a spec cannot express"
            )
            raise CannotLift("arguments", message, place=step.place)
