"""Know the models of timm as layers: `timm.vit_small_patch16_224`, `timm.resnet18.a1_in1k`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from mimgraph.diagnostics.nearest import nearest
from mimgraph.diagnostics.text import did_you_mean, put, remove
from mimgraph.encoders.cache import recalled, remembered
from mimgraph.encoders.encoder import Encoder, features, option
from mimgraph.encoders.images import check_classes, check_image
from mimgraph.encoders.macs import macs
from mimgraph.encoders.probe import Model, question, results
from mimgraph.ir.axes_help import node
from mimgraph.ir.code import Operand
from mimgraph.ir.lowering import RESULT, Lowering, Module, Port, module_call
from mimgraph.ir.option_types import NonNegative, Positive, Probability
from mimgraph.ir.types import TensorType
from mimgraph.ops.op import OpFault, OptionSpec

if TYPE_CHECKING:
    from torch import nn

_NAME = re.compile(r"\w+(\.\w+)?", re.ASCII)  # and no `hf-hub:` or `local-dir:`, which read files
_DOC = """The model {model} of timm: (N, C, H, W) -> (N, num_classes).

`pretrained: true` takes the weights of its tag, `num_classes: 0` leaves the classifier out.
`features: 4` gives a feature map instead, by its number or by the name of its part; `features: [3, 4]`
or `{{c4: 3}}` gives several as ports."""
LISTED_BY = """python -c 'import timm; print(*timm.list_models(), sep="\\n")'"""
FEATURES = str | int | tuple[str | int, ...] | dict[str, str | int]


def encoder(model: str) -> Encoder | None:
    """Return a model of timm as a layer; whether timm has it shows when it is probed."""
    return TimmModel(model) if _NAME.fullmatch(model) else None


def names() -> list[str]:
    """Return the names of the models, if timm has been asked before."""
    try:
        found: list[str] = (recalled(_names_of_models()) or {"names": []})["names"]
    except PackageNotFoundError:
        return []
    return found


def _names_of_models() -> dict[str, str]:
    """Return what the cache is asked for the names."""
    return {"names of": "timm", "version": version("timm")}


class TimmModel(Encoder):
    """A model of timm, a classifier of images or the features inside of it."""

    def __init__(self, model: str) -> None:
        super().__init__(f"timm.{model}", _DOC.format(model=model))
        self.model = model
        self.__name__ = model.partition(".")[0]

    @property
    def example(self) -> tuple[tuple[str, ...], str]:
        """Return the inputs and a node that uses the model."""
        return ("image: [3, 224, 224]",), f"{{layer: {self.name}, from: image, pretrained: true}}"

    def given_options(self) -> list[OptionSpec]:
        """Return the options that a spec may give; None is the model's own."""
        return [
            option("pretrained", bool, False),
            option("features", FEATURES | None, None),
            option("num_classes", NonNegative | None, None),
            option("global_pool", str | None, None),
            option("img_size", Positive | None, None),
            option("dynamic_img_size", bool | None, None),
            option("drop_rate", Probability | None, None),
            option("drop_path_rate", Probability | None, None),
        ]

    def lower(self, sources: Mapping[str, TensorType], options: Mapping[str, Any]) -> Lowering:
        """Return the module and the types of its results, which a probe finds."""
        image = sources["input"]
        channels = image.dims[0] if image.dims else 0
        check_image(image, self.name, channels if isinstance(channels, int) else 3)
        check_classes(options["num_classes"], self.name)
        settings = {
            name: value
            for name, value in options.items()
            if name not in ("pretrained", "features") and value is not None
        }
        if channels != 3:
            settings["in_chans"] = channels
        given = options["features"]
        ports = {} if given is None else self._indices(given, settings)
        if ports:
            settings |= {"features_only": True, "out_indices": tuple(sorted(ports.values()))}
        model = Model(self.name, settings, partial(_build, self.model, settings))
        found = self._results(model, sources)
        module, products = self._module(options, settings, model), macs(model, sources)
        if not ports:
            return Lowering(found[""], module, products=products)
        # timm returns them in the order in which the model computes them
        by_port = {
            port: str(place)
            for place, port in enumerate(sorted(ports, key=lambda port: ports[port]))
        }
        if isinstance(given, str | int):
            return Lowering(
                found["0"], module, module_call(Operand("input")).at(0), products=products
            )
        read = {port: Port(found[by_port[port]], RESULT.at(int(by_port[port]))) for port in ports}
        return Lowering(None, module, ports=read, products=products)

    def _results(self, model: Model, sources: Mapping[str, TensorType]) -> Mapping[str, TensorType]:
        """Return the results by port; a fault says what to do about images of another size."""
        try:
            return results(model, sources)
        except OpFault as fault:
            if "match model" in fault.note:
                resized = node("Interpolate", "...", "size: [...]")
                fault.help = (
                    f"resize the images first: {resized}, or give img_size or"
                    f" {put('dynamic_img_size: true')}"
                )
            raise

    def _module(
        self, options: Mapping[str, Any], settings: Mapping[str, Any], model: Model
    ) -> Module:
        """Return the call of timm that makes the model."""
        arguments = {"model_name": self.model, "pretrained": options["pretrained"], **settings}
        return Module(
            *("create_model", arguments, *model.tensors()),
            package="timm",
            positional=1,
            layers=model.layers(),
        )

    def _indices(self, given: Any, settings: Mapping[str, Any]) -> dict[str, int]:
        """Return the number of each feature by port."""
        for name in ("num_classes", "global_pool"):
            if name in settings:
                message = f"features are taken before the classifier, so {name} has no use"
                raise OpFault("bad-option", message, option=name, help=remove(name))
        parts = _parts(self.name, self.model)
        chosen = features(_texts(given, len(parts)))
        return {port: _index(self.name, part, parts) for port, part in chosen.ports.items()}


