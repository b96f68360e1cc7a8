"""Define formula: compile arithmetic over named sources to code and its dtype."""

from __future__ import annotations

import math
from collections.abc import Callable, Container, Mapping, Sequence
from typing import Any, NamedTuple

from mimgraph.diagnostics.text import drop
from mimgraph.ir.code import (
    Attribute,
    Binary,
    Code,
    Constant,
    Name,
    Operand,
    RuntimeSize,
    Unary,
    call,
)
from mimgraph.ir.dim import MAX_DEGREE, Dim, DimOverflow, Size
from mimgraph.ir.expression import (
    COMPARISONS,
    JOINING,
    Arithmetic,
    Expression,
    ExpressionError,
    FunctionCall,
    Negative,
    Not,
    Number,
    Variable,
    WrittenText,
    evaluate,
    explained,
    parse_formula,
    variables,
)
from mimgraph.ir.lowering import Lowering
from mimgraph.ir.types import COMPLEX, FLOATING, INTEGER, Constraint
from mimgraph.ops.layer_call import merge
from mimgraph.ops.merges.agreement import agreed
from mimgraph.ops.merges.elementwise import Kind, kind_of, promoted
from mimgraph.ops.merges.notation import foreign_to_formulas, function_help, name_help
from mimgraph.ops.merges.term import LIMIT, SIZE, Term, domain, number
from mimgraph.ops.op import NamedSources, OpFault
from mimgraph.ops.rule_helpers import TRUE, as_float, real


@merge(family="formula")
def formula(sources: NamedSources, /, expr: str, *, broadcast: bool = False) -> Lowering:
    """An arithmetic expression of the sources: "g * a + (1 - g) * b", (*), (*) -> (*).

    It may contain + - * / // % **, comparisons, `and`, `or`, `not`, `pi`, and the functions abs sign round
    floor ceil exp log sqrt sin cos erf sigmoid tanh relu softplus where minimum maximum clamp. Integers stay
    integers, except for `/`. `$name` is a param or a size of the inputs, `$(...)` arithmetic of them; in
    Python a keyword gives a number or size, `formula("x / sqrt(n)", x=x, n=x.dims[0])`.

    A tensor has inf or nan where torch has them. Sizes alone do not: `x * sqrt($T - 9)` requires
    T >= 9, and `x * (1 / ($T - 5))` requires T != 5, at run time. A float result has the dtype of the
    model: write large angles inside, `cos(position * rate)`, as bfloat16 rounds them between two nodes.

    Example:
        gate: [64]
        image: [64]
        text: [64]
        {merge: formula, expr: "g * a + (1 - g) * b", from: {g: gate, a: image, b: text}}
    """
    if not sources:
        raise OpFault("wrong-arity", "formula takes at least 1 source, not 0")
    text, params = (expr.template, expr.values) if isinstance(expr, WrittenText) else (expr, {})
    try:
        expression, names = _parsed(text)
        _check_names(names, {*sources, *CONSTANTS, *(f"${name}" for name in params)}, sources)
        frame = agreed(sources, "formula", broadcast)
        compiler = Compiler(sources, params)
        term = compiler.followed(compiler.term(expression))
    except ExpressionError as fault:
        error = explained(fault, text, foreign_to_formulas(FUNCTIONS), sources)
        within = (error.start, error.end)
        unknown = text[error.start : error.end] if error.code == "unknown-source" else ""
        raise OpFault(
            *(error.code, error.message),
            option="expr",
            help=error.help,
            within=within,
            unknown=unknown,
        ) from None
    result = frame.cast(term.kind.dtype)
    return Lowering(result, call=term.code, requires=tuple(compiler.requires))


def _parsed(text: str) -> tuple[Expression, tuple[Variable, ...]]:
    """Return a parsed formula and its names; cached, as each use of a block parses it again."""
    expression = parse_formula(text)
    return expression, tuple(variables(expression))


