"""What the readers of all parts share: the context, the keys and entries of mappings, values and sources."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, TypeGuard

from mimgraph.declare.tree import (
    Mapping,
    Scalar,
    Sequence,
    Tree,
    described,
    faulty,
    is_faulty,
    is_null,
    quote_it,
    texts,
)
from mimgraph.diagnostics import Diagnostic, Report
from mimgraph.diagnostics.codes import DiagnosticCode
from mimgraph.diagnostics.nearest import suggestion
from mimgraph.diagnostics.text import MAPPING, TRUE_OR_FALSE, code, write
from mimgraph.infer.evaluation import LONGEST
from mimgraph.ir.declared_graph import Source
from mimgraph.ir.declared_values import FAULTY, OTHERS, Faulty, Option, Template, Written, closing
from mimgraph.ir.expression import (
    PLAIN,
    ExpressionError,
    Number,
    Variable,
    explained,
    parse,
    to_text,
)
from mimgraph.ir.grammar import PLACES
from mimgraph.source import Span


@dataclass(slots=True, eq=False, repr=False)
class Context:
    """The report of one spec, and the names that are known or lost in it.

    `lost` are the names of inputs and nodes in the current scope that could not be read, `misnamed`
    the params whose names are not allowed, `lost_blocks` the blocks that could not be read.
    """

    report: Report
    origin: Span  # the start of the file
    blocks: frozenset[str] = frozenset()
    lost: set[str] = field(default_factory=set)
    misnamed: set[str] = field(default_factory=set)
    lost_blocks: set[str] = field(default_factory=set)

    def fault(
        self,
        code: DiagnosticCode,
        message: str,
        span: Span,
        *,
        help: str = "",
        node: str = "",
        tree: Tree | None = None,
    ) -> None:
        """Report a fault; it mentions the names in `tree`."""
        mentioned = texts(tree) if tree is not None else ()
        self.report.add(Diagnostic(code, message, span, help=help, node=node), *mentioned)

    def wrong_type(self, what: str, wants: str, tree: Tree, node: str = "", help: str = "") -> None:
        """Report that the value of `what` is not `wants`, unless the value has a reported fault."""
        if not (is_faulty(tree) or (isinstance(tree, Mapping) and tree.lost)):
            message = f"{what} must be {wants}, not {described(tree)}"
            self.fault("wrong-type", message, tree.span, help=help, node=node, tree=tree)

    def unknown_key(
        self, what: str, key: Scalar, known: tuple[str, ...], tree: Tree | None, node: str = ""
    ) -> None:
        """Report a key that the part `what` does not have."""
        help = suggestion(key.text, known) or f"its keys: {', '.join(known)}"
        message = f"{what} has no key {key.text!r}"
        self.fault("unknown-key", message, key.span, help=help, node=node, tree=tree)


# Check the keys of mappings: unknown and old ones, wrong indentation, a text that YAML splits.


Entry = tuple[Scalar, Tree]
Entries = dict[str, Entry]

# how to write each key whose value is a mapping
EXAMPLES = {
    "inputs": "write names with shapes: " + code("{image: [3, 32, 32]}"),
    "nodes": "write names with nodes: " + code("{hidden: {layer: ReLU, from: image}}"),
    "parts": "write names with paths: " + code("{tower: towers/text.yaml}"),
    "limits": "write amounts with their limits: " + code("{parameters: 20M, macs: 2G}"),
    "sizes": "write names with sizes: " + code("{T: 128}"),
    "blocks": "write names with blocks: " + code("{step: {seq: [ReLU]}}"),
    "params": "write names with values: " + code("{hidden: 64}"),
    "with": "write params with lists: " + code("{width: [64, 128]}"),
}


def read_mapping(context: Context, what: str, tree: Tree | None, help: str = "") -> Mapping | None:
    """Return the tree if it is a mapping; None for an absent tree, and after reporting another
    value."""
    if tree is None or isinstance(tree, Mapping):
        return tree
    context.wrong_type(what, f"a {MAPPING}", tree, help=help or EXAMPLES.get(what, ""))
    return None


def check_keys(
    context: Context, what: str, tree: Mapping, node: str = "", known: tuple[str, ...] = ()
) -> bool:
    """Return whether all keys of a mapping are readable and known; unknown ones are reported. Without
    `known`, the place `what` says which are allowed."""
    known = known or (*PLACES[what],)
    are_known = True
    for key, _ in tree.entries:
        if key.text not in known:  # one fault that mentions the names in the mapping is enough
            context.unknown_key(what, key, known, tree if are_known else None, node)
            are_known = False
    return are_known and not tree.lost


def entries_of(tree: Mapping) -> Entries:
    """Return the entries by key; if a key could not be read, the key OTHERS has a faulty value."""
    found = dict[str, Entry]()
    for entry in tree.entries:
        found[entry[0].text] = entry
    if tree.lost:
        found[OTHERS] = unreadable_entry(tree.span)
    return found


def unreadable_entry(span: Span) -> Entry:
    """Return the entry that stands for all entries whose keys could not be read."""
    return Scalar(OTHERS, span, OTHERS, plain=True), faulty(span)


def section_entries(context: Context, tree: Mapping, place: str = "") -> list[Entry]:
    """Return the entries of a section such as `nodes`, whose values are mappings or lists.

    An entry with a plain value whose key is allowed in `place`, or any key without a `place`, is
    indented too little: it belongs to the mapping before it, which is then marked as incomplete.
    """
    found: list[Entry] = []
    for entry in tree.entries:
        key, value = entry
        before = found[-1] if found else None
        is_value = isinstance(value, Scalar) and value.value not in (None, FAULTY)
        is_outdented = is_value and (not place or key.text in PLACES[place])
        if is_outdented and before is not None and isinstance(before[1], Mapping):
            found[-1] = before[0], before[1].with_lost(key.text)
            context.report.mentioned.add(key.text)
        found.append(entry)
    return found


def has_split_text(context: Context, tree: Mapping, node: str) -> bool:
    """Report a split text in a mapping; return whether there is one.

    `{expr: max(a, b)}` is read as `{expr: "max(a", "b)": null}`.
    """
    start, depth = None, 0  # an open text, and how many of its parentheses are open
    for key, value in tree.entries:
        if start is not None and key.plain and is_null(value):
            depth += _open_parentheses(key)
            if depth <= 0:
                _report_split_text(context, start.span.to(key.span), node)
                return True
        elif isinstance(value, Scalar) and "(" in value.text and value.plain:
            depth = _open_parentheses(value)
            start = value if depth > 0 else None
        else:
            start = None
    return False


def _open_parentheses(scalar: Scalar) -> int:
    """Return how many parentheses a text opens that it does not close."""
    return scalar.text.count("(") - scalar.text.count(")")


def _report_split_text(context: Context, span: Span, node: str) -> None:
    """Report a split text in place of the faults that follow from it."""
    context.report.drop(lambda fault: fault.span.file is span.file and span.contains(fault.span))
    help = quote_it(span.excerpt().text)
    message = "a comma ends a string that is not quoted"
    context.fault("bad-expression", message, span, help=help, node=node)


# Read values: numbers, texts, flags, `$` expressions and options.


_DOTTED = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+", re.ASCII)
_DOLLAR = re.compile(r"\$(?:([A-Za-z_][A-Za-z0-9_]*)|\((.*)\))", re.ASCII | re.DOTALL)


def is_expression(text: str) -> bool:
    """Return whether a text is `$name` or one `$(...)`, and not `$(a)*T + $(b)`."""
    match = _DOLLAR.fullmatch(text)
    return match is not None and (match[2] is None or closing(text, 2) in (2, len(text) - 1))


def read_text(context: Context, what: str, tree: Tree | None) -> str | None:
    """Return a text; None if there is none, or something else, which is reported."""
    if isinstance(tree, Scalar) and tree.name is not None:
        return tree.name
    if tree is not None:
        context.wrong_type(what, "a string", tree, help=as_text(tree))
    return None


def read_flag(
    context: Context, what: str, tree: Tree | None, node: str = "", wants: str = TRUE_OR_FALSE
) -> bool | None:
    """Return `true` or `false`, which is the default; None for something else, which is reported as not
    what `what` wants."""
    if tree is None:
        return False
    if isinstance(tree, Scalar) and isinstance(tree.value, bool):
        return tree.value
    context.wrong_type(what, wants, tree, node)
    return None


def read_switch(
    context: Context, what: str, tree: Tree | None, node: str = "", wants: str = TRUE_OR_FALSE
) -> bool | Written | None:
    """Return `true`, `false`, which is the default, or the `$` expression of a param that decides;
    None for something else, which is reported."""
    if isinstance(tree, Scalar) and isinstance(tree.value, str) and tree.value.startswith("$"):
        value = read_expression(context, tree, tree.value)
        return value if isinstance(value, Written) else None
    return read_flag(context, what, tree, node, wants)


def as_text(tree: Tree) -> str:
    """Return the help for a scalar in place of a text; "" for other trees."""
    return quote_it(tree.text) if _has_value(tree) else ""


def as_list(tree: Tree) -> str:
    """Return the help for a scalar in place of a list, `write [5]` for `5` or `(5)`; "" for other trees."""
    return write("[" + tree.text.strip("()") + "]") if _has_value(tree) else ""


def _has_value(tree: Tree) -> TypeGuard[Scalar]:
    return isinstance(tree, Scalar) and tree.value not in (None, FAULTY)


def read_value(context: Context, tree: Tree) -> Any:
    """Return plain data, with a `Written` for `$...` and a `Template` for a text with `$name` in it."""
    if isinstance(tree, Scalar):
        value = tree.value
        if isinstance(value, str) and "$" in value:
            return read_expression(context, tree, value)
        return value
    if isinstance(tree, Sequence):
        return [read_value(context, item) for item in tree.items]
    if tree.lost:
        return FAULTY
    return {key.text: read_value(context, value) for key, value in tree.entries}


def read_expression(context: Context, tree: Scalar, value: str) -> Written | Template | Faulty:
    """Return the expression or template in the text of a scalar, which has a `$`."""
    match = _DOLLAR.fullmatch(value)
    if match is None:
        if value[0] == "$" and value[1:] in context.misnamed:
            return FAULTY
        if value[0] == "$":
            message = (
                f"a value that begins with $ must be {code('$name')} or {code('$(expression)')}"
            )
            help = _in_parentheses(value)
            context.fault("bad-expression", message, tree.span, help=help)
            return FAULTY
        return Template(value, tree.part)
    try:
        expression = parse(value, *match.span(1 if match[1] is not None else 2))
    except ExpressionError as error:
        error = explained(error, value, PLAIN)
        span = tree.part(error.start, error.end)
        context.fault(error.code, error.message, span, help=error.help)
        return FAULTY
    return Written(expression, tree.span, tree.part)


def _in_parentheses(text: str) -> str:
    """Return how to write a text that begins with `$` and is no expression: all in one `$(...)`."""
    inside = re.sub(r"[${}]", " ", text).strip()
    if _DOTTED.fullmatch(inside):
        return write("$" + inside.rpartition(".")[2])
    if inside.startswith("(") and inside.count("(") > inside.count(")"):
        inside = inside[1:]
    try:
        expression = parse(inside[:LONGEST])
    except ExpressionError:
        return ""
    if isinstance(expression, Variable):
        return write("$" + expression.name)
    if isinstance(expression, Number) or len(inside) > LONGEST:
        return ""
    return write(f"$({to_text(expression)})")


def read_option(context: Context, key: Scalar, tree: Tree) -> Option:
    """Return an option: its value, and where it and its items stand."""
    # only a text has parts to point at; the method keeps its scalar alive
    part = tree.part if isinstance(tree, Scalar) and isinstance(tree.value, str) else None
    items = tuple([item.span for item in tree.items]) if isinstance(tree, Sequence) else ()
    return Option(read_value(context, tree), tree.span, key.span, part, items)


def read_options(context: Context, entries: dict[str, Entry]) -> dict[str, Option]:
    """Return the options by name."""
    return {name: read_option(context, *entry) for name, entry in entries.items()}


def read_formula(context: Context, key: Scalar, tree: Tree) -> Option:
    """Return the `expr` of a formula: a `$name` or `$(...)` in it stands for a number, even at the
    start of the text."""
    if isinstance(tree, Scalar) and isinstance(tree.value, str) and "$" in tree.value:
        template = Template(tree.value, tree.part, formula=True)
        return Option(template, tree.span, key.span, tree.part)
    return read_option(context, key, tree)


def faulty_option(span: Span) -> Option:
    """Return the option in place of one that could not be read."""
    return Option(FAULTY, span, span)


# Read the sources of a node: `x`, `[x, node.port]` or `{argument: x}`.


def read_sources(context: Context, tree: Tree | None, here: str) -> tuple[Source, ...] | None:
    """Return the sources; None if one cannot be read, or there are none."""
    if tree is None or (isinstance(tree, Mapping) and tree.lost):
        return None
    if isinstance(tree, Scalar):
        source = read_source(context, tree, here)
        return None if source is None else (source,)
    if isinstance(tree, Sequence):
        found = [read_source(context, item, here) for item in tree.items]
    else:
        found = [read_source(context, value, here, key) for key, value in tree.entries]
    complete = [source for source in found if source is not None]
    return tuple(complete) if len(complete) == len(found) else None


def read_source(
    context: Context, tree: Tree, here: str, argument: Scalar | None = None
) -> Source | None:
    """Return a source; None for something else, which is reported."""
    text = tree.name if isinstance(tree, Scalar) else None
    if text is None and isinstance(tree, Scalar) and tree.text in context.lost:
        text = tree.text  # the node's key has the same fault
    if text is None:
        wants = "an input, a node or node.port"
        context.wrong_type("a source", wants, tree, here, _source_help(tree))
        return None
    name, dot, port = text.partition(".")
    return Source(
        name,
        port if dot else None,
        tree.span,
        argument.text if argument else None,
        argument.span if argument else None,
    )


def _source_help(tree: Tree) -> str:
    """Return the help for a number, or several sources, in the place of one source."""
    if isinstance(tree, Scalar) and type(tree.value) in (int, float):
        return f"make a constant a separate node: {code('{zeros: [8]}')}"
    if not isinstance(tree, Sequence):
        return ""
    names = [one.name if isinstance(one, Scalar) else None for one in tree.items]
    if None in names or not names:
        return ""
    if len(names) == 1:
        return write(names[0])
    return "merge them first; an input of a block takes all results of one node: NODE.*"
