"""Load the graphs that a command names, from specs with the params of `--set` or from Python code."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

from mimgraph.cli.errors import CallError
from mimgraph.cli.settings import read_settings
from mimgraph.cli.user_models import ModelOptions, import_model, user_code
from mimgraph.declare.tree import MAX_BYTES
from mimgraph.diagnostics import Diagnostic, SpecError
from mimgraph.diagnostics.render import visible
from mimgraph.graph import Graph, load, loads
from mimgraph.language.spec_file import UnknownParams, load_bytes
from mimgraph.support.progress import progress


def load_graph(path: str, settings: Sequence[str], options: ModelOptions) -> Graph:
    """Return the graph of a file, of standard input if the path is `-`, or of Python code."""
    with _call_errors(path):
        return _loader(path, options)(params=_values(settings))


def load_with_sizes(
    path: str, settings: Sequence[str], options: ModelOptions
) -> tuple[Graph, dict[str, Any]]:
    """Return a graph, and the settings that name sizes of its inputs instead of params."""
    values = _values(settings)
    with _call_errors(path):
        load = _loader(path, options)
        try:
            return load(params=values), {}
        except UnknownParams as error:
            if not set(error.names) <= set(error.sizes):
                raise CallError(error.with_sizes()) from None
            sizes = {name: values.pop(name) for name in error.names}
            return load(params=values), sizes


def load_both(
    old: str, new: str, settings: Sequence[str], options: ModelOptions
) -> dict[str, Graph]:
    """Return two graphs by their paths; a setting names a param of one of them or of both."""
    graphs: dict[str, Graph] = {}
    faults: list[Diagnostic] = []
    values = _values(settings)
    unknown = set(values)
    for path in dict.fromkeys((old, new)):
        try:
            graphs[path], others = _load_with_known(path, values, options)
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


def _load_with_known(
    path: str, values: dict[str, Any], options: ModelOptions
) -> tuple[Graph, set[str]]:
    """Return a graph with values for the params that it has, and the names of the other values."""
    with _call_errors(path):
        load = _loader(path, options)
        try:
            return load(params=values), set()
        except UnknownParams as error:
            known = {name: value for name, value in values.items() if name not in error.names}
            return load(params=known), set(error.names)


def _loader(path: str, options: ModelOptions) -> Callable[..., Graph]:
    """Return a function that loads the graph for given params; standard input is read once, and Python
    code run once, here."""
    return progress("reading the spec")(_open(path, options))


def _open(path: str, options: ModelOptions) -> Callable[..., Graph]:
    if not path:
        raise CallError("the path of the spec is empty")
    if path == "-":
        data = sys.stdin.buffer.read(MAX_BYTES + 1)
        return lambda params: Graph._of(load_bytes, data, params, "<stdin>")
    wanted = user_code(path)
    if wanted is None:
        return partial(load, path)
    made = import_model(wanted, options)
    return partial(_with_params, made if isinstance(made, Graph) else made.graph, str(wanted))


def _with_params(graph: Graph, name: str, params: dict[str, Any]) -> Graph:
    """Return the graph of Python code with values for its params; a graph loaded from a spec may have some."""
    return loads(graph.dumps(), params, name) if params else graph


def _values(settings: Sequence[str]) -> dict[str, Any]:
    return read_settings("--set", "PARAM=VALUE", settings)


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
