"""Know the classifiers of torchvision as layers: `torchvision.resnet50`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mimgraph.diagnostics.nearest import nearest
from mimgraph.diagnostics.text import code, did_you_mean, remove
from mimgraph.encoders.encoder import FEATURES, Encoder, Features, features, one_of, option
from mimgraph.encoders.images import check_classes, check_exact, check_image, least
from mimgraph.encoders.macs import macs
from mimgraph.encoders.probe import Model, results, size_at
from mimgraph.ir.code import Constant, Dict, List, Operand
from mimgraph.ir.lowering import RESULT, Lowering, Module, Port, module_call
from mimgraph.ir.option_types import Positive, Probability
from mimgraph.ir.types import Constraint, TensorType
from mimgraph.ops.op import OpFault, OptionSpec

if TYPE_CHECKING:
    from torch import nn

CLASSES = 1000  # of the images that all weights were trained on
# what the constructors take beside num_classes; None is the model's own
OPTIONS: Mapping[str, tuple[Any, Any]] = {
    "dropout": (Probability | None, None),
    "drop_rate": (Probability | None, None),
    "attention_dropout": (Probability | None, None),
    "stochastic_depth_prob": (Probability | None, None),
    "zero_init_residual": (bool, False),
    "replace_stride_with_dilation": (tuple[bool, bool, bool] | None, None),
    "image_size": (Positive | None, None),
}
RESHAPING = ("replace_stride_with_dilation",)  # with one of these the table does not hold
ONE = "features"  # the key of the only feature, where torchvision is asked for shapes


def encoder(model: str) -> Encoder | None:
    """Return a classifier of torchvision.models as a layer; None if it has none with this name."""
    found = entry(model) or _newer(model)
    return None if found is None else Classifier(model, found)


def _newer(model: str) -> Entry | None:
    """Return a classifier that came with a later release than the table; torchvision is imported only if
    such a release is installed."""
    try:
        installed = version("torchvision").split(".")[:2]
    except PackageNotFoundError:
        return None
    if tuple(map(int, installed)) <= release():
        return None
    models = import_module("torchvision.models")
    if model not in models.list_models(module=models):
        return None
    weights = {name: "" for name in models.get_model_weights(model).__members__}
    return Entry(weights, "num_classes", {})


def names() -> list[str]:
    """Return the names of the classifiers."""
    return models()


class Classifier(Encoder):
    """A classifier of images of torchvision.models."""

    def __init__(self, model: str, table: Entry) -> None:
        super().__init__(f"torchvision.{model}", _doc(model, table))
        self.model = model
        self.table = table

    @property
    def example(self) -> tuple[tuple[str, ...], str]:
        """Return the inputs and a node that uses the model."""
        return ("image: [3, 224, 224]",), f"{{layer: {self.name}, from: image, weights: DEFAULT}}"

    def given_options(self) -> list[OptionSpec]:
        """Return the options that a spec may give."""
        return [
            option("weights", one_of(self.table.weights) | None, None),
            option("features", FEATURES | None, None),
            option("num_classes", Positive, CLASSES),
            *(option(name, *OPTIONS[name]) for name in self.table.options),
        ]

    def lower(self, sources: Mapping[str, TensorType], options: Mapping[str, Any]) -> Lowering:
        """Return the module, alone or inside of a feature extractor, and the types of its results."""
        image = sources["input"]
        self._check_weights(options)
        check_image(image, self.name, 3)
        check_classes(options["num_classes"], self.name)
        chosen = None if options["features"] is None else features(options["features"])
        model = self._model(options, chosen)
        types = self._by_table(image, options, chosen) or results(model, sources)
        required = self._check_size(image, options, chosen)
        module, products = self._module(options, chosen, model), macs(model, sources)
        if chosen is None:
            return Lowering(types[""], module, requires=required, products=products)
        if chosen.is_one:
            (part,) = chosen.ports.values()
            read = module_call(Operand("input")).at(part)
            return Lowering(types[ONE], module, read, requires=required, products=products)
        ports = {port: Port(types[port], RESULT.at(port)) for port in chosen.ports}
        return Lowering(None, module, ports=ports, requires=required, products=products)

    def _check_weights(self, options: Mapping[str, Any]) -> None:
        """Refuse options that contradict the weights."""
        weights, classes = options["weights"], options["num_classes"]
        if weights is None:
            return
        if classes != CLASSES:
            raise OpFault(
                "bad-option",
                f"the weights {weights} are of {CLASSES} classes, not {classes}",
                option="num_classes",
                help=f"take {code(f'features: {self._vector()}')} and add a Linear, or remove weights",
            )
        pixels, wanted = options.get("image_size"), self.table.image_sizes.get(weights)
        if pixels not in (None, wanted):
            message = f"the weights {weights} are of images of {wanted} pixels a side, not {pixels}"
            help = remove("image_size")
            raise OpFault("bad-option", message, option="image_size", help=help)

    def _vector(self) -> str:
        """Return the last feature of the table, which is what the last Linear is fed."""
        return [*self.table.features][-1]

    def _pixels(self, options: Mapping[str, Any]) -> int | None:
        """Return the only size of images that the model takes; None if it takes any."""
        of_weights = self.table.image_sizes.get(options["weights"] or "")
        return options.get("image_size") or of_weights or self.table.exact

    def _check_size(
        self, image: TensorType, options: Mapping[str, Any], chosen: Features | None
    ) -> tuple[Constraint, ...]:
        """Return the constraints on the size of the image; refuse one that the model does not take.

        A feature whose size follows the image's is empty where the image is too small, and says so.
        """
        pixels = self._pixels(options)
        if pixels is not None:
            self._check_patches(options)
            other = ", or give image_size" if "image_size" in self.table.options else ""
            check_exact(image, self.name, (pixels, pixels), other)
            return ()
        parts = [""] if chosen is None else chosen.ports.values()
        shapes = (
            self.table.features.get(part, "" if part else self.table.result) for part in parts
        )
        is_pooled = any(shape and "H" not in shape for shape in shapes)
        return tuple(least(image, self.name, self.table.least)) if is_pooled else ()

    def _check_patches(self, options: Mapping[str, Any]) -> None:
        """Refuse an image_size that cannot be cut into the patches of a `vit_b_32`."""
        given = options.get("image_size")
        if given is not None and given % (patch := int(self.model.rpartition("_")[2])):
            message = f"{self.name} cuts images into patches of {patch} pixels a side"
            help = f"give a multiple of {patch}"
            raise OpFault("bad-option", message, option="image_size", help=help)

    def _by_table(
        self, image: TensorType, options: Mapping[str, Any], chosen: Features | None
    ) -> dict[str, TensorType] | None:
        """Return the results by port as the table knows them; None if it does not."""
        known = self.table.features
        names = {"": ""} if chosen is None else chosen.ports
        parts = [*names.values()]
        if any(options.get(name) for name in RESHAPING) or not {*parts} <= {"", *known}:
            return None
        if chosen is not None and self._pixels(options) != self.table.exact:
            return None
        if any(one != other and one.startswith(f"{other}.") for one in parts for other in parts):
            return None  # one may end in the other, which torchvision then does not return
        at = {**dict(zip("HW", image.dims[1:], strict=True)), "num_classes": options["num_classes"]}
        shapes = {port: known.get(part, self.table.result) for port, part in names.items()}
        if chosen is not None and chosen.is_one:
            shapes = dict(zip([ONE], shapes.values(), strict=True))
        return {
            port: image.like(*(size_at(text, at) for text in shape.split(", ")))
            for port, shape in shapes.items()
        }

    def _settings(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments of the constructor beside the weights."""
        given = {n: v for n, v in options.items() if n not in ("weights", "features")}
        return {name: value for name, value in given.items() if value is not None}

    def _model(self, options: Mapping[str, Any], chosen: Features | None) -> Model:
        """Return what torch is asked about: the model without its weights."""
        settings = {**self._settings(options), **self.table.always}
        if self.table.image_sizes:  # the weights decide it
            settings["image_size"] = self._pixels(options)
        nodes = None if chosen is None else {part: port for port, part in chosen.ports.items()}
        if chosen is not None and chosen.is_one:
            nodes = dict.fromkeys(chosen.ports.values(), ONE)
        build = partial(_build, self.model, settings, nodes)
        return Model(self.name, {**settings, "features": nodes}, build)

    def _module(self, options: Mapping[str, Any], chosen: Features | None, model: Model) -> Module:
        """Return the call that makes the model, inside of the call that takes its features."""
        weights, buffers = model.tensors()
        arguments = {"weights": options["weights"], **self._settings(options), **self.table.always}
        if options["weights"] is None:
            arguments |= self.table.anew
        if "replace_stride_with_dilation" in arguments:
            dilated = arguments["replace_stride_with_dilation"]
            arguments["replace_stride_with_dilation"] = List(tuple(map(Constant, dilated)))
        made = Module(
            *(self.model, arguments, weights, buffers),
            package="torchvision.models",
            positional=0,
            layers=model.layers(),
        )
        if chosen is None:
            return made
        return Module(
            "create_feature_extractor" if len(chosen.ports) == 1 else "_features",
            {"model": made, "return_nodes": _returned(chosen.ports)},
            *(weights, buffers),
            package="",
            positional=2,
            layers=made.layers,
        )


