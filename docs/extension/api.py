"""Make the pages of the Python API from the docstrings and signatures of the public names.

The pages are Markdown with directives of Sphinx's Python domain, and not autodoc's: docstrings here are
Markdown, and the sources of pages are given to language models.
"""

from __future__ import annotations

import dataclasses
import inspect
import re
from collections.abc import Iterator
from functools import cached_property
from typing import Any, NamedTuple

import mimgraph as mg
from extension.docstrings import markdown, text_of
from extension.page import Page
from mimgraph.carried import Carried
from mimgraph.compare.review import Review
from mimgraph.compare.weights.report import CarryReport
from mimgraph.diagnostics import Diagnostic, Label
from mimgraph.graph import Stage
from mimgraph.imported import Imported
from mimgraph.importer.report.remarks import Remark
from mimgraph.importer.report.report import ImportReport
from mimgraph.inspection.ends import GraphInput, GraphOutput
from mimgraph.inspection.facts import Edge, Edges
from mimgraph.inspection.nodes import Node, Nodes, Origin
from mimgraph.ir.types import Constraint, Shape, TensorType
from mimgraph.language.edit.spec_editor import SpecEditor
from mimgraph.runtime.weight_transfer.transfer import Transfer
from mimgraph.runtime.weights import LoadedWeights
from mimgraph.source import Span
from mimgraph.summary.summary import Summary


class Part(NamedTuple):
    """A page: its file, title and introduction, public functions and classes, and records that they return."""

    file: str
    title: str
    text: str
    names: tuple[str, ...] = ()
    records: tuple[type, ...] = ()


PARTS = (
    Part(
        "loading",
        "Load and compare graphs",
        "A graph comes from a file, a text, plain data, an existing module, or a trial of a search. The class is "
        "[Graph](graph.md).",
        ("load", "loads", "from_dict", "from_module", "diff", "carry", "sample"),
    ),
    Part(
        "building",
        "Build graphs in Python",
        "As with Keras: an input is a handle, a layer that is called on handles returns one, and a graph is "
        "made of its outputs. [The language in Python](../language/python.md) shows how they go together.",
        (
            "Input",
            "Output",
            "training_only",
            "Graph",
            "Model",
            "Sequential",
            "block",
            "Parameter",
            "Buffer",
            "arange",
            "zeros",
            "ones",
            "random",
            "Tensor",
        ),
    ),
    Part(
        "graph",
        "Graph",
        "What `mg.load`, `mg.Graph` and `mg.Model` return. A graph is a value: what changes it returns a new "
        "one, and equal graphs have equal hashes.",
    ),
    Part(
        "editing",
        "Change specs in files",
        "`mg.edit` opens a spec, and its methods change the text where it must change. "
        "[Change a spec by program](../how-to/change-a-spec.md) shows how.",
        ("edit",),
        (SpecEditor,),
    ),
    Part(
        "modules",
        "Modules and weights",
        "`graph.compile()` returns an `nn.Module`. These take one, or make one a layer.",
        ("load_model", "positional", "register"),
    ),
    Part(
        "records",
        "What graphs return",
        "Frozen records that functions and attributes of a graph return. Nobody makes them by hand.",
        (),
        (
            Node,
            Nodes,
            GraphInput,
            GraphOutput,
            Edge,
            Edges,
            TensorType,
            Shape,
            Constraint,
            Summary,
            Review,
            Carried,
            CarryReport,
            LoadedWeights,
            Transfer,
            Stage,
            Imported,
            ImportReport,
            Remark,
        ),
    ),
    Part(
        "errors",
        "Errors",
        "A wrong spec raises `SpecError`, a `ValueError`, which holds every fault. A wrong argument of a "
        "function raises a `TypeError` or `ValueError`; its traceback ends at your line.",
        ("SpecError",),
        (Diagnostic, Label, Span, Origin),
    ),
)
GRAPH = {
    "Look inside": "name inputs nodes outputs edges shapes constraints blocks warnings __getitem__ "
    "summary to_networkx",
    "Search": "space with_params",
    "Train and limit": "parameter_groups limits",
    "Draw": "draw show scene",
    "Make a module": "compile source",
    "Weights": "save load_weights load_state",
    "Change": "replace with_options rewire insert remove rename map upto",
    "Use in another graph": "__call__ as_layer",
    "Write as a spec": "dump dumps to_dict",
    "Export and split": "dynamic_shapes split",
}
# members that other parts of mimgraph call
INTERNAL = {
    mg.Tensor: "typed apply_layer",
    mg.Sequential: "option_sources loop apply_to given type_call claim",
    TensorType: "has_moved_batch with_batch_at without_axis with_axis in_shape like cast is_alike past key",
    ImportReport: "comments",
    Remark: "span",
    Diagnostic: "brief",
}
# these have pages of their own
ELSEWHERE = {"layers": "../layers/index.md", "merges": "../merges/index.md"}


