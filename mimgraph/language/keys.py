"""The keys of a spec, as keys.yaml explains them: `mimgraph layers KEY`, the JSON Schema and the manual show
these texts."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from mimgraph.diagnostics.codes import DiagnosticCode


class Refused(NamedTuple):
    """A wrong spec, the code of its only diagnostic, and the message."""

    code: DiagnosticCode
    message: str
    spec: str


class Key(NamedTuple):
    """The meaning of a key, its type and default (with code in backticks), the page of `docs/language/` that
    explains it, a spec that has it, what it refuses, and the other files that the spec needs."""

    about: str
    type: str
    default: str
    page: str
    example: str
    refused: Refused
    files: Mapping[str, str] = {}


def _read() -> tuple[dict[str, Key], dict[str, Key]]:
    text = Path(__file__).with_name("keys.yaml").read_text(encoding="utf-8")
    data = yaml.load(text, yaml.CSafeLoader)

    def key(entry: dict[str, Any]) -> Key:
        example, refused = data["examples"][entry["example"]], Refused(**entry["refused"])
        return Key(**{**entry, "example": example, "refused": refused})

    keys, options = data["keys"], data["options"]
    return {name: key(keys[name]) for name in keys}, {name: key(options[name]) for name in options}


KEYS, OPTIONS = _read()  # OPTIONS are those that several layers, merges or tensors have
EVERY_KEY = {**KEYS, **OPTIONS}
