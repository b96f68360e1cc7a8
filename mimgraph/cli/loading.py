"""Load the graphs that a command names, with the params that `--set` gives."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

from mimgraph.cli.errors import CallError
from mimgraph.diagnostics import Diagnostic, SpecError
from mimgraph.diagnostics.render import visible
from mimgraph.graph import Graph, load, load_bytes
from mimgraph.language.reader.spec import read_value
from mimgraph.language.spec_file import UnknownParams
from mimgraph.language.yaml_tree.limits import MAX_BYTES


def load_graph(path: str, settings: Sequence[str]) -> Graph:
    """Return the graph of a file, or of standard input if the path is `-`."""
    with _call_errors(path):
        return _loader(path)(params=_values(settings))


def load_with_sizes(path: str, settings: Sequence[str]) -> tuple[Graph, dict[str, Any]]:
    """Return a graph, and the settings that name sizes of its inputs instead of params."""
    values = _values(settings)
    with _call_errors(path):
        load = _loader(path)
        try:
            return load(params=values), {}
        except UnknownParams as error:
            if not set(error.names) <= set(error.sizes):
                raise CallError(error.with_sizes()) from None
            sizes = {name: values.pop(name) for name in error.names}
            return load(params=values), sizes


def load_both(old: str, new: str, settings: Sequence[str]) -> dict[str, Graph]:
    """Return two graphs by their paths; a setting names a param of one of them or of both."""
    graphs: dict[str, Graph] = {}
    faults: list[Diagnostic] = []
    unknown = set(_values(settings))
    for path in dict.fromkeys((old, new)):
        try:
            graphs[path], others = _load_with_known(path, _values(settings))
            unknown &= others
        except SpecError as error:
            faults += error.diagnostics
    if faults:
        raise SpecError(faults)
    if unknown:
        known = (
            f"{path} has {', '.join(g.typed.body.params) or 'none'}" for path, g in graphs.items()
        )
        raise CallError(f"no param is called {min(unknown)!r}: {', '.join(known)}")
    return graphs


def _load_with_known(path: str, values: dict[str, Any]) -> tuple[Graph, set[str]]:
    """Return a graph with values for the params that it has, and the names of the other values."""
    with _call_errors(path):
        load = _loader(path)
        try:
            return load(params=values), set()
        except UnknownParams as error:
            known = {name: value for name, value in values.items() if name not in error.names}
            return load(params=known), set(error.names)


def _loader(path: str) -> Callable[..., Graph]:
    """Return a function that loads the graph for given params; standard input is read once,
    here."""
    if path == "-":
        return partial(load_bytes, sys.stdin.buffer.read(MAX_BYTES + 1), name="<stdin>")
    return partial(load, path)


@contextmanager
def _call_errors(path: str) -> Iterator[None]:
    """Turn the errors of a file that cannot be opened, and of a wrong param, into a `CallError`."""
    try:
        yield
    except OSError as error:
        raise CallError(f"cannot read {visible(path)}: {error.strerror or error}") from None
    except SpecError:
        raise
    except ValueError as error:
        raise CallError(str(error)) from None


def _values(settings: Sequence[str]) -> dict[str, Any]:
    """Return the values of `--set hidden=128` by name, each read as YAML."""
    found: dict[str, Any] = {}
    for setting in settings:
        name, equals, text = setting.partition("=")
        if not equals:
            raise CallError(f"--set takes PARAM=VALUE, not {setting!r}")
        try:
            found[name] = read_value(text, f"--set {name}")
        except SpecError as error:
            raise CallError(str(error)) from None
    return found
