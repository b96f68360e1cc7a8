"""Make a page of each layer, merge and tensor from its op, an index by category, and one by other names."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any

from extension import sizes
from extension.elsewhere import keras_names, torch_names
from extension.markdown import code, escaped, folded, inline, picture, prose, scrolled, table, tabs
from extension.page import Page
from extension.papers import cited
from extension.pictures import drawn, width
from extension.uses import FOLDERS, uses
from extension.worked import Worked, worked
from mimgraph.ir.option_types import describe as describe_type
from mimgraph.language.reference import bare_option, default, every_op
from mimgraph.ops.op import REQUIRED, Op, OptionSpec, dotted
from mimgraph.ops.python_text import signature
from mimgraph.ops.spelling import HOMES, names_of

FEW = 60  # lines of code that are shown without a click
WIDEST = 88  # characters of a signature in one line
WIDEST_CODE = 70  # of code in the column of a page
OTHER_NAMES = "Names of torch, Keras and others"
TITLES = {
    "layers": ("Layers", "A layer takes one source, or several that differ in meaning."),
    "merges": ("Merges", "A merge joins several sources into one result."),
}


def pages() -> Iterator[Page]:
    """Yield the index of each folder, its pages and their pictures, and the index of names."""
    ops = every_op()
    for folder in TITLES:
        members = [op for op in ops if FOLDERS[op.kind] == folder]
        yield from _indices(folder, members)
        for op in members:
            example = worked(op)
            drawing = list(drawn(example.graph, f"{folder}/pictures/{op.name}", direction="LR"))
            yield Page.of(f"{folder}/{op.name}.md", page(op, example, width(drawing)))
            yield from drawing
    yield Page.of("layers/names.md", _names(ops))


def page(op: Op, example: Worked, wide: float) -> str:
    """Return the page of an op; the picture of its example is that many points wide."""
    parts = [
        f"# {op.name}",
        _entries(op),
        prose(op.doc),
        _facts(op),
        "## Signature",
        tabs(("YAML", code("yaml", _yaml(op))), ("Python", code("python", _python(op)))),
        *(_options(op) if op.options else ()),
        *_ends(op, example),
        *_example(op, example, wide),
        *_source(op),
        *_related(op),
    ]
    return "\n\n".join(filter(None, parts)) + "\n"


def link(op: Op, folder: str) -> str:
    """Return a link to the page of an op from a page in a folder."""
    there = FOLDERS[op.kind]
    return f"[{op.name}]({'' if there == folder else f'../{there}/'}{op.name}.md)"


def title(family: str) -> str:
    """Return a category as a heading."""
    return family.replace("_", " ").capitalize()


def _entries(op: Op) -> str:
    """Return entries of the index, which a search on the site finds first: the names elsewhere."""
    torch = (name.rpartition(".")[2] for name in (names_of(op).torch or "").split())
    names = dict.fromkeys([*torch, *keras_names(op), *names_of(op).said])
    found = [f"! {name}" for name in names if name != op.name]
    return f"```{{index}} {', '.join(found)}\n```" if found else ""


def _facts(op: Op) -> str:
    """Return what the op is, and its names elsewhere, as a list."""
    family = f"[{title(op.family)}]({_category(op.family)}.md)"
    rows = {
        "Kind": f"{op.kind}, category {family}",
        "In torch": ", ".join(torch_names(op)),
        "In Keras": ", ".join(f"`{name}`" for name in keras_names(op)),
        "Also called": ", ".join(names_of(op).said),
        "Needs": f"the package `{op.package}`" if op.package != "torch" else "",
        "In a `seq`": f"`{{{op.name}: ...}}` gives `{bare}`" if (bare := bare_option(op)) else "",
    }
    return "\n".join(f"- {name}: {text}" for name, text in rows.items() if text)


def _yaml(op: Op) -> str:
    """Return a node with the options that must be given; inputs that may be left out are in brackets."""
    if op.kind == "tensor":
        return op.example[1]
    spec = op.inputs
    if spec.kind in ("many", "named"):
        sources = "[a, b, ...]" if spec.kind == "many" else "{a: x, b: y}"
    elif len(spec.names) == 1:
        sources = spec.names[0]
    else:
        needed = [name for name in spec.names if name not in spec.optional]
        sources = f"[{', '.join(needed)}]" if len(needed) > 1 else needed[0]
    options = [f"{option.name}: {op.shown(option.name)}" for option in op.required]
    return f"y: {{{', '.join([f'{op.kind}: {op.name}', f'from: {sources}', *options])}}}"


def _python(op: Op) -> str:
    """Return the signature of the call, a parameter a line if one line is too long."""
    if op.kind == "tensor":
        return worked(op).python.splitlines()[-1]
    made = signature(op)
    name = f"{HOMES[op.kind]}.{op.name}"
    text = f"{name}{made}"
    if len(text) <= WIDEST:
        return text
    inside, _, after = str(made).removeprefix("(").rpartition(") -> ")
    lines = [f"    {part}," for part in re.split(r", (?=[*/\w]+(?:: |$|,))", inside)]
    return "\n".join([f"{name}(", *lines, f") -> {after}"])


def _options(op: Op) -> Sequence[str]:
    rows = [
        [f"`{option.name}`", _type(op, option), _default(option)] for option in op.options.values()
    ]
    inferred = any(option.inferred for option in op.options.values())
    note = "An inferred option follows from the source; one that is written is checked against it."
    return "## Options", table(("option", "type", "default"), rows), note if inferred else ""


def _type(op: Op, option: OptionSpec) -> str:
    since = op.since.get(option.name)
    text = re.sub(r"'([^']*)'", r"`\1`", escaped(describe_type(option.annotation)))
    return text if since is None else f"{text}; since torch {dotted(since)}"


def _default(option: OptionSpec) -> str:
    """Return the default as YAML; a word stands for what has none."""
    if option.inferred or option.default is REQUIRED:
        return "inferred" if option.inferred else "**required**"
    return f"`{default(option)}`"


def _ends(op: Op, example: Worked) -> Iterator[str]:
    """Yield the tables of inputs and ports, with their types in the example."""
    spec = op.inputs
    if len(spec.names) > 1 or spec.kind in ("many", "named"):
        rows = [[f"`{name}`", _need(op, name)] for name in spec.names]
        if spec.kind == "many":
            rows = [["any number, in order", "yes"]]
        elif spec.kind == "named":
            rows = [["any number, by name", "yes"]]
        yield "## Inputs"
        yield table(("input", "required"), rows)
    if len(example.results) > 1:
        yield "## Ports"
        first = ": y." not in example.spec  # else no port is the default one
        rows = [
            [f"`y.{port}`" + (", or `y`" if first and i == 0 else ""), _typed(type_)]
            for i, (port, type_) in enumerate(example.results.items())
        ]
        yield table(("port", "in the example below"), rows)


def _need(op: Op, name: str) -> str:
    return "no" if name in op.inputs.optional else "yes"


def _typed(type_: Any) -> str:
    """Return a shape, with the dtype if it is not the default one."""
    dtype = "" if type_.dtype == "float32" else f" {type_.dtype}"
    return f"`{type_.shape}`{dtype}"


def _example(op: Op, example: Worked, wide: float) -> Iterator[str]:
    """Yield the example: code, picture, how its sizes follow, and what is emitted for it."""
    yield "## Example"
    panes = (
        ("YAML", code("yaml", _folded(example.spec))),
        ("Python", code("python", example.python)),
    )
    yield tabs(*panes)
    shown = picture(f"pictures/{op.name}", f"The example of {op.name} as a graph")
    yield scrolled(shown, "picture", wide)
    inputs = ", ".join(_typed(type_) for type_ in example.sources)
    result = _typed(next(iter(example.results.values())))
    yield f"Shapes: {inputs} → {result}." if inputs else f"Shape: {result}."
    yield "\n".join(f"- {line}" for line in sizes.explained(op, example))
    if parameters := example.node.parameters:
        yield f"It has {parameters:,} parameters."
    yield "The emitted code:"
    yield code(
        "python",
        "\n".join([*_method("__init__", example.init), *_method("forward", example.forward)]),
    )
    if example.parts:
        lines = example.parts.count("\n")
        yield folded("The classes that it is made of", code("python", example.parts), lines < FEW)


def _folded(spec: str) -> str:
    """Return a spec with its lines no longer than a page is wide; a mapping goes on below."""
    lines = []
    for line in spec.splitlines():
        further = line[: len(line) - len(line.lstrip())] + "    "
        whole = line.replace(": ", ":\0")  # a key stays with its value
        lines += textwrap.wrap(
            whole, WIDEST_CODE, subsequent_indent=further, break_long_words=False
        )
    return "\n".join(lines).replace("\0", " ")


def _method(name: str, lines: list[str]) -> list[str]:
    return [f"# in {name}", *lines] if lines else []


def _source(op: Op) -> Iterator[str]:
    """Yield where the op is from: a paper, torch's class, or mimgraph itself."""
    yield "## Where it is from"
    known = dict.fromkeys(cited(op.doc)) if op.kind != "tensor" else {}  # of its options
    papers = [inline(paper) for paper in known]
    names = torch_names(op)
    whose = "" if any(name.startswith("[einops.") for name in names) else "torch's "
    said_by = [
        f"the paper of {' and '.join(papers)}" if papers else "",
        f"{whose}{names[0]}" if names else "",
    ]
    given = " and ".join(filter(None, said_by))
    if not given:
        yield "This one is mimgraph's own; the emitted code above is its definition."
    else:
        yield f"See {given}."


