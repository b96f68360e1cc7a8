"""Define a model of another library as a layer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any, Literal

from mimgraph.ir.option_types import checker
from mimgraph.ops.layer_call import LayerOp
from mimgraph.ops.signature import Default, InputSpec, OptionSpec


class Encoder(LayerOp):
    """A model of a library as a layer, `torchvision.resnet50`; a library's own class gives its `lower`."""

    def __init__(self, name: str, doc: str) -> None:
        package = name.partition(".")[0]
        super().__init__("layer", _no_rule, family=package, package=package)
        self.name = name
        self.__name__ = name.rpartition(".")[2]
        self.__module__ = package
        self._doc = doc

    @property
    def doc(self) -> str:
        """Return the text that `mimgraph layers` and a hover show."""
        return self._doc

    @property
    def example(self) -> tuple[tuple[str, ...], str]:
        """Return the inputs and a node that uses the model."""
        raise NotImplementedError

    @cached_property
    def options(self) -> Mapping[str, OptionSpec]:
        """Return every option by name, in order."""
        return {option.name: option for option in self.given_options()}

    def given_options(self) -> list[OptionSpec]:
        """Return the options that a spec may give."""
        raise NotImplementedError

    @cached_property
    def inputs(self) -> InputSpec:
        """Return the sources: one image."""
        return InputSpec(("input",), frozenset(), "one")


def option(name: str, annotation: Any, default: Default) -> OptionSpec:
    """Return an option of a model, which is given by name."""
    return OptionSpec(name, default, annotation, checker(annotation), False, False)


def one_of(names: Iterable[str]) -> Any:
    """Return the annotation of an option that is one of these names."""
    return Literal.__getitem__(tuple(names))  # mypy takes no variable in brackets


def _no_rule() -> Any:
    """Stand for the rule of an op, as a model has a `lower` of its own."""
    raise NotImplementedError
