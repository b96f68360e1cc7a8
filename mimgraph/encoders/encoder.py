"""Define a model of another library as a layer, and read its option `features`: one part of the model,
whose result is the layer's, or several as ports."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, TypeAlias

from mimgraph.diagnostics.text import write
from mimgraph.ir.names import legal_name, port_fault
from mimgraph.ir.option_types import checker
from mimgraph.ops.layer_call import LayerOp
from mimgraph.ops.op import Default, InputSpec, OpFault, OptionSpec


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


FEATURES: TypeAlias = str | tuple[str, ...] | dict[str, str]  # as a spec gives them


@dataclass(frozen=True, slots=True)
class Features:
    """The parts of a model by port; `is_one` if there is one, whose result has no port."""

    ports: Mapping[str, str]
    is_one: bool = False


def features(given: str | Sequence[str] | Mapping[str, str]) -> Features:
    """Return the features that an option names: `layer4`, `[layer2, layer4]` or `{c3: layer2}`."""
    if isinstance(given, str):
        return Features({given: given}, is_one=True)
    if not given:
        message = "features names no part of the model"
        help = write("features: [layer4]")
        raise OpFault("bad-option", message, option="features", help=help)
    if isinstance(given, Mapping):
        for port in given:
            if (reason := port_fault(port)) is not None:
                raise OpFault("bad-name", f"{port!r} cannot be a name: {reason}", option="features")
        ports = dict(given)
    else:
        ports = {_port(part): part for part in given}
    if len({*ports.values()}) < len(given):
        raise OpFault("duplicate-name", "features names a part twice", option="features")
    return Features(ports)


def _port(part: str) -> str:
    """Return the name of a part as a port: `features_5` for `features.5`."""
    return part if port_fault(part) is None else legal_name(part, port_fault)