def pages() -> Iterator[Page]:
    """Yield the index and the pages of the API; every public name must be on one."""
    _check_complete()
    yield Page.of("python/index.md", _index())
    for part in PARTS:
        things = [_described(name, getattr(mg, name)) for name in part.names if name != "Graph"]
        things += [_described(record.__name__, record) for record in part.records]
        if part.file == "graph":
            things = [*_graph()]
        head = f"# {part.title}\n\n{part.text}\n\n```{{py:currentmodule}} mimgraph\n```\n"
        yield Page.of(f"python/{part.file}.md", "\n".join([head, *things]))


def _check_complete() -> None:
    shown = {name for part in PARTS for name in part.names} | {*ELSEWHERE}
    lost = {*mg.__all__} ^ shown
    assert not lost, f"not in PARTS of docs/extension/api.py, or not public: {lost}"
    members = {name for name in dir(mg.Graph) if not name.startswith("_")}
    listed = {name for names in GRAPH.values() for name in names.split()}
    lost = members ^ {name for name in listed if not name.startswith("_")}
    assert not lost, f"not in GRAPH of docs/extension/api.py, or not public: {lost}"


def _index() -> str:
    """Return the table of all names, by page."""
    parts = [INTRODUCTION]
    for part in PARTS:
        rows = [(name, f"mg.{name}", text_of(getattr(mg, name))) for name in part.names]
        rows += [(one.__name__, one.__name__, text_of(one)) for one in part.records]
        if part.file == "graph":
            rows = [
                (f"Graph.{name}", f"graph.{name}", text_of(inspect.getattr_static(mg.Graph, name)))
                for names in GRAPH.values()
                for name in names.split()
                if not name.startswith("_")
            ]
        parts.append(
            f"## [{part.title}]({part.file}.md)\n\n| name | what it does or is |\n| --- | --- |"
        )
        for name, shown, text in rows:
            parts[-1] += f"\n| {{py:obj}}`{shown} <mimgraph.{name}>` | {_first(text)} |"
    for name, page in ELSEWHERE.items():
        parts.append(f"## [{name.capitalize()}]({page})\n\n{text_of(getattr(mg, name))}")
    toc = "\n".join(part.file for part in PARTS)
    return "\n\n".join([*parts, f"```{{toctree}}\n:hidden:\n{toc}\n```"]) + "\n"


def _first(text: str) -> str:
    """Return the first sentence of a docstring for a cell of a table."""
    paragraph = " ".join(text.split("\n\n")[0].split())
    sentence = re.split(r"(?<=[.;:]) ", paragraph)[0].rstrip(".;:")
    return sentence.replace("|", r"\|") + "."


def _graph() -> Iterator[str]:
    """Yield the members of `Graph` below their headings."""
    yield _directive("class", f"Graph{_parameters(mg.Graph)}", text_of(mg.Graph))
    for title, names in GRAPH.items():
        yield f"## {title}\n"
        for name in names.split():
            yield _member("Graph", name, inspect.getattr_static(mg.Graph, name))


def _described(name: str, thing: Any) -> str:
    """Return a function, or a class with its public members."""
    if not inspect.isclass(thing):
        return _directive("function", f"{name}{_parameters(thing)}", text_of(thing))
    made_by_users = name in mg.__all__ and name not in ("Tensor", "SpecError")
    signature = f"{name}{_parameters(thing)}" if made_by_users else name
    fields = _fields(thing)
    members = [
        _member(name, member, inspect.getattr_static(thing, member), listed=name in mg.__all__)
        for member in _members(thing)
        if member not in fields
    ]
    return "\n".join([_directive("class", signature, text_of(thing) + _table(fields)), *members])


