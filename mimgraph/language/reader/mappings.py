"""Check the keys of mappings: unknown and old ones, wrong indentation, a text that YAML splits."""

from __future__ import annotations

from functools import partial
from itertools import islice

from mimgraph.diagnostics import Diagnostic
from mimgraph.infer.evaluation import LONGEST
from mimgraph.ir.declared_values import FAULTY, OTHERS
from mimgraph.language.places import PLACES
from mimgraph.language.reader.context import Context
from mimgraph.language.yaml_tree.tree import Mapping, Scalar, Tree, faulty, is_null
from mimgraph.ops.deprecated import KEYS, OPTIONS, Instead
from mimgraph.source import Span

Entry = tuple[Scalar, Tree]
Entries = dict[str, Entry]

# how to write each key whose value is a mapping
EXAMPLES = {
    "inputs": "write names with shapes: {image: [3, 32, 32]}",
    "nodes": "write names with nodes: {hidden: {layer: ReLU, from: image}}",
    "parts": "write names with paths: {tower: towers/text.yaml}",
    "limits": "write amounts with their limits: {parameters: 20M, macs: 2G}",
    "sizes": "write names with sizes: {T: 128}",
    "blocks": "write names with blocks: {step: {seq: [ReLU]}}",
    "params": "write names with values: {hidden: 64}",
    "with": "write params with lists: {width: [64, 128]}",
}


def read_mapping(context: Context, what: str, tree: Tree | None, help: str = "") -> Mapping | None:
    """Return the tree if it is a mapping; None for an absent tree, and after reporting another
    value."""
    if tree is None or isinstance(tree, Mapping):
        return tree
    context.wrong_type(what, "a mapping", tree, help=help or EXAMPLES.get(what, ""))
    return None


def check_keys(context: Context, place: str, tree: Mapping, node: str = "") -> bool:
    """Return whether all keys are readable and allowed in this place; report keys that are not
    allowed."""
    return check_known_keys(context, place, tree, PLACES[place], node)


def check_known_keys(
    context: Context, what: str, tree: Mapping, known: tuple[str, ...], node: str = ""
) -> bool:
    """Return whether all keys of a mapping are known and readable; unknown ones are reported."""
    unknown = [key for key, _ in tree.entries if key.text not in known]
    for key in unknown:  # one fault that mentions the names in the mapping is enough
        context.unknown_key(what, key, known, tree if key is unknown[0] else None, node)
    return not (unknown or tree.lost)


def entries_of(tree: Mapping) -> Entries:
    """Return the entries by key; if a key could not be read, the key OTHERS has a faulty value."""
    found = {key.text: (key, value) for key, value in tree.entries}
    return found if not tree.lost else {**found, OTHERS: unreadable_entry(tree.span)}


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


def renewed(context: Context, place: str, tree: Mapping, node: str = "") -> Mapping:
    """Return the mapping with new names for the old ones of this place, such as "an input"."""
    if not KEYS:
        return tree
    given = {key.text for key, _ in tree.entries}
    entries = tuple(
        (_new(context, key, KEYS.get((place, key.text)), given, node), value)
        for key, value in tree.entries
    )
    return tree._replace(entries=entries)


def renewed_options(context: Context, kind: str, op: str, rest: Entries, node: str) -> Entries:
    """Return the options of a layer or merge with new names for the old ones."""
    if not OPTIONS:
        return rest
    entries = [
        (_new(context, key, OPTIONS.get((kind, op, key.text)), {*rest}, node), value)
        for key, value in rest.values()
    ]
    return {key.text: (key, value) for key, value in entries}


def _new(
    context: Context, key: Scalar, instead: Instead | None, given: set[str], node: str
) -> Scalar:
    """Return a key with its new name, if there is one and it is not given as well."""
    if instead is None or instead.spelling in given:
        return key
    message = f"{key.text} is deprecated since mimgraph {instead.since}"
    help = f"write {instead.spelling}"
    context.report.renamed.append(Diagnostic("deprecated", message, key.span, help=help, node=node))
    return key._replace(value=instead.spelling, text=instead.spelling)


def has_split_text(context: Context, tree: Mapping, node: str) -> bool:
    """Report a split text in a mapping; return whether there is one.

    `{expr: max(a, b)}` is read as `{expr: "max(a", "b)": null}`.
    """
    for index, (_, value) in enumerate(tree.entries):
        if not (isinstance(value, Scalar) and "(" in value.text):  # true of most values
            continue
        last = _end_of_split(tree, index) if _is_open(value) else None
        if last is not None:
            span = value.span.to(last)
            context.report.drop(partial(_is_within, span))
            text = span.excerpt().text
            is_short = len(text) <= LONGEST and '"' not in text
            help = f'quote it: "{text}"' if is_short else "quote it"
            message = "a comma ends a string that is not quoted"
            context.fault("bad-expression", message, span, help=help, node=node)
            return True
    return False


def _is_open(scalar: Scalar) -> bool:
    """Return whether a text without quotes has a parenthesis that is not closed."""
    return scalar.plain and scalar.text.count("(") > scalar.text.count(")")


def _end_of_split(tree: Mapping, index: int) -> Span | None:
    """Return where the parentheses of the text at `index` are closed, if only keys without a value
    stand between."""
    text = tree.entries[index][1]
    assert isinstance(text, Scalar)
    depth = text.text.count("(") - text.text.count(")")
    for key, value in islice(tree.entries, index + 1, None):
        if not (key.plain and is_null(value)):
            return None
        depth += key.text.count("(") - key.text.count(")")
        if depth <= 0:
            return key.span
    return None


def _is_within(outer: Span, fault: Diagnostic) -> bool:
    span = fault.span
    return span.file is outer.file and outer[1:3] <= span[1:3] and span[3:5] <= outer[3:5]
