"""Give aliases to the globals that a forward's arguments hide, as an input may be called `F`."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from mimgraph.emit.format.statements import Class, Function
from mimgraph.emit.tree import rebuild_statement
from mimgraph.ir.code import Call, Code, Name, rebuild
from mimgraph.ir.names import EMITTED


def with_aliases(definition: Class, inputs: Collection[str]) -> tuple[Class, tuple[str, ...]]:
    """Return the class whose forward uses aliases for the globals that its inputs hide, and the
    lines that define them, such as `F_ = F`."""
    hidden = {name: _alias(name, inputs) for name in inputs if name in EMITTED}
    if not hidden:
        return definition, ()
    used: dict[str, None] = {}

    def other(name: str) -> Name | None:
        first, dot, rest = name.partition(".")
        if first not in hidden:
            return None
        used[first] = None
        return Name(hidden[first] + dot + rest)

    def read(part: Code) -> Code | None:
        match part:
            case Name(id) if "." in id:  # a bare name is the input itself
                return other(id)
            case Call(Name(id), args, keywords):  # tensors are not called
                function = other(id) or part.function
                named = tuple((key, rebuild(value, read)) for key, value in keywords)
                return Call(function, tuple(rebuild(arg, read) for arg in args), named)
        return None

    def aliased(function: Function) -> Function:
        if function.name != "forward":
            return function
        return replace(function, body=tuple(rebuild_statement(s, read) for s in function.body))

    found = replace(definition, body=tuple(map(aliased, definition.body)))
    return found, tuple(f"{hidden[name]} = {name}" for name in used)


def _alias(name: str, inputs: Collection[str]) -> str:
    alias = f"{name}_"
    while alias in inputs:
        alias += "_"
    return alias