def _related(op: Op) -> Iterator[str]:
    """Yield links to the others of its category, and to the command that prints this page."""
    others = [one for one in every_op() if one.family == op.family and one is not op]
    yield "## See also"
    if others:
        yield ", ".join(link(one, FOLDERS[op.kind]) for one in sorted(others, key=_by_name))
    if specs := uses()[op.kind, op.name]:
        linked = ", ".join(f"[{name}](../gallery/{name}.md)" for name in specs)
        yield f"In the [gallery](../gallery/index.md): {linked}."
    yield f"`mimgraph layers {op.name}` prints this in a terminal."


def _by_name(op: Op) -> tuple[bool, str]:
    return op.kind == "merge", op.name.lower()


def _indices(folder: str, ops: list[Op]) -> Iterator[Page]:
    """Yield the index of a folder, and a page a category, which the sidebar shows between them."""
    name, about = TITLES[folder]
    names = "names.md" if folder == "layers" else "../layers/names.md"
    parts = [f"# {name}", about, f"[{OTHER_NAMES}]({names}) finds one by another name."]
    tree = ["names"] if folder == "layers" else []
    for family, members in groupby(sorted(ops, key=lambda op: (op.family, _by_name(op))), _family):
        listed = list(members)
        rows = table(
            (name[:-1].lower(), "what it does, and its shape rule"),
            [[link(op, folder), inline(op.summary)] for op in listed],
        )
        heading, path = title(family), _category(family)
        parts += [f"## {heading}", rows]
        tree.append(path)
        yield Page.of(
            f"{folder}/{path}.md", f"# {heading}\n\n{rows}\n\n{_tree(op.name for op in listed)}"
        )
    yield Page.of(f"{folder}/index.md", "\n\n".join([*parts, _tree(tree)]))