def _check_names(names: Sequence[Variable], known: Container[str], sources: NamedSources) -> None:
    """Refuse a name that is no source or param, and a source that is not used."""
    used = set()
    for variable in names:
        used.add(variable.name)
        if variable.name not in known:
            raise ExpressionError(
                f"the formula has no source {variable.name!r}",
                variable.start,
                variable.end,
                code="unknown-source",
                help=name_help(variable.name, sources, FUNCTIONS),
            )
    unused = next((name for name in sources if name not in used), None)
    if unused is not None:
        message = f"the formula does not use {unused!r}"
        help = f"use it in expr, or remove {drop('it')}"
        raise OpFault("wrong-arity", message, source=unused, help=help)


class Compiler:
    """Compiles expressions to terms; an expression of numbers only is computed."""

    def __init__(self, sources: NamedSources, params: Mapping[str, int | float | Dim]) -> None:
        self.sources = sources
        self.params = params
        self.requires: list[Constraint] = []
        floats = (Operand(name) for name, x in sources.items() if x.dtype == "float32")
        self.float_source = next(floats, None)

    def term(self, expression: Expression) -> Term:
        """Return the term of an expression."""
        match expression:
            case Number(value):
                return number(value)
            case Variable(name) if name.startswith("$"):
                given = self.params[name[1:]]
                if isinstance(given, Dim):
                    return Term(RuntimeSize(given), Kind("int64", 0), size=given)
                return number(given, Variable(name[1:]))
            case Variable(name) if name in self.sources:
                return Term(Operand(name), kind_of(self.sources[name]))
            case Variable(name):
                return CONSTANTS[name]
            case Negative(operand):
                return _negative(self.term(operand))
            case Not(operand):
                return _joined("not", self.term(operand))
            case Arithmetic(operator, left, right) if operator in JOINING:
                return _joined(operator, self.term(left), self.term(right))
            case Arithmetic(operator, left, right):
                one, other = self.term(left), self.term(right)
                if operator not in COMPARISONS:
                    one, other = self.alike(one, other)
                self.requires += domain(operator, one, other)
                return _arithmetic(operator, one, other)
            case FunctionCall(name, arguments, start, end):
                return self.call(name, self.alike(*map(self.term, arguments)), start, end)
        raise TypeError(expression)

    def alike(self, *terms: Term) -> tuple[Term, ...]:
        """Return the terms, cast where torch computes float32 from integers and another term is a
        float tensor, which may have another dtype at run time."""
        if not any(term.kind.fixed for term in terms):
            return terms
        levels = [t.kind.level for t in terms if t.kind.dtype == "float32" and not t.kind.fixed]
        if not levels:
            return terms
        return tuple(self.followed(t) if t.kind.level >= max(levels) else t for t in terms)

    def followed(self, term: Term) -> Term:
        """Return a term, cast to the dtype of a float source if torch always computes it in float32."""
        if not term.kind.fixed or term.is_number or self.float_source is None:
            return term
        code = term.code.method("to", Attribute(self.float_source, "dtype"))
        return Term(code, Kind("float32", term.kind.level))

    def call(self, name: str, arguments: Sequence[Term], start: int, end: int) -> Term:
        """Return the term of a function call."""
        function = FUNCTIONS.get(name)
        if function is None:
            raise ExpressionError(
                f"there is no function {name!r}",
                start,
                end,
                help=function_help(name, len(arguments), FUNCTIONS),
            )
        if len(arguments) != function.arity:
            wanted = f"{function.arity} argument{'s' if function.arity > 1 else ''}"
            message, help = f"{name} takes {wanted}, not {len(arguments)}", USAGE.get(name, "")
            raise ExpressionError(message, start, end, help=help)
        if not all(argument.is_number for argument in arguments):
            return function.tensors(name, *arguments)
        if all(argument.value is not None for argument in arguments):
            found = number(_computed(name, function, arguments, start, end))
            return _root(arguments[0], found) if name == "sqrt" else found
        if name == "sqrt":
            self.requires += domain("**", arguments[0], number(0.5))
            return _of_numbers("**", arguments[0], number(0.5))
        message = f"{name} takes a source, not just sizes known only at run time"
        raise ExpressionError(message, start, end, help="of the functions only sqrt takes a size")