def _doc(model: str, table: Entry) -> str:
    """Return the shape rule of a model, its weights and the features that the table knows."""
    shape = ", ".join(("N", *table.result.split(", ")))
    pixels = "" if table.exact is None else f" It takes images of {table.exact} pixels a side."
    return (
        f"The classifier of images {model} of torchvision: (N, 3, H, W) -> ({shape}).\n\n"
        f"Its `weights` are {', '.join(table.weights)}; without them it starts anew.{pixels}"
        " `features: NAME` gives what a part of it returns instead, `features: [NAME, ...]` or"
        f" `{{port: NAME}}` the results of several as ports; the parts: {', '.join(table.features)}."
    )


def _returned(ports: Mapping[str, str]) -> List | Dict:
    """Return the names of the features as torchvision takes them: a list, or a dict of other names."""
    if all(port == part for port, part in ports.items()):
        return List(tuple(map(Constant, ports.values())))
    return Dict(tuple((part, Constant(port)) for port, part in ports.items()))


def _build(
    model: str, settings: Mapping[str, Any], returned: Mapping[str, str] | None
) -> nn.Module:
    """Return the model without weights, alone or inside of a feature extractor."""
    whole: nn.Module = import_module("torchvision.models").get_model(
        model, weights=None, **settings
    )
    if returned is None:
        return whole
    extraction = import_module("torchvision.models.feature_extraction")
    _, nodes = extraction.get_graph_node_names(whole)
    for part in returned:
        _check_part(model, part, nodes)
    found: nn.Module = extraction.create_feature_extractor(whole, {**returned})
    return found


