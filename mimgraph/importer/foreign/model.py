"""The record that every reader of a foreign file returns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from torch import nn

NoteKind = Literal["opaque", "frozen", "left-out"]


class Note(NamedTuple):
    """Something of the file that the spec does not say as the file does.

    An `opaque` layer must be registered by the user, a `frozen` value is a constant of the spec, and
    what is `left-out` is missing from it.
    """

    kind: NoteKind
    reason: str  # a word or two, such as `Lambda`
    message: str
    node: str  # the name of the node in the spec; "" for the whole model


class ForeignModel(NamedTuple):
    """A model of another library as a spec, with its weights if the file has any.

    `spec` is plain data, as `graph.to_dict()` returns it. `companion` is the text of a Python file that
    registers the opaque layers, if there are any. `plugin` is the package that read the file, if another.
    """

    spec: dict[str, Any]
    state: dict[str, np.ndarray[Any, Any]] | None  # by the keys of our state_dict
    keys: dict[str, str]  # our key of the state_dict -> theirs
    notes: tuple[Note, ...] = ()
    companion: str | None = None
    plugin: str = ""


def load_state(module: nn.Module, state: dict[str, np.ndarray[Any, Any]]) -> None:
    """Load weights by our keys into a module."""
    import torch

    module.load_state_dict({key: torch.as_tensor(one) for key, one in state.items()})
