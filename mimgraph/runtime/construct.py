"""Make the module of a graph, and say at a node of it what stopped that."""

from __future__ import annotations

from collections.abc import Iterator
from types import TracebackType

from torch import nn

from mimgraph.diagnostics import Diagnostic, SpecError
from mimgraph.emit.source_map import excerpts
from mimgraph.ir.typed_graph import TypedGraph
from mimgraph.runtime.error_notes import explain_failures
from mimgraph.runtime.places import Place, places
from mimgraph.support.offline import MissingFile, as_asked, missing_file


def construct(cls: type[nn.Module], graph: TypedGraph) -> nn.Module:
    """Return the module of a graph's class, made without the network if the environment asks for that;
    errors in its calls name the node that failed.

    A `SpecError` says at the node which file is missing; any other error has a note with the node.
    """
    try:
        with as_asked():
            return explain_failures(cls(), graph)
    except Exception as error:
        path, place = _node(graph, [*_lines(error.__traceback__, cls.__module__)])
        if place is not None:
            missing = missing_file(error)
            if missing is not None:
                raise SpecError([_fault(missing, path, place)]) from error
            error.add_note(f"in node {path} {place.text}")
        raise


def _fault(missing: MissingFile, path: str, place: Place) -> Diagnostic:
    """Return the fault of a file that is not on this machine."""
    message = f"{missing.name} is not on this machine"
    note = f"it was looked for in {missing.place}"
    return Diagnostic("missing-weights", message, place.span, note, (), missing.help, path)


def _lines(traceback: TracebackType | None, file: str) -> Iterator[int]:
    """Yield the lines of the emitted file that ran, the outer ones first."""
    while traceback is not None:
        if traceback.tb_frame.f_globals.get("__name__") == file:
            yield traceback.tb_lineno
        traceback = traceback.tb_next


def _node(graph: TypedGraph, lines: list[int]) -> tuple[str, Place | None]:
    """Return the innermost node that one of the lines makes, with its place; None if there is none."""
    known, path = dict(places(graph.body)), ""
    code = excerpts(graph)
    for line in lines:
        within = [
            (one.last_line - one.first_line, len(id_), id_)
            for id_, found in code.items()
            for one in found
            if one.place.endswith(".__init__")
            and one.first_line <= line <= one.last_line
            and f"{id_}.".startswith(f"{path}." if path else "")
            and id_ in known
        ]
        path = min(within)[2] if within else path
    return path, known.get(path)
