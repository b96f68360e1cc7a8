"""Read a model file by the importer of a plugin: a function of the path that returns a spec or a graph."""

from __future__ import annotations

from pathlib import Path

from mimgraph.diagnostics import Diagnostic, SpecError
from mimgraph.importer.foreign.model import ForeignModel
from mimgraph.source import SourceFile
from mimgraph.support.plugins import OURS, BrokenPlugin, Plugin, cannot, load, plugin


def read_by_plugin(file: Path) -> ForeignModel | None:
    """Return the model in a file whose ending is that of a plugin; None if there is no such plugin.

    A `SpecError` says why the plugin cannot be used; a `ValueError` of the plugin says what is wrong
    with the file.
    """
    ending = file.suffix.lower().removeprefix(".")
    if ending in ("", *OURS["importers"]):
        return None
    try:
        found = plugin("importers", ending)
        return None if found is None else _read(found, file)
    except BrokenPlugin as broken:
        place = SourceFile(str(file), "").start
        fault = Diagnostic("broken-plugin", broken.message, place, broken.note, help=broken.help)
        raise SpecError([fault]) from broken.__cause__


def _read(found: Plugin, file: Path) -> ForeignModel:
    """Return what the function of a plugin makes of a file."""
    function = load(found)
    if not callable(function):
        raise cannot(found, f"is {type(function).__name__}, not a function of a path")
    try:
        given = function(file)
    except (ValueError, OSError):
        raise
    except Exception as error:
        raise cannot(found, f"cannot read {file}", error) from error
    spec, state = given if isinstance(given, tuple) and len(given) == 2 else (given, None)
    to_dict = getattr(spec, "to_dict", None)
    if to_dict is not None:  # a graph
        spec = to_dict()
    if not isinstance(spec, dict):
        raise cannot(found, f"returns {type(spec).__name__}, not a spec as a dict, or a graph")
    return ForeignModel(spec, state, {}, plugin=found.origin)
