"""Read the values of options such as `--set hidden=128`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mimgraph.cli.errors import CallError, WrongValue
from mimgraph.diagnostics import SpecError
from mimgraph.language.read_spec import read_value


def read_settings(option: str, form: str, texts: Sequence[str]) -> dict[str, Any]:
    """Return the values of an option that may be given several times, by name, each read as YAML."""
    found: dict[str, Any] = {}
    for given in texts:
        name, equals, text = given.partition("=")
        if not equals:
            raise CallError(f"{option} takes {form}, not {given!r}")
        try:
            found[name] = read_value(text, f"{option} {name}")
        except SpecError as error:
            raise WrongValue(error) from None
    return found
