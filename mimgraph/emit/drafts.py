"""Draft a class as each use of a block needs it, and explain what differs by arguments."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from mimgraph.emit.frozen import NOTHING_FROZEN, Frozen
from mimgraph.emit.tree import Assign, Statement, same_constant
from mimgraph.ir.code import Binary, Code, Constant, Unary, rebuild, walk
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
from mimgraph.ir.names import free_name


@dataclass(frozen=True, slots=True)
class Draft:
    """A class as one use needs it, every constant a literal.

    `inits` are attributes and their modules; in an `nn.Sequential` the attributes are "". `attributes`
    are nodes that have another attribute than their name, each with that attribute. `params` are the
    block's own, `spec_params` those of the spec, the same in every use. The caller `may_leave_out`
    optional inputs. The `frozen` modules and parts stay in evaluation mode. The forward takes outer `modules` after its
    inputs.
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
    frozen: Frozen = NOTHING_FROZEN
    doc: str = ""
    optional: frozenset[str] = frozenset()
    modules: tuple[str, ...] = ()


def skeleton(draft: Draft) -> Hashable:
    """Return what drafts of one class have in common: everything but constants and comments."""
    return (
        draft.base,
        draft.attributes,
        draft.frozen.parts,
        tuple((attribute, rebuild(code, _blank)) for attribute, code in draft.inits),
        draft.inputs,
        draft.modules,
        draft.optional,
        draft.returns,
        tuple(statement.rebuilt(_blank) for statement in draft.statements),
    )


def _blank(part: Code) -> Code | None:
    return Constant(None, part.name) if isinstance(part, Constant) else None


def constants(draft: Draft) -> list[Constant]:
    """Return the constants of a draft, in the order in which rebuilding meets them."""
    codes = [code for _, code in draft.inits]
    return [part for part in walk(*codes, *draft.statements) if isinstance(part, Constant)]


def agreed(drafts: list[Draft]) -> tuple[Statement, ...]:
    """Return the statements of the first draft, without comments on which the others disagree."""
    rows = zip(*(draft.statements for draft in drafts), strict=True)
    return tuple(
        row[0] if len(set(map(_comments, row))) == 1 else _uncommented(row[0]) for row in rows
    )


def _comments(statement: Statement) -> tuple[str, ...]:
    return tuple(part.comment for part in walk(statement) if isinstance(part, Assign))


def _uncommented(statement: Statement) -> Statement:
    if isinstance(statement, Assign):
        return replace(statement, comment="")
    return statement.rebuilt(lambda s: replace(s, comment="") if isinstance(s, Assign) else None)


# Explain the constants that differ between the uses of a class by arguments of its constructor.


Spell = Callable[[str], Code]  # an argument as it is written where it is used

# of several names for the same values, the first of these
PREFERRED = ("in_channels", "in_features", "input_size", "embed_dim")


class Argument(NamedTuple):
    """An argument of the constructor: its value at each use, and its name as `spelled` in the code."""

    name: str
    values: tuple[Any, ...]
    is_param: bool
    spelled: str = ""


class Column(NamedTuple):
    """One constant of a class over all its uses; `written` is the expression that gives each value."""

    values: tuple[Any, ...]
    name: str
    written: Expression | None
    varies: bool


def columns_of(drafts: list[Draft]) -> list[Column]:
    """Return the constants of the drafts, in the order in which rebuilding meets them."""
    rows = [constants(draft) for draft in drafts]
    columns = []
    for cells in zip(*rows, strict=True):
        values = tuple(cell.value for cell in cells)
        written = cells[0].written
        uses = zip(drafts, cells, strict=True)
        if written is None or not all(
            c.written == written and _computes(written, draft, c.value) for draft, c in uses
        ):
            written = None
        columns.append(Column(values, cells[0].name, written, not _is_constant(values)))
    return columns


def _computes(written: Expression, draft: Draft, value: Any) -> bool:
    """Return whether an expression gives the value at this use.

    A size remembers the expression of the block that made it; its names may mean others here.
    """

    def lookup(variable: Variable) -> Any:
        for names in (draft.dims, draft.params, draft.spec_params):
            if variable.name in names:
                return names[variable.name]
        raise ExpressionError(f"{variable.name} is of another block")

    try:
        return bool(_canonical(evaluate(written, lookup)) == value)
    except ExpressionError:
        return False