class Function(NamedTuple):
    """A function that formulas may call: its implementation for numbers, and its code for tensors."""

    arity: int
    numbers: Callable[..., Any]
    tensors: Callable[..., Term]


def _computed(
    name: str, function: Function, arguments: Sequence[Term], start: int, end: int
) -> int | float:
    """Return the value of a function of numbers; refuse one that is not finite."""
    try:
        value = function.numbers(*(argument.value for argument in arguments))
    except (ValueError, OverflowError):
        value = math.inf
    if not math.isfinite(value):
        raise ExpressionError(f"{name} has no value here", start, end)
    return value  # type: ignore[no-any-return]


def _negative(term: Term) -> Term:
    if term.value is not None:
        negative = number(-term.value, Negative(term.written))
        return _with_names(negative, Unary("-", term.code), term)
    _refuse("-", term, ("bool",))
    return Term(
        Unary("-", term.code),
        term.kind,
        size=None if term.size is None else -term.size,
        over=term.over,
    )


def _arithmetic(operator: str, left: Term, right: Term) -> Term:
    """Return the term of an operator of two terms, in torch's dtype; refuse dtypes that torch refuses."""
    code = Binary(operator, left.code, right.code)
    if left.is_number and right.is_number:
        return _of_numbers(operator, left, right)
    kind = promoted(left.kind, right.kind)
    if operator in COMPARISONS:
        if operator not in ("==", "!="):
            _refuse(operator, Term(code, kind), COMPLEX)
        return Term(code, Kind("bool", kind.level))
    if operator == "/":
        dtype = as_float(kind.dtype)
        return Term(code, Kind(dtype, kind.level, kind.fixed or dtype != kind.dtype))
    if operator == "-":
        for side in (left, right):
            _refuse("-", side, ("bool",))
    elif operator in ("//", "%"):
        _refuse(operator, Term(code, kind), ("bool", *COMPLEX))
    elif operator == "**":
        _check_power(right, Term(code, kind))
    return Term(code, kind)


def _of_numbers(operator: str, left: Term, right: Term) -> Term:
    """Return the term of an operator of two numbers, computed if both are known."""
    code = Binary(operator, left.code, right.code)
    if left.value is not None and right.value is not None:
        expression = Arithmetic(operator, Number(left.value), Number(right.value))
        computed = number(
            evaluate(expression, _no_name), Arithmetic(operator, left.written, right.written)
        )
        return _with_names(computed, code, left, right)
    if operator in COMPARISONS:
        raise ExpressionError("a formula compares sources, and here are two numbers")
    kind = promoted(left.kind, right.kind)
    if operator == "**" and kind.dtype == "int64":
        power = -1 if right.value is None else right.value
        if not 0 <= power <= MAX_DEGREE:
            help = f"a power may be a float, 2.0 ** {SIZE} or {SIZE} ** 2.0"
            raise ExpressionError("a power of sizes may need more than 64 bits", help=help)
    kind = Kind("float32", 0, True) if operator == "/" else kind
    above_zero = operator in ("+", "*", "/", "**") and left.is_positive and right.is_positive
    size, over = _ratio(operator, left, right) or (None, 1)
    return Term(code, kind, None, size, over, above_zero, _zero(operator, left, right))


def _zero(operator: str, left: Term, right: Term) -> Size | None:
    """Return a size that is 0 where the result of an operator is; None if none is known."""
    one, other = left.zero_with, right.zero_with
    if operator == "/" or (operator in ("*", "**") and right.is_positive):
        return one
    if operator != "*" or one is None or other is None:
        return None
    try:
        return other if left.is_positive else one * other
    except DimOverflow:
        return None