def _texts(given: Any, count: int) -> Any:
    """Return features with their numbers as texts, counted from the first of so many."""
    if isinstance(given, Mapping):
        return {port: _text(part, count) for port, part in given.items()}
    if isinstance(given, tuple):
        return [_text(part, count) for part in given]
    return _text(given, count)


def _text(part: str | int, count: int) -> str:
    if isinstance(part, int) and -count <= part < 0:
        return str(part + count)
    return str(part)


def _index(name: str, part: str, parts: list[str]) -> int:
    """Return the number of a feature, which is given as this or by the name of its part."""
    if part in parts:
        return parts.index(part)
    if part.isdecimal() and len(part) < 9 and int(part) < len(parts):
        return int(part)
    listed = ", ".join(f"{number} {one}" for number, one in enumerate(parts))
    message = f"{name} has no feature {part}"
    raise OpFault("bad-option", message, option="features", help=f"it has {listed}")


def _parts(name: str, model: str) -> list[str]:
    """Return the names of the parts of a model whose results are its features, in their order."""
    asked = question(Model(name, {}, partial(_build, model, {})), {"called": "features"})
    found: list[str] = remembered(asked, lambda: {"parts": _probed_parts(name, model)})["parts"]
    return found


def _probed_parts(name: str, model: str) -> list[str]:
    from mimgraph.encoders.probe import made

    info = getattr(made(Model(name, {}, partial(_build, model, {}))), "feature_info", ())
    return [one["module"] for one in getattr(info, "info", info)]


def _build(model: str, settings: Mapping[str, Any]) -> nn.Module:
    """Return the model without weights."""
    timm = import_module("timm")
    every = remembered(_names_of_models(), lambda: {"names": timm.list_models()})["names"]
    base, _, tag = model.partition(".")
    if not timm.is_model(base):
        near = nearest(base, every)
        help = did_you_mean(f"timm.{near}") if near else f"{LISTED_BY} lists the models"
        raise OpFault("unknown-layer", f"timm has no model {base!r}", help=help, at_node=True)
    if tag and model not in (tagged := timm.list_pretrained(f"{base}.*")):
        near = nearest(model, tagged) or next(iter(tagged), "")
        help = did_you_mean(f"timm.{near}") if near else "remove the tag"
        message = f"timm has no weights {tag!r} for {base}"
        raise OpFault("unknown-layer", message, help=help, at_node=True)
    found: nn.Module = timm.create_model(model, pretrained=False, **settings)
    return found