def _members(thing: type) -> Iterator[str]:
    """Yield the public members of a class with docstrings, in the order of the code."""
    seen: dict[str, None] = {}
    for base in thing.__mro__[::-1]:
        if base.__module__.startswith("mimgraph") and (base is not mg.Graph or thing is base):
            seen |= dict.fromkeys(name for name in vars(base) if not name.startswith("_"))
    internal = INTERNAL.get(thing, "").split()
    for name in seen:
        member = inspect.getattr_static(thing, name)
        is_method = callable(member) or isinstance(member, property | cached_property)
        if is_method and text_of(member) and name not in internal:
            yield name


def _fields(thing: type) -> dict[str, str]:
    """Return the fields of a record with their types."""
    if dataclasses.is_dataclass(thing):
        found = {one.name: one.type for one in dataclasses.fields(thing)}
    else:
        found = {name: thing.__annotations__[name] for name in getattr(thing, "_fields", ())}
    return {name: str(type_) for name, type_ in found.items() if not name.startswith("_")}


def _table(fields: dict[str, str]) -> str:
    if not fields:
        return ""
    types = {name: type_.replace("|", r"\|") for name, type_ in fields.items()}
    rows = "\n".join(f"| `{name}` | `{type_}` |" for name, type_ in types.items())
    return f"\n| field | type |\n| --- | --- |\n{rows}\n"


def _member(owner: str, name: str, thing: Any, listed: bool = True) -> str:
    """Return a method, or an attribute with its type; the contents of the page list it or do not."""
    options = "" if listed else ":no-contents-entry:\n"
    if isinstance(thing, property | cached_property):
        get = thing.fget if isinstance(thing, property) else thing.func
        options += f":type: {inspect.signature(get).return_annotation}\n"
        return _directive("attribute", f"{owner}.{name}", text_of(thing), options)
    plain = getattr(thing, "__func__", thing)
    signature = f"{owner}.{name}{_parameters(plain, True)}"
    return _directive("method", signature, text_of(plain), options)


def _parameters(thing: Any, is_method: bool = False) -> str:
    """Return the signature as it is written, with the names of the types."""
    signature = inspect.signature(thing)
    parameters = [*signature.parameters.values()][is_method:]
    signature = signature.replace(parameters=parameters)
    if inspect.isclass(thing):
        signature = signature.replace(return_annotation=signature.empty)
    return _unquoted(str(signature))


def _unquoted(signature: str) -> str:
    """Return a signature whose annotations are not in quotes, as they are under `from __future__`."""
    return re.sub(r"(: |-> )('|\")(.*?)\2(?=[,)=]| =|$)", r"\1\3", signature)


def _directive(kind: str, signature: str, text: str, options: str = "") -> str:
    """Return a directive of the Python domain around a docstring."""
    text = _linked(markdown(text))
    if kind == "attribute":
        text = re.sub(r"^Return (?:the )?", lambda _: "The " if "the" in _[0] else "", text)
        text = f"{text[0].upper()}{text[1:]}"
    return f"````{{py:{kind}}} {signature}\n{options}\n{text}````\n"


def _linked(text: str) -> str:
    """Return a text with a link at each public name in backticks: `mg.Input`, `Graph.draw`."""
    names = "|".join(mg.__all__)
    text = re.sub(
        rf"(?<!`)`mg\.({names})`(?!`)",
        lambda m: m[0] if m[1] in ELSEWHERE else f"{{py:obj}}`mg.{m[1]} <mimgraph.{m[1]}>`",
        text,
    )
    return re.sub(
        r"(?<!`)`(?:graph|Graph)\.(\w+)(?:\(\))?`(?!`)",
        lambda m: (
            f"{{py:obj}}`graph.{m[1]} <mimgraph.Graph.{m[1]}>`" if hasattr(mg.Graph, m[1]) else m[0]
        ),
        text,
    )


INTRODUCTION = """\
# Python API

```{py:module} mimgraph
```

```python
import mimgraph as mg
from mimgraph import layers, merges
```

Names that are not on these pages are not public, and may change. Every function checks its arguments, and its
traceback ends at your line."""