def _ratio(operator: str, left: Term, right: Term) -> tuple[Size, int] | None:
    """Return the size that an operator of two numbers computes, and the number that divides it; None
    if the result is no such fraction, or beyond the limits."""
    if left.ratio is None or right.ratio is None:
        return None
    (one, under_one), (other, under_other) = left.ratio, right.ratio
    over = under_one * under_other
    try:
        match operator:
            case "+":
                return _short(one * under_other + other * under_one, over)
            case "-":
                return _short(one * under_other - other * under_one, over)
            case "*":
                return _short(one * other, over)
            case "/" if isinstance(other, int) and other != 0:
                sign = 1 if other > 0 else -1
                return _short(sign * one * under_other, under_one * abs(other))
            case "//" | "%" | "**" if over == 1 and "float32" not in (left.kind[0], right.kind[0]):
                expression = Arithmetic(operator, Variable("left", 0, 0), Variable("right", 0, 0))
                sides = {"left": one, "right": other}
                return evaluate(expression, lambda variable: sides[variable.name]), 1
    except (ExpressionError, DimOverflow):
        pass
    return None


def _short(size: Size, over: int) -> tuple[Size, int] | None:
    """Return a size and what divides it, if that is not too large."""
    return (size, over) if over < LIMIT else None


def _with_names(number: Term, code: Code, *parts: Term) -> Term:
    """Return a number computed from these parts, with this code if it names a constant."""
    is_plain = all(isinstance(part.code, Constant) for part in parts)
    return number if is_plain else number._replace(code=code)


def _root(square: Term, root: Term) -> Term:
    """Return the square root of a number as people write it, `32**0.5`, unless it is whole."""
    assert square.value is not None and isinstance(root.value, float)
    if root.value.is_integer() or square.value**0.5 != root.value:
        return root
    return root._replace(code=Binary("**", square.code, Constant(0.5)))


def _joined(word: str, *conditions: Term) -> Term:
    """Return the term of `and`, `or` or `not`, for which all but 0 is true."""
    if any(condition.is_number for condition in conditions):
        message, help = f"{word} takes conditions, not numbers", "compare a source: x > 0"
        raise OpFault("dtype-mismatch", message, option="expr", help=help)
    level = max(condition.kind.level for condition in conditions)
    code = call(f"torch.logical_{word}", *(condition.code for condition in conditions))
    return Term(code, Kind("bool", level))


def _check_power(exponent: Term, power: Term) -> None:
    _refuse("**", power, ("bool",))
    whole = power.kind.dtype not in (*FLOATING, *COMPLEX)
    if whole and exponent.value is not None and exponent.value < 0:
        help = "write 1 / x ** n"
        raise ExpressionError("whole numbers have no negative power", help=help)


def _no_name(variable: Variable) -> Any:
    raise ExpressionError(f"{variable.name!r} is not a number", variable.start, variable.end)


def _refuse(what: str, term: Term, dtypes: tuple[str, ...]) -> None:
    """Refuse a term of these dtypes."""
    if term.kind.dtype in dtypes:
        message = f"{what} takes no {term.kind.dtype}"
        help = ""
        if term.kind.dtype == "bool":
            help = f"c * 1.0 is a number, 1 where c is {TRUE}"
            help = f"c == 0 is not c, and {help}" if what == "-" else help
        elif term.kind.dtype in INTEGER:
            help = "x * 1.0 is a float"
        raise OpFault("dtype-mismatch", message, option="expr", help=help)


def _spelled(name: str, term: Term, dtype: str) -> Term:
    spelling = "F.softplus" if name == "softplus" else f"torch.{name}"
    fixed = term.kind.fixed or dtype != term.kind.dtype
    return Term(call(spelling, term.code), Kind(dtype, term.kind.level, fixed))


def _float(name: str, term: Term) -> Term:
    return _spelled(name, term, as_float(term.kind.dtype))


def _abs(name: str, term: Term) -> Term:
    _refuse(name, term, ("bool",))
    return _spelled(name, term, real(term.kind.dtype))


