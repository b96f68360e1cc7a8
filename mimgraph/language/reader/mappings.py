"""Check the keys of mappings, and find entries whose indentation is wrong."""

from __future__ import annotations

from mimgraph.ir.declared.values import FAULTY, OTHERS
from mimgraph.language.places import PLACES
from mimgraph.language.reader.context import Context
from mimgraph.language.yaml_tree.tree import Mapping, Scalar, Tree, faulty
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