def _tree(names: Iterable[str]) -> str:
    return "\n".join(["```{toctree}", ":hidden:", *names, "```", ""])


def _category(family: str) -> str:
    """Return the name of the page of a category, which no op has."""
    return f"category-{family.replace('_', '-')}"


def _family(op: Op) -> str:
    return op.family


def _names(ops: list[Op]) -> str:
    """Return a table from names of torch, Keras and speech to ours."""
    torch = _by_other((name, op) for op in ops for name in torch_names(op))
    keras = _by_other((f"`{name}`", op) for op in ops for name in keras_names(op))
    others = _by_other((name, op) for op in ops for name in names_of(op).said)
    return NAMES.format(
        title=OTHER_NAMES,
        torch=table(("torch", "here"), torch),
        keras=table(("Keras", "here"), keras),
        others=table(("what people say", "here"), others),
    )


def _by_other(found: Any) -> list[list[str]]:
    """Return rows of names in order, each with all ops that it means."""
    rows: dict[str, list[str]] = {}
    for name, op in found:
        rows.setdefault(name, []).append(link(op, "layers"))
    return [
        [name, ", ".join(links)]
        for name, links in sorted(rows.items(), key=lambda row: row[0].lower())
    ]


NAMES = """\
# {title}

Options have torch's names. A name of torch or Keras in a spec is an error whose help says what to write here;
`mimgraph layers --search "fully connected"` finds layers by any of these names.

## torch

{torch}

## Keras

{keras}

## What people say

{others}
"""