class Explained:
    """Every constant of a class as code over the arguments of its constructor.

    What varies is explained by the first of: a param of the block, an expression as written, another
    argument with the same values, a new argument. Params come last, by keyword.
    """

    def __init__(self, drafts: list[Draft], taken: Collection[str]) -> None:
        self.drafts = drafts
        self.columns = columns_of(drafts)
        self.params: dict[str, Argument] = {}
        self.derived: list[Argument] = []
        self.codes: dict[int, Expression | str] = {}  # an expression or argument, by column
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
        """Find what explains each column that varies, and the arguments that takes."""
        plain: list[int] = []
        written: dict[int, Expression] = {}
        for index, column in enumerate(self.columns):
            if not column.varies:
                continue
            if (param := self.param_of(column)) is not None:
                self.codes[index] = self.use_param(param)
            elif column.written is not None:
                written[index] = self.shortest(column.written, column.values)
            else:
                plain.append(index)
        self.derive(plain, written)
        self.codes |= written
        for expression in written.values():
            for variable in variables(expression):
                self.bind(variable.name)

    def param_of(self, column: Column) -> str | None:
        """Return the param that explains a column: the one written, else one with the same values."""
        if isinstance(column.written, Variable) and column.written.name in self.drafts[0].params:
            return column.written.name
        if column.written is not None:
            return None
        for name in self.drafts[0].params:
            if _same_values(self.param_values(name), column.values):
                return name
        return None

    def shortest(self, written: Expression, values: tuple[Any, ...]) -> Expression:
        """Return the expression, or a size of the block in place of long arithmetic of the same values.

        Ops that split an axis and join it again compute such sizes: `h * (D // h)`.
        """
        match written:
            case Arithmetic(_, left, right) if Arithmetic in (type(left), type(right)):
                pass
            case _:
                return written
        dims = {name: [draft.dims[name] for draft in self.drafts] for name in self.drafts[0].dims}
        same = (name for name, sizes in dims.items() if _same_values(tuple(sizes), values))
        return next((Variable(name) for name in same), written)

    def param_values(self, name: str) -> tuple[Any, ...]:
        return tuple(_canonical(draft.params[name]) for draft in self.drafts)

    def meaning(self, name: str) -> tuple[bool, tuple[Any, ...]]:
        """Return whether a name in an expression is a param, and its values.

        A dimension hides a param of the block, and that one of the spec.
        """
        if name in self.drafts[0].dims:
            return False, tuple(draft.dims[name] for draft in self.drafts)
        if name in self.drafts[0].params:
            return True, self.param_values(name)
        return False, (_canonical(self.drafts[0].spec_params[name]),) * len(self.drafts)

    def use_param(self, name: str) -> str:
        """Make a param an argument, and return its name."""
        self.params.setdefault(name, Argument(name, self.param_values(name), True))
        return name

    def derive(self, indices: list[int], written: dict[int, Expression]) -> None:
        """Explain columns by written arithmetic of the same values, else by a new argument each."""
        arithmetic = {i: e for i, e in written.items() if not isinstance(e, Variable)}
        for group in self.alike(indices):
            values = self.columns[group[0]].values
            same = (i for i in arithmetic if _same_values(self.columns[i].values, values))
            if (found := next(same, None)) is not None:
                self.codes |= dict.fromkeys(group, arithmetic[found])
                continue
            names = [self.columns[index].name for index in group if self.columns[index].name]
            wanted = next((name for name in PREFERRED if name in names), [*names, "value"][0])
            self.codes |= dict.fromkeys(group, self.new(wanted, values))

    def alike(self, indices: list[int]) -> list[list[int]]:
        """Return the columns in groups of equal values."""
        groups: list[list[int]] = []
        for index in indices:
            values = self.columns[index].values
            same = (g for g in groups if _same_values(self.columns[g[0]].values, values))
            group = next(same, None)
            if group is None:
                groups.append([index])
            else:
                group.append(index)
        return groups

    def new(self, wanted: str, values: tuple[Any, ...]) -> str:
        """Add an argument, and return its name, numbered if another has it."""
        taken = {*self.drafts[0].params, *(argument.name for argument in self.derived)}
        name = free_name(wanted, taken)
        self.derived.append(Argument(name, values, False))
        return name

    def bind(self, name: str) -> None:
        """Make sure that a name in a written expression has an argument if it varies."""
        is_param, values = self.meaning(name)
        if _is_constant(values):
            return
        if is_param:
            self.use_param(name)
        elif self.argument_of(values) is None:
            self.new(name, values)

    def argument_of(self, values: tuple[Any, ...]) -> str | None:
        """Return the argument that has these values."""
        for argument in (*self.derived, *self.params.values()):
            if _same_values(argument.values, values):
                return argument.name
        return None

    def code(self, index: int, name_of: Spell) -> Code:
        """Return a column's constant as a literal, or as code over arguments that `name_of` spells."""
        column = self.columns[index]
        if not column.varies:
            return Constant(column.values[0], column.name)
        explained = self.codes[index]
        if isinstance(explained, str):
            return name_of(explained)
        return self.expression(explained, name_of)

    def expression(self, expression: Expression, name_of: Spell) -> Code:
        """Return a written expression as code over arguments."""
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
                if _is_constant(values):
                    return Constant(values[0])
                argument = name if is_param else self.argument_of(values)
                assert argument is not None  # `bind` made one
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
    """Return the value with lists as tuples."""
    return tuple(map(_canonical, value)) if isinstance(value, list | tuple) else value


def _is_constant(values: tuple[Any, ...]) -> bool:
    return all(same_constant(value, values[0]) for value in values)


def _same_values(left: tuple[Any, ...], right: tuple[Any, ...]) -> bool:
    return all(same_constant(a, b) for a, b in zip(left, right, strict=True))
