"""The uses of a class compared: what differs between them becomes an argument of its constructor."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import field, replace
from typing import Any, NamedTuple

from mimgraph.emit.classes.attributes import TAKEN
from mimgraph.emit.classes.frozen import train
from mimgraph.emit.format.statements import (
    Assign,
    Class,
    Expr,
    For,
    Function,
    If,
    Parameter,
    Statement,
)
from mimgraph.emit.tree import Construct, rebuild_statement, same_constant, spell
from mimgraph.ir.code import Binary, Call, Code, Constant, Dict, Name, Unary, rebuild
from mimgraph.ir.expression import (
    Arithmetic,
    Expression,
    ExpressionError,
    Negative,
    Number,
    Variable,
    evaluate,
    variables,
)
from mimgraph.support.frozen_data import data

Spell = Callable[[str], Code]  # an argument as it is written where it is used

# of several names for the same values, the first of these
PREFERRED = ("in_channels", "in_features", "input_size", "embed_dim")


@data
class Draft:
    """A class as one use needs it, every constant a literal.

    `inits` are attributes and their modules; of an `nn.Sequential` the attributes are "". `params`
    are the block's own; those of the spec, the same in every use, are `spec_params`. The caller
    `may_leave_out` optional inputs. The nodes of `attributes` are not kept by their own names. The `frozen` modules stay in evaluation mode.
    """

    base: str
    inits: tuple[tuple[str, Code], ...]
    inputs: tuple[str, ...]
    returns: str
    statements: tuple[Statement, ...]
    params: Mapping[str, Any]
    defaults: Mapping[str, Any]
    dims: Mapping[str, Any]
    spec_params: Mapping[str, Any] = field(default_factory=dict)
    keyword_only: bool = False
    may_leave_out: bool = False
    attributes: tuple[tuple[str, str], ...] = ()
    frozen: tuple[Code, ...] = ()
    doc: str = ""
    optional: frozenset[str] = frozenset()


class Argument(NamedTuple):
    """Holds an argument of the constructor: its value at each use, and its name in the code."""

    name: str
    values: tuple[Any, ...]
    is_param: bool
    spelled: str = ""


@data
class Lifted:
    """A class, and how each of its uses constructs it."""

    definition: Class
    arguments: tuple[Argument, ...]
    defaults: tuple[tuple[str, Any], ...]

    def construct(self, use: int, given: Mapping[str, Any]) -> Construct:
        """The call that makes use number `use`; `given` are the params as its user wrote them."""
        found: list[tuple[str, Code]] = []
        for argument in self.arguments:
            value = argument.values[use]
            origin = getattr(given.get(argument.name), "written", None)
            found.append((argument.spelled, Constant(value, argument.name, origin)))
        positional = sum(not argument.is_param for argument in self.arguments)
        return Construct(self.definition.name, tuple(found), positional, self.defaults)


def skeleton(draft: Draft) -> Any:
    """What two uses must have in common to be one class: everything but constants and comments."""
    return (
        draft.base,
        draft.attributes,
        tuple((attribute, rebuild(code, _blank)) for attribute, code in draft.inits),
        draft.inputs,
        draft.optional,
        draft.returns,
        tuple(_uncommented(rebuild_statement(s, _blank)) for s in draft.statements),
    )


def _blank(part: Code) -> Code | None:
    return Constant(None, part.name) if isinstance(part, Constant) else None


def _uncommented(statement: Statement) -> Statement:
    if isinstance(statement, For):
        return replace(statement, body=tuple(map(_uncommented, statement.body)))
    if isinstance(statement, If):
        body, orelse = (tuple(map(_uncommented, s)) for s in (statement.body, statement.orelse))
        return replace(statement, body=body, orelse=orelse)
    return replace(statement, comment="") if isinstance(statement, Assign) else statement


def lift(name: str, drafts: list[Draft], taken: Collection[str]) -> Lifted:
    """Make one class of drafts that differ in values only; no argument gets one of the names
    `taken` by the file."""
    first = drafts[0]
    if len(drafts) == 1:  # nothing varies
        body = _methods(first, _init(first, first.inits, (), (), {}), first.statements)
        return Lifted(Class(name, first.base, first.doc, body), (), ())
    columns = _columns(drafts)
    plan = _Explained(drafts, columns, taken)
    attributes = {attribute for attribute, _ in first.inits}
    stored: dict[str, str] = {}  # arguments that forward needs, by name

    def in_forward(argument: str) -> Code:
        spelled = plan.spelled[argument]
        if spelled not in stored:
            attribute = argument
            while attribute in attributes or attribute in TAKEN:
                attribute += "_"
            attributes.add(attribute)
            stored[spelled] = attribute
        return Name(f"self.{stored[spelled]}")

    def in_init(argument: str) -> Code:
        return Name(plan.spelled[argument])

    position = iter(range(len(columns)))

    def lifted(part: Code, name_of: Spell) -> Code | None:
        return plan.code(next(position), name_of) if isinstance(part, Constant) else None

    inits = tuple(
        (attribute, rebuild(code, lambda part: lifted(part, in_init)))
        for attribute, code in first.inits
    )
    statements = tuple(
        rebuild_statement(statement, lambda part: lifted(part, in_forward))
        for statement in _agreed(drafts)
    )
    init = _init(first, inits, plan.arguments, plan.defaults, stored)
    body = _methods(first, init, statements)
    return Lifted(Class(name, first.base, first.doc, body), plan.arguments, plan.defaults)


class Column(NamedTuple):
    """One constant of a class over all its uses."""

    values: tuple[Any, ...]
    name: str
    written: Expression | None
    varies: bool


def _columns(drafts: list[Draft]) -> list[Column]:
    """The constants of the drafts, in the order in which rebuilding meets them."""
    rows = [_constants(draft) for draft in drafts]
    columns = []
    for cells in zip(*rows, strict=True):
        values = tuple(cell.value for cell in cells)
        written = cells[0].written
        uses = zip(drafts, cells, strict=True)
        if written is None or not all(
            c.written == written and _computes(written, draft, c.value) for draft, c in uses
        ):
            written = None
        columns.append(Column(values, cells[0].name, written, not _constant(values)))
    return columns


def _computes(written: Expression, draft: Draft, value: Any) -> bool:
    """Whether an expression gives the value at this use. A size remembers the expression of the
    block that made it, whose names may mean something else here."""

    def lookup(variable: Variable) -> Any:
        for names in (draft.dims, draft.params, draft.spec_params):
            if variable.name in names:
                return names[variable.name]
        raise ExpressionError(f"{variable.name} is of another block")

    try:
        return bool(_canonical(evaluate(written, lookup)) == value)
    except ExpressionError:
        return False


def _constants(draft: Draft) -> list[Constant]:
    found: list[Constant] = []

    def note(part: Code) -> Code | None:
        if isinstance(part, Constant):
            found.append(part)
            return part
        return None

    for _, code in draft.inits:
        rebuild(code, note)
    for statement in draft.statements:
        rebuild_statement(statement, note)
    return found


class _Explained:
    """Every varying constant as code over the arguments of the constructor."""

    def __init__(self, drafts: list[Draft], columns: list[Column], taken: Collection[str]) -> None:
        self.drafts = drafts
        self.columns = columns
        self.params: dict[str, Argument] = {}
        self.derived: list[Argument] = []
        self.codes: dict[int, Expression | str] = {}
        self.explain()
        order = list(drafts[0].params)
        params = sorted(
            self.params.values(), key=lambda a: (self.has_default(a), order.index(a.name))
        )
        self.spelled = _spelled([a.name for a in (*self.derived, *params)], taken)
        self.arguments = tuple(
            argument._replace(spelled=self.spelled[argument.name])
            for argument in (*self.derived, *params)
        )
        self.defaults = tuple(
            (self.spelled[a.name], _canonical(drafts[0].defaults[a.name]))
            for a in params
            if self.has_default(a)
        )

    def has_default(self, argument: Argument) -> bool:
        return self.drafts[0].defaults.get(argument.name) is not None

    def explain(self) -> None:
        """By the first of: a param, a written expression, an argument of the same values, a new one."""
        plain: list[int] = []
        written: dict[int, Expression] = {}
        for index, column in enumerate(self.columns):
            if not column.varies:
                continue
            if (param := self.param_of(column)) is not None:
                self.codes[index] = self.use_param(param)
            elif column.written is not None:
                written[index] = column.written
            else:
                plain.append(index)
        self.derive(plain, written)
        self.codes |= written
        for expression in written.values():
            for variable in variables(expression):
                self.bind(variable.name)

    def param_of(self, column: Column) -> str | None:
        """The param that explains a column: the one that was written, else one of the same values."""
        if isinstance(column.written, Variable) and column.written.name in self.drafts[0].params:
            return column.written.name
        if column.written is not None:
            return None
        for name in self.drafts[0].params:
            if _same_values(self.param_values(name), column.values):
                return name
        return None

    def param_values(self, name: str) -> tuple[Any, ...]:
        return tuple(_canonical(draft.params[name]) for draft in self.drafts)

    def meaning(self, name: str) -> tuple[bool, tuple[Any, ...]]:
        """Whether a name of an expression is a param, and its values; a dimension hides a param,
        a param one of the spec."""
        if name in self.drafts[0].dims:
            return False, tuple(draft.dims[name] for draft in self.drafts)
        if name in self.drafts[0].params:
            return True, self.param_values(name)
        return False, (_canonical(self.drafts[0].spec_params[name]),) * len(self.drafts)

    def use_param(self, name: str) -> str:
        self.params.setdefault(name, Argument(name, self.param_values(name), True))
        return name

    def derive(self, indices: list[int], written: dict[int, Expression]) -> None:
        """New arguments, one for each distinct column, where no written arithmetic has its values."""
        arithmetic = {i: e for i, e in written.items() if not isinstance(e, Variable)}
        groups: list[list[int]] = []
        for index in indices:
            for group in groups:
                if _same_values(self.columns[group[0]].values, self.columns[index].values):
                    group.append(index)
                    break
            else:
                groups.append([index])
        for group in groups:
            values = self.columns[group[0]].values
            same = (i for i in arithmetic if _same_values(self.columns[i].values, values))
            if (found := next(same, None)) is not None:
                self.codes |= dict.fromkeys(group, arithmetic[found])
                continue
            names = [self.columns[index].name for index in group if self.columns[index].name]
            wanted = next((name for name in PREFERRED if name in names), [*names, "value"][0])
            self.codes |= dict.fromkeys(group, self.new(wanted, values))

    def new(self, wanted: str, values: tuple[Any, ...]) -> str:
        taken = {*self.drafts[0].params, *(argument.name for argument in self.derived)}
        name, number = wanted, 1
        while name in taken:
            number += 1
            name = f"{wanted}_{number}"
        self.derived.append(Argument(name, values, False))
        return name

    def bind(self, name: str) -> None:
        """See that a name of a written expression has an argument, if it varies."""
        is_param, values = self.meaning(name)
        if _constant(values):
            return
        if is_param:
            self.use_param(name)
        elif self.argument_of(values) is None:
            self.new(name, values)

    def argument_of(self, values: tuple[Any, ...]) -> str | None:
        for argument in (*self.derived, *self.params.values()):
            if _same_values(argument.values, values):
                return argument.name
        return None

    def code(self, index: int, name_of: Spell) -> Code:
        """The constant number `index`: a literal, or code over arguments; `name_of` spells one."""
        column = self.columns[index]
        if not column.varies:
            return Constant(column.values[0], column.name)
        explained = self.codes[index]
        if isinstance(explained, str):
            return name_of(explained)
        return self.expression(explained, name_of)

    def expression(self, expression: Expression, name_of: Spell) -> Code:
        match expression:
            case Number(value):
                return Constant(value)
            case Negative(operand):
                return Unary("-", self.expression(operand, name_of))
            case Arithmetic(operator, left, right):
                sides = (self.expression(left, name_of), self.expression(right, name_of))
                return Binary(operator, *sides)
            case Variable(name):
                is_param, values = self.meaning(name)
                if _constant(values):
                    return Constant(values[0])
                argument = name if is_param else self.argument_of(values)
                assert argument is not None  # `bind` has seen to it
                return name_of(argument)
        raise TypeError(expression)


def _spelled(names: list[str], taken: Collection[str]) -> dict[str, str]:
    """Return the name of each argument in the code: with underscores added where the name is taken."""
    found: dict[str, str] = {}
    for name in names:
        found[name] = name
        while found[name] in taken or (found[name] != name and found[name] in names):
            found[name] += "_"
    return found


def _canonical(value: Any) -> Any:
    return tuple(map(_canonical, value)) if isinstance(value, list | tuple) else value


def _constant(values: tuple[Any, ...]) -> bool:
    return all(same_constant(value, values[0]) for value in values)


def _same_values(left: tuple[Any, ...], right: tuple[Any, ...]) -> bool:
    return all(same_constant(a, b) for a, b in zip(left, right, strict=True))


def _agreed(drafts: list[Draft]) -> tuple[Statement, ...]:
    """The statements of the first use, without the comments on which the others disagree."""
    found = []
    for index, statement in enumerate(drafts[0].statements):
        others = [draft.statements[index] for draft in drafts]
        found.append(
            statement
            if all(_comment(o) == _comment(statement) for o in others)
            else _uncommented(statement)
        )
    return tuple(found)


def _comment(statement: Statement) -> Any:
    if isinstance(statement, For):
        return tuple(map(_comment, statement.body))
    if isinstance(statement, If):
        return tuple(map(_comment, (*statement.body, *statement.orelse)))
    return statement.comment if isinstance(statement, Assign) else ""


# the methods


def _methods(
    draft: Draft, init: tuple[Function, ...], statements: tuple[Statement, ...]
) -> tuple[Function, ...]:
    return (*init, *train(draft.frozen), *_forward(draft, statements))


def _init(
    draft: Draft,
    inits: tuple[tuple[str, Code], ...],
    arguments: tuple[Argument, ...],
    defaults: tuple[tuple[str, Any], ...],
    stored: Mapping[str, str],
) -> tuple[Function, ...]:
    """`__init__`, or nothing where the class needs none."""
    if not inits and not arguments:
        return ()
    parameters = tuple(
        Parameter(a.spelled, _annotation(a.values), _default(a, defaults)) for a in arguments
    )
    body: list[Statement] = []
    spelled = {id(code): code for _, code in inits}  # what several nodes are made by is one code
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
    if draft.frozen:
        body.append(Expr(Call(Name("self.train"))))  # which leaves the frozen ones out
    return (Function("__init__", parameters, False, "None", tuple(body)),)


def _by_key(attributes: Iterable[tuple[str, str]]) -> tuple[Code, ...]:
    """Return the argument of a `_Keyed`, the attributes by key; nothing if all keys are attributes."""
    named = tuple((key, Constant(name)) for key, name in attributes)
    return (Dict(named),) if named else ()


def _default(argument: Argument, defaults: Iterable[tuple[str, Any]]) -> Code | None:
    return next((Constant(value) for name, value in defaults if name == argument.spelled), None)


def _annotation(values: Iterable[Any]) -> str:
    """`int`, or `int | None`."""
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
    return (Function("forward", parameters, draft.keyword_only, draft.returns, statements),)
