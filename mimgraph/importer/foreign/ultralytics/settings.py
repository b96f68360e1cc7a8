"""Read what the file says of the whole model: its scale, classes, channels and activation."""

from __future__ import annotations

import ast
import math
import re
from pathlib import PurePath
from typing import Any, NamedTuple

from mimgraph.importer.foreign.located import Located, refuse
from mimgraph.importer.foreign.ultralytics.arguments import LARGEST
from mimgraph.ops.registry import find

MAX_NAME = 100
SCALED_NAME = re.compile(r"(yolo(?:e-)?v?\d+)([nslmx]?)(?![a-z0-9])(.*)", re.DOTALL)


class Settings(NamedTuple):
    """What holds for all rows; `scale` is its name, "" if the file has no scales."""

    scale: str
    depth: float
    width: float
    max_channels: float
    channels: int
    reg_max: int
    end2end: bool
    activation: Any  # as a spec has it
    names: dict[str, Any]  # what the arguments of a row may refer to

    def scaled(self, channels: float) -> int:
        """Return a number of channels at this scale: a multiple of 8."""
        return math.ceil(min(channels, self.max_channels) * self.width / 8) * 8

    def repeated(self, times: int) -> int:
        """Return a number of repeats at this scale."""
        return max(round(times * self.depth), 1) if times > 1 else times


def read_settings(data: Located, path: str, scale: str | None) -> Settings:
    """Return the settings of a file; its scale is `scale`, else the one in the file, else that in its
    name, else the first."""
    name, depth, width, max_channels = _scale(data, path, scale)
    kpt_shape = data.get("kpt_shape")
    names = {
        "nc": _number(data, "nc", 80, int),
        "kpt_shape": kpt_shape.plain() if kpt_shape else 1.0,
        "reg_max": _number(data, "reg_max", 16, int),
    }
    end2end = data.get("end2end")
    return Settings(
        *(name, depth, width, max_channels),
        channels=_number(data, "channels", _number(data, "ch", 3, int), int),
        reg_max=names["reg_max"],
        end2end=bool(end2end and end2end.value),
        activation=_activation(data.get("activation")),
        names=names,
    )


def model_name(path: str, scale: str) -> str:
    """Return the name of a model's class: `Yolov8nSeg` for yolov8-seg.yaml at the scale n."""
    stem = PurePath(path).stem
    if scale and (match := SCALED_NAME.fullmatch(stem)):
        stem = match[1] + scale + match[3]
    name = "".join(part[:1].upper() + part[1:] for part in re.split(r"[^A-Za-z0-9]+", stem))
    return name if name.isidentifier() and len(name) <= MAX_NAME else "Model"


def _scale(data: Located, path: str, scale: str | None) -> tuple[str, float, float, float]:
    scales = data.get("scales")
    if scales is None or not scales.value:
        if scale:
            refuse("bad-option", f"the file has no scales, so not {scale!r}", data.span)
        depth, width = (_number(data, f"{one}_multiple", 1.0, float) for one in ("depth", "width"))
        return "", depth, width, math.inf
    scales.of(dict, "scales must be a mapping from a name to [depth, width, max_channels]")
    inside, match = data.get("scale"), SCALED_NAME.match(PurePath(path).stem)
    name = scale or (str(inside.value) if inside and inside.value else "")
    name = (
        name or (match[2] if match and match[2] in scales.value else "") or next(iter(scales.value))
    )
    row = scales.get(name)
    if row is None:
        refuse(
            "bad-option",
            f"the file has no scale {name!r}",
            scales.span,
            "one of " + ", ".join(scales.value),
        )
    row.of(tuple, f"scale {name} must be [depth, width, max_channels]")
    if len(row.value) != 3:
        refuse("wrong-type", f"scale {name} must be [depth, width, max_channels]", row.span)
    depth, width, most = (_checked(one, f"a number of scale {name}", float) for one in row.items)
    return name, depth, width, most


def _number(data: Located, key: str, default: Any, kind: type) -> Any:
    found = data.get(key)
    return default if found is None or found.value is None else _checked(found, key, kind)


def _checked(found: Located, what: str, kind: type) -> Any:
    word = "a whole number" if kind is int else "a number"
    found.of((int, float) if kind is float else int, f"{what} must be {word}")
    if not 0 < found.value <= LARGEST:
        refuse("bad-option", f"{what} must be above 0, and at most {LARGEST:,}", found.span)
    return found.value


def _activation(found: Located | None) -> Any:
    """Return the activation that a text such as `nn.LeakyReLU(0.1)` names; nothing of it is run."""
    if found is None or not found.value:
        return "SiLU"
    text = str(found.of(str, "activation must be a text, such as nn.ReLU()").value)
    try:
        call = ast.parse(text[:MAX_NAME].strip(), mode="eval").body
        assert isinstance(call, ast.Call)
        name = ast.unparse(call.func).removeprefix("torch.")
        given = [ast.literal_eval(one) for one in call.args]
        named = {one.arg: ast.literal_eval(one.value) for one in call.keywords if one.arg}
    except (AssertionError, ValueError, SyntaxError, MemoryError, RecursionError):
        refuse("bad-option", "activation must be a call, such as nn.ReLU()", found.span)
    op = find("layer", name.removeprefix("nn."))
    if op is None or not name.startswith("nn.") or len(given) > len(op.options):
        refuse("unknown-layer", f"there is no activation {name:.40}", found.span)
    options = {**dict(zip(op.options, given, strict=False)), **named}
    options.pop("inplace", None)
    return {op.name: options} if options else op.name
