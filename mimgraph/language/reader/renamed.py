"""Read old names of keys and options as the new ones, with a warning for each."""

from __future__ import annotations

from mimgraph.diagnostics import Diagnostic
from mimgraph.language.reader.context import Context
from mimgraph.language.reader.mappings import Entries
from mimgraph.language.yaml_tree.tree import Mapping, Scalar
from mimgraph.ops.deprecated import KEYS, OPTIONS, Instead


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
