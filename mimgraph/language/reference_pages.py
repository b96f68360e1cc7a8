"""Lay out the pages of ops, keys and options, and their lists, for the terminal."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from shlex import quote
from typing import Any, NamedTuple

from mimgraph.diagnostics.nearest import suggestion
from mimgraph.diagnostics.text import unmarked
from mimgraph.ir.option_types import describe as describe_type
from mimgraph.language.keys import EVERY_KEY, KEYS
from mimgraph.language.reference import (
    KINDS,
    bare_keys,
    bare_option,
    data,
    default,
    every_op,
    explained,
    inputs,
    key_data,
    places,
    search,
    takers,
)
from mimgraph.ops import registry
from mimgraph.ops.custom import registration
from mimgraph.ops.custom.registration import GROUPS
from mimgraph.ops.op import Op, OptionSpec, dotted
from mimgraph.ops.python_text import python_example
from mimgraph.ops.registry import LIBRARIES, find_model, how_to_list, instead, is_model, model_names
from mimgraph.ops.spelling import names_of, op_called, python_name
from mimgraph.support.columns import GAP, fitting, row_lines, shrunk, wrapped
from mimgraph.support.plugins import ONE, OURS, SWITCH, BrokenPlugin, Plugin, are_on, installed
from mimgraph.support.terminal import BOLD, CYAN, NARROWEST, Paint, painter

INDENT = "  "
PROSE = 100  # characters of a line of text, also on a wider terminal


class Sheet(NamedTuple):
    """What a page is written for: so many characters in a line, with or without color."""

    width: int
    paint: Paint

    @classmethod
    def of(cls, width: int, color: bool) -> Sheet:
        """Return the sheet for a terminal, which may have fewer characters than a page needs."""
        return cls(max(width, NARROWEST), painter(color))

    def prose(self, text: str) -> Iterator[str]:
        """Yield paragraphs in lines; indented lines, as of a list, begin lines of their own."""
        for paragraph in textwrap.dedent(text).split("\n\n"):
            is_list = any(line.startswith((" ", "- ")) for line in paragraph.splitlines())
            for line in paragraph.splitlines() if is_list else [" ".join(paragraph.split())]:
                yield from wrapped(line, min(self.width, PROSE))
            yield ""

    def section(self, title: str, lines: Iterable[str]) -> Iterator[str]:
        """Yield a title, the lines below it, and an empty one; nothing if there are no lines."""
        if below := [f"{INDENT}{line}".rstrip() for line in lines]:
            yield from (self.paint(BOLD, title), *below, "")

    def table(self, rows: Sequence[Sequence[str]]) -> Iterator[str]:
        """Yield rows in columns, the names in the first one in color."""
        columns = dict(enumerate(zip(*rows, strict=True)))
        room = self.width - len(INDENT)
        widths = fitting(columns, room, whole=[0]) or shrunk(columns, room)
        for row in rows:
            for name, *rest in row_lines(row, widths):
                bare = name.rstrip()
                yield GAP.join([self.paint(CYAN, bare) + name.removeprefix(bare), *rest]).rstrip()

    def code(self, lines: Iterable[str]) -> Iterator[str]:
        """Yield lines of YAML or Python; what does not fit goes on in an indented line."""
        for line in lines:
            further = line[: len(line) - len(line.lstrip())] + 2 * INDENT
            whole = line.replace(": ", ":\0")  # a key stays with its value
            for part in textwrap.wrap(
                *(whole, self.width - len(INDENT)),
                subsequent_indent=further,
                break_long_words=False,
                break_on_hyphens=False,
            ):
                yield part.replace("\0", " ")


def op_page(op: Op, sheet: Sheet) -> Iterator[str]:
    """Yield the documentation of an op, its sources, options and examples."""
    title = f"{op.kind} {op.name}"
    first, *more = textwrap.wrap(title + elsewhere(op), sheet.width, subsequent_indent=INDENT)
    yield from (sheet.paint(BOLD, title) + first.removeprefix(title), *more, "")
    yield from sheet.prose(op.doc)
    facts = {
        "sources": ", ".join(inputs(op)) or "none",
        "explained in": explained(KEYS[op.name]) if op.kind == "tensor" else "",
        "also called": ", ".join(names_of(op).said),
        "a bare value in a seq": bare_option(op) or "",
        "ports": ", ".join(op.ports),
        "category": op.family.replace("_", " "),
        "plugin": op.plugin,
    }
    yield from _facts(facts, sheet)
    rows = [(option.name, default(option), _type(op, option)) for option in op.options.values()]
    yield from sheet.section("options", sheet.table(rows) if rows else ())
    declared, node = op.example
    if node:
        example = ["inputs:", *(f"  {line}" for line in declared), "nodes:", f"  y: {node}"]
        yield from sheet.section("example", sheet.code(example))
        python = python_example(declared, node)
        yield from sheet.section("example in Python", sheet.code(python))
    if op.kind == "tensor":
        yield from _refusal(op.name, sheet)


def elsewhere(op: Op) -> str:
    """Return what torch and Keras call an op: ` (torch: torch.cat; Keras: Concatenate)`."""
    model_names = names_of(op)
    listed = {"torch": model_names.torch or "", "Keras": model_names.keras}
    parts = [f"{where}: {', '.join(text.split())}" for where, text in listed.items() if text]
    return f" ({'; '.join(parts)})" if parts else ""


def _facts(facts: Mapping[str, str], sheet: Sheet) -> Iterator[str]:
    """Yield the facts that apply in two columns."""
    rows = [(title, text) for title, text in facts.items() if text]
    yield from sheet.table(rows)
    yield ""


def _type(op: Op, option: OptionSpec) -> str:
    """Return the type of an option in words, and the release of torch that added it, if it is new."""
    text = describe_type(option.annotation)
    since = op.since.get(option.name)
    return text if since is None else f"{text}; from torch {dotted(since)}"


def key_page(name: str, sheet: Sheet) -> Iterator[str]:
    """Yield what a key means, its type and default, where it is allowed, an example, and a wrong spec."""
    key = EVERY_KEY[name]
    yield from (sheet.paint(BOLD, f"key {name}"), "")
    yield from sheet.prose(key.about)
    facts = {
        "type": key.type.replace("`", ""),
        "default": key.default.replace("`", ""),
        "allowed in": ", ".join(places(name)),
        "an option of": ", ".join(one["name"] for one in takers(name)),
        "explained in": explained(key),
    }
    yield from _facts(facts, sheet)
    yield from sheet.section("example", sheet.code(key.example.splitlines()))
    for path, text in key.files.items():
        yield from sheet.section(f"with {path}", sheet.code(text.splitlines()))
    yield from _refusal(name, sheet)


def _refusal(name: str, sheet: Sheet) -> Iterator[str]:
    """Yield a wrong spec with the key, and its error."""
    refused = EVERY_KEY[name].refused
    error = wrapped(f"error[{refused.code}]: {refused.message}", sheet.width - len(INDENT))
    yield from sheet.section("refused", (*sheet.code(refused.spec.splitlines()), *error))


def option_page(name: str, of: Sequence[Mapping[str, Any]], sheet: Sheet) -> Iterator[str]:
    """Yield the ops that have an option of this name, with its default and type."""
    yield from (sheet.paint(BOLD, f"option {name}"), "")
    rows = [(one["name"], one["default"], one["type"]) for one in of]
    yield from sheet.section("an option of", sheet.table(rows))


# Describe the op, key or option with a name: one of ours, of torch or of Keras.


MOST = 3  # names that are suggested
MODELS = ("torchvision.resnet18", "timm.resnet18", "transformers.AutoModel")  # one of each library


class _Meant(NamedTuple):
    """What a name stands for: a key, an op, or an option, with the facts of the ops that take it."""

    name: str
    key: str | None
    op: Op | None
    takers: Sequence[dict[str, Any]]


def describe(name: str, format: str = "text", width: int = 100, color: bool = False) -> str:
    """Return what a name stands for in full; a `KeyError` has a message and a help if it is unknown.

    `take` is a key and a merge, and `dropout` an option and, in torch, a layer: both are described.
    """
    meant = _meant(name)
    if not any(meant[1:]):
        raise KeyError(f"no layer, merge or key is called {name!r}", _help(name))
    if format == "json":
        return json.dumps(_data(meant), indent=2)
    return "\n".join(_pages(meant, Sheet.of(width, color))).rstrip()


def _meant(name: str) -> _Meant:
    op = next((found for kind in KINDS if (found := registry.find(kind, name))), None)
    key = name if name in EVERY_KEY and (op is None or op.kind != "tensor") else None
    if not op and not key:
        op = _of_plugin(name)
    if op or key:
        return _Meant(name, key, op, ())
    return _Meant(name, None, op_called(python_name(name)), takers(name))


def _of_plugin(name: str) -> Op | None:
    """Return the layer or merge that a plugin brings; a `KeyError` says why it cannot be used."""
    try:
        return registration.find("layer", name) or registration.find("merge", name)
    except BrokenPlugin as broken:
        raise KeyError(str(broken), broken.help) from None


def _data(meant: _Meant) -> dict[str, Any]:
    """Return the meaning of the name as data; a second meaning is inside the first."""
    if meant.key:
        return key_data(meant.key) | ({"merge": data(meant.op)} if meant.op else {})
    if meant.op is None:
        return {"name": meant.name, "kind": "option", "option_of": meant.takers}
    return data(meant.op) | ({"option_of": meant.takers} if meant.takers else {})


def _pages(meant: _Meant, sheet: Sheet) -> Iterator[str]:
    """Yield the pages of all that the name stands for."""
    if meant.key:
        yield from key_page(meant.key, sheet)
    if meant.op:
        yield from op_page(meant.op, sheet)
    if meant.takers:
        yield from option_page(meant.name, meant.takers, sheet)


def _help(name: str) -> str:
    """Return which longer or similar names may be meant by an unknown one, or a search; "" if none."""
    if is_model(name):
        return unmarked(instead(name))
    if name in LIBRARIES:
        return how_to_list(name)
    if model := next(
        (one for one in MODELS if name in getattr(find_model(one), "options", ())), ""
    ):
        return f"it is an option of models: mimgraph layers {model}"
    bare = python_name(name)
    ops, keys = search(bare)
    found = [*(op.name for op in ops), *keys]
    begun = [one for one in found if one.lower().startswith(bare.lower())]
    if 0 < len(begun) <= MOST:
        return f"did you mean {' or '.join(begun)}?"
    if not begun and (help := unmarked(suggestion(bare, _names(bare)))):
        return help
    return f"mimgraph layers --search {quote(bare)} finds {len(found)}" if found else ""


def _names(wrong: str) -> list[str]:
    """Return all names; those with a capital or small first letter like the wrong name come
    first."""
    ops = [name for kind in KINDS for name in (*registry.names(kind), *registration.names(kind))]
    known = sorted([*ops, *EVERY_KEY], key=lambda name: name[:1].isupper() != wrong[:1].isupper())
    options = [name for op in every_op() for name in op.options]
    return [*known, *dict.fromkeys(options)]


# List the ops by category, the models of libraries, the plugins, and the keys of a spec.


def listing(
    format: str = "text", searched: str | None = None, width: int = 100, color: bool = False
) -> str:
    """Return a list of every op by category and of every key, or of those that a search finds; the
    format `json` gives the same as data. A `KeyError` says that nothing is found."""
    ops, keys = (every_op(), bare_keys()) if searched is None else search(searched)
    sheet = Sheet.of(width, color)
    is_text = format == "text"
    of_plugins = list(plugin_section(searched, sheet)) if is_text else []
    models = list(library_section(searched, sheet)) if is_text else []
    if not ops and not keys and not of_plugins and not models:
        raise KeyError(f"no layer, merge or key has {searched!r} in its name or description")
    if format == "json":
        return json.dumps([*map(data, ops), *map(key_data, keys)], indent=2)
    return "\n".join([*_lines(ops, models, keys, sheet), *of_plugins]).rstrip()


def _lines(ops: list[Op], models: list[str], keys: list[str], sheet: Sheet) -> Iterator[str]:
    """Yield a section for each category, with layers before merges, the lines about models of
    libraries, and a section for the keys."""
    longest = max(map(len, [*(op.name for op in ops), *keys]), default=0)
    for family in sorted({op.family for op in ops}):
        members = [op for op in ops if op.family == family]
        members.sort(key=lambda op: (op.kind, op.name.lower()))
        rows = [(op.name.ljust(longest), op.summary) for op in members]
        title = family.replace("_", " ").capitalize()
        yield from sheet.section(title, sheet.table(rows))
    yield from models
    rows = [(key.ljust(longest), EVERY_KEY[key].about) for key in keys]
    yield from sheet.section("Keys of a spec", sheet.table(rows) if rows else ())


def library_section(searched: str | None, sheet: Sheet) -> Iterator[str]:
    """Yield the libraries for the list of all ops, or the models with these words in their names."""
    if searched is None:
        rows = [(f"{one}.NAME", how_to_list(one)) for one in LIBRARIES]
        yield from sheet.section("Models of libraries", sheet.table(rows))
        return
    words = searched.lower().split()
    for library in LIBRARIES:
        found = [
            name for name in model_names(library) if all(word in name.lower() for word in words)
        ]
        rows = [(name, f"model of {library}") for name in found]
        if not model_names(library) and all(word in f"{library}." for word in words):
            rows = [(f"{library}.NAME", how_to_list(library))]
        yield from sheet.section(f"Models of {library}", sheet.table(rows) if rows else ())


def plugin_list(format: str = "text", width: int = 100, color: bool = False) -> str:
    """Return a list of all plugins by package; a plugin that is never used says why."""
    found = installed()
    if format == "json":
        return json.dumps([_plugin_data(one, found) for one in found], indent=2)
    if not found:
        return "no installed package has plugins of mimgraph"
    return "\n".join(_plugin_lines(found, Sheet.of(width, color))).rstrip()


def plugin_section(searched: str | None, sheet: Sheet) -> Iterator[str]:
    """Yield the layers and merges of plugins for the list of all ops, or those with a word in their name."""
    words = (searched or "").lower().split()
    found = [one for one in installed() if are_on() and one.group in GROUPS.values()]
    rows = [
        (one.name, f"{ONE[one.group]} of {one.origin}")
        for one in found
        if all(word in f"{one.name} {one.package}".lower() for word in words)
    ]
    yield from sheet.section("Plugins", sheet.table(rows) if rows else ())


def _plugin_lines(found: Sequence[Plugin], sheet: Sheet) -> Iterator[str]:
    """Yield a section for each package."""
    if not are_on():
        yield from (f"plugins are turned off by {SWITCH}", "")
    by_package = sorted(found, key=lambda one: (one.package.lower(), one.version))
    for origin, members in groupby(by_package, key=lambda one: one.origin):
        rows = [(one.name, ONE[one.group], one.object + _remark(one, found)) for one in members]
        yield from sheet.section(origin, sheet.table(rows))


def _remark(plugin: Plugin, found: Sequence[Plugin]) -> str:
    reason = unused(plugin, found)
    return f"; not used: {reason}" if reason else ""


def unused(plugin: Plugin, found: Sequence[Plugin]) -> str:
    """Return why a plugin is never used; "" if it is used where its name is needed."""
    kind = ONE[plugin.group]
    if plugin.group in OURS:
        is_ours = plugin.name in OURS[plugin.group]
    else:
        op = registry.find(kind, plugin.name)
        is_ours = op is not None and not op.plugin
    if is_ours:
        article = "an" if kind.startswith("i") else "a"
        return f"{plugin.name} is {article} {kind} of mimgraph"
    same = [one for one in found if (one.group, one.name) == (plugin.group, plugin.name)]
    others = " and ".join(one.origin for one in same if one != plugin)
    return f"{others} has it, too" if others else ""


def _plugin_data(plugin: Plugin, found: Sequence[Plugin]) -> dict[str, object]:
    return {
        "package": plugin.package,
        "version": plugin.version,
        "kind": ONE[plugin.group],
        "name": plugin.name,
        "object": plugin.object,
        "unused": unused(plugin, found),
    }