def _real(name: str, term: Term) -> Term:
    _refuse(name, term, ("bool", *COMPLEX))
    return _spelled(name, term, term.kind.dtype)


def _sign(name: str, term: Term) -> Term:
    _refuse(name, term, COMPLEX)
    return _spelled(name, term, term.kind.dtype)


def _erf(name: str, term: Term) -> Term:
    _refuse(name, term, COMPLEX)
    return _float(name, term)


def _softplus(name: str, term: Term) -> Term:
    if term.kind.dtype not in FLOATING:
        _refuse(name, term, (term.kind.dtype,))
    return _spelled(name, term, term.kind.dtype)


def _where(name: str, condition: Term, one: Term, other: Term) -> Term:
    if condition.kind.dtype != "bool" or condition.is_number:
        message, help = "where takes a condition such as a > 0", "write where(a != 0, ...)"
        raise OpFault("dtype-mismatch", message, option="expr", help=help)
    kind = promoted(one.kind, other.kind)
    level = max(condition.kind.level, kind.level)
    code = call("torch.where", condition.code, one.code, other.code)
    return Term(code, Kind(kind.dtype, level, kind.fixed))


def _extreme(name: str, one: Term, other: Term) -> Term:
    """Return `torch.minimum` or `torch.maximum` of two tensors; with a number, a clamp."""
    kind = promoted(one.kind, other.kind)
    _refuse(name, Term(one.code, kind), COMPLEX)
    if not (one.is_number or other.is_number):
        return Term(call(f"torch.{name}", one.code, other.code), kind)
    tensor, bound = (other, one) if one.is_number else (one, other)
    side = "max" if name == "minimum" else "min"
    return Term(tensor.code.method("clamp", **{side: bound.code}), kind)


def _clamp(name: str, term: Term, low: Term, high: Term) -> Term:
    """Return `x.clamp(low, high)`; in two steps if one limit is a number and one a tensor."""
    if term.is_number:
        raise ExpressionError("clamp takes a tensor first", 0, -1)
    if low.is_number != high.is_number:
        return _extreme("minimum", _extreme("maximum", term, low), high)
    kind = promoted(promoted(term.kind, low.kind), high.kind)
    _refuse(name, Term(term.code, kind), ("bool", *COMPLEX))
    return Term(term.code.method("clamp", low.code, high.code), kind)


FUNCTIONS = {
    "abs": Function(1, abs, _abs),
    "sign": Function(1, lambda x: type(x)((x > 0) - (x < 0)), _sign),
    "round": Function(1, lambda x: type(x)(round(x)), _real),
    "floor": Function(1, lambda x: type(x)(math.floor(x)), _real),
    "ceil": Function(1, lambda x: type(x)(math.ceil(x)), _real),
    "exp": Function(1, math.exp, _float),
    "log": Function(1, math.log, _float),
    "sqrt": Function(1, math.sqrt, _float),
    "sin": Function(1, math.sin, _float),
    "cos": Function(1, math.cos, _float),
    "erf": Function(1, math.erf, _erf),
    "sigmoid": Function(1, lambda x: 1 / (1 + math.exp(-x)), _float),
    "tanh": Function(1, math.tanh, _float),
    "relu": Function(1, lambda x: max(x, 0), _real),
    "softplus": Function(1, lambda x: math.log1p(math.exp(x)), _softplus),
    "where": Function(3, lambda c, a, b: a if c else b, _where),
    "minimum": Function(2, min, _extreme),
    "maximum": Function(2, max, _extreme),
    "clamp": Function(3, lambda x, low, high: min(max(x, low), high), _clamp),
}

CONSTANTS = {"pi": Term(Name("torch.pi"), Kind("float32", 0, True), math.pi)}

USAGE = {
    "where": "write where(condition, a, b)",
    "minimum": "write minimum(a, b)",
    "maximum": "write maximum(a, b)",
    "clamp": "write clamp(x, low, high), or maximum(x, low) for one limit",
}
