"""Name the arguments of a forward: its inputs, and the outer modules that a block shares."""

from __future__ import annotations

from mimgraph.ir.names import EMITTED
from mimgraph.ir.typed_graph import Body


def argument_names(body: Body) -> dict[str, str]:
    """Return the argument of each input: in a block, which is called by position, a name that its
    code does not use for something else."""
    if not body.family:
        return {name: name for name in body.inputs}
    names: dict[str, str] = {}
    for name in body.inputs:
        found = spelled(name.replace(".", "_"))  # of a group's member: `fields.city`
        while found != name and (found in body.inputs or found in names.values()):
            found += "_"
        names[name] = found
    return names


def spelled(name: str) -> str:
    """Return the name of a local or argument, with an underscore if the file uses that name itself."""
    return f"{name}_" if name in EMITTED else name


def module_arguments(body: Body) -> dict[str, str]:
    """Return the argument of each module that a body is handed: `tokens`, of an item `emb_city`."""
    taken = {*argument_names(body).values(), *body.by_name}
    names: dict[str, str] = {}
    for owner in body.borrowed:
        found = spelled(owner.replace(".", "_"))
        while found in taken:
            found += "_"
        taken.add(found)
        names[owner] = found
    return names
