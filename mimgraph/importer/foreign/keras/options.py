"""Read the options of a layer, and refuse a value of a wrong type with a diagnostic."""

from __future__ import annotations

from math import isfinite
from typing import Any, NamedTuple, NoReturn

from mimgraph.diagnostics.codes import DiagnosticCode
from mimgraph.importer.foreign.keras.faults import Config

MOST = 1 << 40  # a larger whole number is a mistake


class Layer(NamedTuple):
    """A layer or an operation of a model, as the file has it."""

    name: str
    kind: str  # the name of its class
    module: str
    options: dict[str, Any]
    built: dict[str, Any]  # what it was built with, such as `input_shape`
    entry: dict[str, Any]
    file: Config

    @property
    def is_operation(self) -> bool:
        """Whether it is a function of `keras.ops`, which has no weights."""
        return ".ops." in self.module or self.module.endswith(".ops")

    @property
    def is_keras(self) -> bool:
        """Whether Keras itself has the class."""
        return self.module.partition(".")[0] == "keras"

    def refuse(self, code: DiagnosticCode, message: str, help: str = "") -> NoReturn:
        """Raise a `SpecError` at the layer."""
        self.file.refuse(code, f"{self.kind} {self.name}: {message}", self.name, help)

    def integer(self, key: str, default: int | None = None) -> int:
        """Return a whole number."""
        value = self._given(key, default)
        if type(value) is not int or abs(value) > MOST:
            self.refuse("wrong-type", f"{key} must be a whole number")
        return value

    def number(self, key: str, default: float | None = None) -> float:
        """Return a finite number."""
        value = self._given(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
            self.refuse("wrong-type", f"{key} must be a finite number")
        return value

    def flag(self, key: str, default: bool = False) -> bool:
        """Return true or false."""
        value = self._given(key, default)
        if not isinstance(value, bool):
            self.refuse("wrong-type", f"{key} must be true or false")
        return value

    def text(self, key: str, default: str | None = None) -> str:
        """Return a text."""
        value = self._given(key, default)
        if not isinstance(value, str):
            self.refuse("wrong-type", f"{key} must be a text")
        return value

    def sizes(self, key: str, count: int, default: int | None = None) -> list[int]:
        """Return `count` whole numbers, one an axis; the file may have one number for all."""
        value = self._given(key, default)
        value = value if isinstance(value, list) else [value] * count
        return self._integers(key, value, count)

    def integers(self, key: str) -> list[int]:
        """Return a list of whole numbers, of any length; one number is a list of one."""
        value = self._given(key)
        return self._integers(key, value if isinstance(value, list) else [value], None)

    def _integers(self, key: str, value: list[Any], count: int | None) -> list[int]:
        fits = all(type(item) is int and abs(item) <= MOST for item in value)
        if not fits or count not in (None, len(value)):
            many = "whole numbers" if count is None else f"{count} whole numbers"
            self.refuse("wrong-type", f"{key} must be {many}")
        return value

    def _given(self, key: str, default: Any = None) -> Any:
        value = self.options.get(key)
        value = default if value is None else value
        if value is None:
            self.refuse("missing-key", f"it has no {key}")
        return value
