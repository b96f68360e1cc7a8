"""Feed a group, `emb.*`, to one input of a block, which becomes an input for each port: `fields.city`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

from mimgraph.infer.nodes.sources import Arguments, match
from mimgraph.infer.scope import Fed, Site
from mimgraph.ir.declared.graph import Block, BlockInput, Source
from mimgraph.source import PythonFile

DECLARE_OPTIONAL = "; an input that the block runs without is declared with optional: true"
DEFAULT_NONE = "; an input that the block runs without has the default None, {}=None"


def match_block(site: Site, block: Block, names: tuple[str, ...]) -> dict[str, Fed] | None:
    """Return the sources of a block by the `names` of its inputs, and members of a group by `fields.city`;
    None where they do not fit, which is reported."""
    wanted = Arguments(block.family, names)
    if len(names) > 1:  # the first is needed
        wanted = Arguments(block.family, names, may_leave_out(site, block, names), _hint(block))
    if site.fed is None or not [one for one in site.fed if one.group is not None]:
        return match(site, wanted)
    groups, fed = _bundled(site.fed, block, names)
    found = match(site._replace(fed=fed), wanted)
    if found is None or not groups:
        return found
    members: dict[str, Fed] = {}
    for name, one in found.items():
        group = groups.get(one.group) if one.group is not None else None
        members |= {name: one} if group is None else {_member(name, each): each for each in group}
    return members


def _hint(block: Block) -> str:
    """Return how a block declares an input that it runs without; "" for a graph, which has its own."""
    if any(one.declared for one in block.inputs):
        return ""
    return DEFAULT_NONE if isinstance(block.span.file, PythonFile) else DECLARE_OPTIONAL


def may_leave_out(site: Site, block: Block, names: Sequence[str]) -> frozenset[str]:
    """Return the inputs that a use may leave out; never the first of `names`, on which the block runs."""
    optional = [one.name for one in block.inputs if one.optional is not False]
    return frozenset([*optional, *site.left_out]).difference(names[:1])


def fed_to(name: str, fed: Mapping[str, Fed]) -> list[Fed]:
    """Return what feeds an input of a block: one source, or all of a group."""
    if name in fed:
        return [fed[name]]
    return [one for key, one in fed.items() if key.startswith(f"{name}.")]


def left_out_inputs(
    block: Block, names: Iterable[str], fed: Mapping[str, Fed]
) -> dict[str, BlockInput]:
    """Return the inputs of a block, of those with these `names`, that nothing feeds."""
    absent = [name for name in names if name not in fed and not fed_to(name, fed)]
    return {one.name: one for one in block.inputs if one.name in absent} if absent else {}


def check_repeated_group(
    site: Site, block: Block, names: Iterable[str], fed: Mapping[str, Fed]
) -> bool:
    """Report a group that feeds one of the inputs `names`, which a repeat hands on or which decide when
    it runs; return whether there is none."""
    for name in names:
        if name not in fed:
            message = f"{block.family} is repeated, so {name} must be one tensor, not a group"
            help = f"merge the group first, or give {block.family} another first input"
            site.fault("wrong-arity", message, fed_to(name, fed)[0].source.span, help=help)
            return False
    return True


def _bundled(
    fed: tuple[Fed, ...], block: Block, names: tuple[str, ...]
) -> tuple[dict[Source, list[Fed]], tuple[Fed, ...]]:
    """Return the sources of each group that feeds one input, and all sources with the first of each
    group in its place."""
    read = _read_by_port(block)
    of_part = [
        one.name for one in block.inputs if one.declared is not None
    ]  # of a graph: one tensor
    groups: dict[Source, list[Fed]] = {}
    whole: list[Fed] = []
    for group, run in groupby(fed, key=lambda one: one.group):
        members = list(run)
        argument, position = members[0].source.argument, len(whole)
        name = argument or (names[position] if position < len(names) else "")
        is_one = name in read or (argument not in (None, *of_part) and len(members) > 1)
        if group is not None and is_one:
            groups[group] = members
        whole += members[:1] if group in groups else members
    return groups, tuple(whole)


def _read_by_port(block: Block) -> set[str]:
    """Return the names that the nodes of a block read by a port: `fields.*`, `fields.city`."""
    read = [source for node in block.nodes for source in node.sources or ()]
    read += [output.source for output in block.outputs]
    return {source.name for source in read if source.port is not None}


def _member(name: str, one: Fed) -> str:
    """Return the name of a member of a group: its port, of a weight or item its last part."""
    return f"{name}.{(one.source.port or one.source.name).rpartition('.')[2]}"
