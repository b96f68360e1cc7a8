"""Give the params of a graph other values, without reading its text again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mimgraph.diagnostics import Report
from mimgraph.infer.search import settled
from mimgraph.ir.declared_graph import Graph
from mimgraph.ir.declared_values import Option
from mimgraph.language.reader.context import Context
from mimgraph.language.reader.params import given_option
from mimgraph.language.spec_file import LoadedSpec, UnknownParams, checked
from mimgraph.language.yaml_tree.tree import Scalar


def with_params(declared: Graph, values: Mapping[str, Any]) -> LoadedSpec:
    """Return the graph at these values; its other params have theirs, and no search is left."""
    unknown = [name for name in values if name not in declared.params]
    if unknown:
        raise UnknownParams(unknown, declared)
    report = Report()
    context = Context(report, declared.origin)
    given: dict[str, Option] = {}
    for name, value in values.items():
        option = declared.params[name]
        key = Scalar(name, option.key, name, plain=True)
        given[name] = given_option(context, key, option, value)
    return checked(settled(declared, given, [*declared.spaces]), report)