def _check_part(model: str, part: str, nodes: Sequence[str]) -> None:
    """Refuse a feature that the model does not have."""
    if any(f"{node}.".startswith(f"{part}.") for node in nodes):
        return
    table = entry(model)
    near = nearest(part, [*(table.features if table else ()), *nodes])
    message = f"torchvision.{model} has no part {part!r}"
    help = did_you_mean(near) if near else f"mimgraph layers torchvision.{model} lists them"
    raise OpFault("bad-option", message, option="features", help=help)


FILE = Path(__file__).with_name("torchvision_models.json")


@dataclass(frozen=True, slots=True)
class Entry:
    """What the table says about a classifier.

    `weights` has the file of each, `options` are those of its constructor that a spec may give,
    `always` the arguments that are always given, and `anew` those without weights. It takes images of `exact` pixels a side, or of
    `least` pixels at least. The `result` and the `features` are shapes in H, W and num_classes.
    `image_sizes` has the pixels a side for each of its weights, if it has an option for them.
    """

    weights: Mapping[str, str]
    result: str
    features: Mapping[str, str]
    options: tuple[str, ...] = ()
    always: Mapping[str, Any] = field(default_factory=dict)
    anew: Mapping[str, Any] = field(default_factory=dict)
    exact: int | None = None
    least: int = 1
    image_sizes: Mapping[str, int] = field(default_factory=dict)


@cache
def _table() -> Mapping[str, Any]:
    table: Mapping[str, Any] = json.loads(FILE.read_bytes())
    return table


def release() -> tuple[int, ...]:
    """Return the release of torchvision that the table is of."""
    return tuple(map(int, _table()["torchvision"].split(".")))


def models() -> list[str]:
    """Return the names of the classifiers."""
    return [*_table()["models"]]


@cache
def entry(model: str) -> Entry | None:
    """Return what the table says about a classifier; None for a model that it does not have."""
    found = _table()["models"].get(model)
    return None if found is None else Entry(**{**found, "options": tuple(found.get("options", ()))})
