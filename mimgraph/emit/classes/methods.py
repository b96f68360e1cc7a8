"""Write the methods of an emitted class: `__init__`, `train` and `forward`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from mimgraph.emit.classes.arguments import Argument
from mimgraph.emit.classes.draft import Draft
from mimgraph.emit.classes.frozen import train, without_gradients
from mimgraph.emit.format.statements import Assign, Expr, Function, Parameter, Statement
from mimgraph.emit.tree import spell
from mimgraph.ir.code import Call, Code, Constant, Dict, Name


def methods(
    draft: Draft,
    inits: tuple[tuple[str, Code], ...],
    statements: tuple[Statement, ...],
    arguments: tuple[Argument, ...],
    defaults: tuple[tuple[str, Any], ...],
    stored: Mapping[str, str],
) -> tuple[Function, ...]:
    """Return the methods of a class, whose `inits` and `statements` are code over its `arguments`.

    `stored` are the arguments that the forward reads, each with the attribute that keeps it.
    """
    parameters = tuple(
        Parameter(a.spelled, _annotation(a.values), _default(a, defaults)) for a in arguments
    )
    init = _init(draft, inits, parameters, stored) if inits or arguments else ()
    return (*init, *train(draft.frozen, draft.partly_frozen), *_forward(draft, statements))


def _init(
    draft: Draft,
    inits: tuple[tuple[str, Code], ...],
    parameters: tuple[Parameter, ...],
    stored: Mapping[str, str],
) -> tuple[Function, ...]:
    body: list[Statement] = []
    spelled = {id(code): code for _, code in inits}  # equal modules of several nodes are one code
    spelled = {key: spell(code) for key, code in spelled.items()}
    if draft.base == "nn.Sequential":
        items = tuple([spelled[id(code)] for _, code in inits])
        body.append(Expr(Call(Name("super().__init__"), items)))
    else:
        body.append(Expr(Call(Name("super().__init__"), _by_key(draft.attributes))))
        body.extend(
            Assign((f"self.{attribute}",), Name(name)) for name, attribute in stored.items()
        )
        body.extend(Assign((f"self.{name}",), spelled[id(code)]) for name, code in inits)
    body.extend(without_gradients(draft.partly_frozen))
    if draft.frozen or any(parts.modules for parts in draft.partly_frozen):
        body.append(Expr(Call(Name("self.train"))))  # which leaves the frozen ones out
    return (Function("__init__", parameters, False, "None", tuple(body)),)


def _by_key(attributes: Iterable[tuple[str, str]]) -> tuple[Code, ...]:
    """Return the argument of a `_Keyed`, the attributes by key; nothing if all keys are attributes."""
    named = tuple((key, Constant(name)) for key, name in attributes)
    return (Dict(named),) if named else ()


def _default(argument: Argument, defaults: Iterable[tuple[str, Any]]) -> Code | None:
    return next((Constant(value) for name, value in defaults if name == argument.spelled), None)


def _annotation(values: Iterable[Any]) -> str:
    """Return the type of values as it is written: `int`, or `int | None`."""
    names = dict.fromkeys(map(_type_name, values))
    if "float" in names:
        names.pop("int", None)
    has_none = "None" in names
    names.pop("None", None)
    return " | ".join([*names, *(["None"] if has_none else [])]) or "None"


def _type_name(value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int):
        return "int"
    if isinstance(value, float):
        return "float"
    if isinstance(value, tuple):
        inner = _annotation(value) if value else "int"
        return f"tuple[{inner}, ...]"
    return "None" if value is None else "str"


def _forward(draft: Draft, statements: tuple[Statement, ...]) -> tuple[Function, ...]:
    if not statements:
        return ()
    parameters = tuple(
        Parameter(name, "Tensor | None", Constant(None) if draft.may_leave_out else None)
        if name in draft.optional
        else Parameter(name, "Tensor")
        for name in draft.inputs
    )
    parameters += tuple(Parameter(name, "nn.Module") for name in draft.modules)
    return (Function("forward", parameters, draft.keyword_only, draft.returns, statements),)
