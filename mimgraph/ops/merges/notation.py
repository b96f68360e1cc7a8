"""Help for formulas that are not written in the notation of formulas."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection

from mimgraph.diagnostics.nearest import suggestion
from mimgraph.diagnostics.text import code, put, write
from mimgraph.ir.expression import (
    COMPARISONS,
    JOINING,
    MAX_DEPTH,
    MAX_TOKENS,
    NAME,
    NUMBER,
    NUMBERS,
    SYMBOLS,
    Arithmetic,
    Expression,
    ExpressionError,
    Foreign,
    Not,
    Place,
    parse_formula,
    to_text,
)
from mimgraph.ops.registry import find, names

LONGEST = 80  # characters of a formula in a help

_TOKEN = re.compile(
    r"\s*((?:\d+\.\d*|\.\d+|\d+)(?:[eE][-+]?\d+)?|\$?[A-Za-z_]\w*"
    r"|&&|\|\||\*\*|//|<=|>=|==|!=|[-+*/%<>(),&|!~?:])",
    re.ASCII,
)
_COMPARED = ("<", "<=", ">", ">=", "==", "!=")
_OR, _AND, _NOT = ("or", "||", "|"), ("and", "&&", "&"), ("not", "!", "~")
_LIMITS = ("", ")", ",", "if", "else", "?", ":", *_OR, *_AND, *_COMPARED)


def as_formula(text: str) -> str | None:
    """Return the formula for a condition, or None if it cannot be parsed."""
    if len(text) > 2 * LONGEST:
        return None
    tokens = _TOKEN.findall(text)
    if "".join(tokens) != re.sub(r"\s", "", text):
        return None
    if len(tokens) > MAX_TOKENS or tokens.count("(") > MAX_DEPTH:
        return None
    reader = _Reader(tokens)
    try:
        written = to_text(parse_formula(reader.choice()))
    except (ExpressionError, _Unreadable):
        return None
    return written if reader.token == "" and len(written) <= LONGEST else None


def _true(text: str) -> str:
    """Return the text if it is a condition, else a condition that it is not 0."""
    return text if _is_condition(parse_formula(text)) else f"({text}) != 0"


def _is_condition(expression: Expression) -> bool:
    """Return whether the value of an expression is true or false."""
    match expression:
        case Not():
            return True
        case Arithmetic(operator):
            return operator in COMPARISONS | JOINING
    return False


class _Unreadable(Exception):
    """Raised for a text that is not a condition."""


class _Reader:
    """Parses tokens by recursive descent; each method reads a part and returns it as a formula."""

    def __init__(self, tokens: list[str]) -> None:
        self.tokens = [*tokens, ""]
        self.index = 0

    @property
    def token(self) -> str:
        return self.tokens[self.index]

    def take(self) -> str:
        """Return the current token, and go to the next."""
        self.index += 1
        return self.tokens[self.index - 1]

    def expect(self, token: str) -> None:
        """Read this token."""
        if self.take() != token:
            raise _Unreadable

    def choice(self) -> str:
        """Read `a if c else b` or `c ? a : b`."""
        first = self.any()
        if self.token == "if":
            self.take()
            condition = self.any()
            self.expect("else")
            return f"where({_true(condition)}, {first}, {self.choice()})"
        if self.token == "?":
            self.take()
            one = self.choice()
            self.expect(":")
            return f"where({_true(first)}, {one}, {self.choice()})"
        return first

    def any(self) -> str:
        """Read sides joined by `or`."""
        sides = [self.all()]
        while self.token in _OR:
            self.take()
            sides.append(self.all())
        return " or ".join(sides)

    def all(self) -> str:
        """Read sides joined by `and`."""
        sides = [self.negation()]
        while self.token in _AND:
            self.take()
            sides.append(self.negation())
        return " and ".join(sides)

    def negation(self) -> str:
        """Read a comparison, perhaps behind `not`."""
        if self.token == "not":
            self.take()
            return f"not {self.negation()}"
        return self.comparison()

    def comparison(self) -> str:
        """Read a chain of comparisons: each pair becomes one comparison."""
        sides, operators = [self.arithmetic()], list[str]()
        while self.token in _COMPARED:
            operators.append(self.take())
            sides.append(self.arithmetic())
        if not operators:
            return sides[0]
        pairs = zip(sides, operators, sides[1:], strict=False)
        chain = " and ".join(f"{a} {operator} {b}" for a, operator, b in pairs)
        return chain if len(operators) == 1 else f"({chain})"

    def arithmetic(self) -> str:
        """Read one side of a comparison."""
        parts = []
        while self.token not in _LIMITS:
            parts.append(self.operand())
        if not parts:
            raise _Unreadable
        return " ".join(parts)

    def operand(self) -> str:
        """Read a name, a number, an operator, or something in parentheses."""
        token = self.take()
        if token in _LIMITS:
            raise _Unreadable
        if token in _NOT:
            return f"(not {self.operand()})"
        if token != "(":
            return token
        inside = [self.choice()]
        while self.token == ",":
            self.take()
            inside.append(self.choice())
        self.expect(")")
        return f"({', '.join(inside)})"


# Advise what to write in a formula instead of notation that it lacks: `&&`, `x.mean()`, `x[0]`,
# `${k}`.


# the functions of formulas by other names
SYNONYMS = {
    "min": "minimum",
    "max": "maximum",
    "clip": "clamp",
    "clamp_min": "maximum",
    "clamp_max": "minimum",
    "ln": "log",
    "fabs": "abs",
    "absolute": "abs",
    "sgn": "sign",
}
A_SOURCE = "make it a node, and a source of the formula"
CAST = f"{A_SOURCE}: {code('{layer: Cast, from: ..., dtype: ...}')}"
OPERATORS = {
    "sinh": "write (exp(x) - exp(-x)) / 2",
    "cosh": "write (exp(x) + exp(-x)) / 2",
    "tan": "write sin(x) / cos(x)",
    "log2": "write log(x) / log(2)",
    "log10": "write log(x) / log(10)",
    "log1p": "write log(1 + x)",
    "exp2": "write 2 ** x",
    "expm1": "write exp(x) - 1",
    "float": CAST,
    "double": CAST,
    "half": CAST,
    "to": CAST,
    "type": CAST,
    "int": CAST,
    "long": CAST,
    "bool": CAST,
    "pow": "a power is **",
    "power": "a power is **",
    "square": "write x ** 2",
    "rsqrt": "write x ** -0.5",
    "reciprocal": "write 1 / x",
    "neg": "write -x",
    "eq": "write a == b",
    "ne": "write a != b",
    "gt": "write a > b",
    "ge": "write a >= b",
    "lt": "write a < b",
    "le": "write a <= b",
    "mul": "write a * b",
    "sub": "write a - b",
    "div": "write a / b",
    "logical_and": "write a and b",
    "logical_or": "write a or b",
    "logical_not": "write not a",
}
CONSTANTS = {
    "True": write("1"),
    "False": write("0"),
    "None": "a formula computes with numbers and tensors",
    "pi": write("pi"),
    "e": write("exp(1)"),
    "N": "N is the batch, whose size no formula can read",
    "inf": f"a formula has no infinity: masked_fill can write {code('-.inf')}",
}

ATTRIBUTES = {
    "T": f"make it a node: {code('{layer: Transpose, from: ..., dim0: 1, dim1: 2}')}",
    "mT": f"make it a node: {code('{layer: Transpose, from: ..., dim0: -2, dim1: -1}')}",
    "shape": "write the size as a number, or as a param",
}


_AXIS = re.compile(r"\s*(?:dim\s*=\s*)?(-?[1-9])\s*[,)]", re.ASCII)  # of x.mean(dim=1)


def name_help(name: str, sources: Collection[str], functions: Collection[str]) -> str:
    """Return the help for a name that is not a source of the formula."""
    if name in functions:
        return f"{name} is a function: write {name}(...)"
    if name.startswith("$"):
        return f"write {name[1:]}, and give its number or size by a keyword: {name[1:]}=x.dims[0]"
    return CONSTANTS.get(name) or suggestion(name, sources, "its sources")


def function_help(
    name: str, count: int, functions: Collection[str], source: str = "...", dim: str = ""
) -> str:
    """Return the help for a call of an unknown function with `count` arguments."""
    op = _op(name, source, dim)
    if op and not (count > 1 and name in SYNONYMS):
        return op
    if name in SYNONYMS:
        return f"write {put(SYNONYMS[name])}(...)"
    near = OPERATORS.get(name) or suggestion(name, functions)
    return near or f"its functions: {', '.join(functions)}"


def _op(name: str, source: str, dim: str) -> str:
    """Return the help with a layer or merge of that name, as a node over the axis `dim`; else ""."""
    wanted = name.replace("_", "").lower()
    for kind in ("layer", "merge"):
        for found in names(kind):
            if found.replace("_", "").lower() == wanted:
                return f"{A_SOURCE}: {_node(kind, found, source, dim)}"
    return ""


def _node(kind: str, name: str, source: str, dim: str) -> str:
    """Return a node with all required options; a reduction keeps its axis, to broadcast again."""
    op = find(kind, name)
    assert op is not None
    options = {option.name: op.shown(option.name) for option in op.required}
    reduces = "keepdim" in op.options
    options |= {"dim": "1", "keepdim": "true"} if reduces else {}
    options |= {"dim": dim} if dim and "dim" in options else {}
    given = "".join(f", {option}: {value}" for option, value in options.items())
    also = f", and write {code('broadcast: true')}" if reduces else ""
    return f"{code(f'{{{kind}: {name}, from: {source}{given}}}')}{also}"


def _meaning(meaning: str) -> Callable[[Place], str]:
    """Return the help with the whole formula rewritten, or with `meaning` where that is too long."""

    def help(place: Place) -> str:
        written = as_formula(place.text)
        return f"write {written}" if written else meaning

    return help


CHOICE = "write where(condition, a, b)"
CHAIN = "write 0 < x and x < 1"


def _named(place: Place) -> str:
    """Return the help that writes the name in `${k}` or `{{ x }}` without braces."""
    name = place.at[1]
    if name in place.names:
        return write(name)
    return f"write {put(f'${name}')}, or {name} if it is a source"


def _called(functions: Collection[str]) -> Callable[[Place], str]:
    """Return the help that writes `x.exp()` and `torch.exp(x)` as exp(x)."""

    def help(place: Place) -> str:
        owner, name = place.before[0], place.at[1]
        if name not in functions:
            axis = _AXIS.match(place.text, place.at.end())
            dim = axis[1] if axis else ""
            return function_help(name, 1, functions, _filling(owner, place), dim)
        alone = place.text[place.at.end() :].lstrip().startswith(")")
        rest = "" if alone else ", ..."
        return f"write {name}({f'{owner}{rest}' if owner in place.names else '...'})"

    return help


def _attribute(place: Place) -> str:
    owner, name = place.before[0], place.at[1]
    if name in ATTRIBUTES:
        return ATTRIBUTES[name]
    if owner not in place.names:
        return CONSTANTS.get(name, "a port is named in from, and has one name in the formula")
    return f"name a port in {code(f'from: {{{name}: {owner}.{name}}}')}"


def _part(place: Place) -> str:
    source = _filling(place.before[0], place)
    node = code(f"{{layer: Select, from: {source}, dim: 1, index: 0}}")
    return f"take a part in a separate node: {node}, or Slice"


def _filling(name: str, place: Place) -> str:
    """Return a source as a placeholder for the input or node that fills it, `...` for another name."""
    return f"{{{name}}}" if name in place.names else "..."


def foreign_to_formulas(functions: Collection[str]) -> tuple[Foreign, ...]:
    """Return the notation that a formula with these functions lacks; the first match counts."""
    return (
        *NUMBERS,
        Foreign(
            rf"{NAME}|{NUMBER}",
            "put the argument of {before} in parentheses",
            "write {before}({at})",
            before=rf"\b(?:{'|'.join(functions)})",
        ),
        Foreign(r"\$?\{+\s*(\w+)\s*\}+", "a formula has no braces", _named),
        Foreign(r"\$", "in a formula $ precedes a param's name", f"write {code('$name')}"),
        Foreign(r"&+", "there is no '{at}' in a formula", _meaning("write and")),
        Foreign(r"\|+", "there is no '{at}' in a formula", _meaning("write or")),
        Foreign(r"!(?!=)|~", "there is no '{at}' in a formula", _meaning("write not")),
        Foreign(r"(?:and|or)\b", "a condition is missing before '{at}'"),
        Foreign(r"not\b", "put 'not' after an operator in parentheses", "write (not x)"),
        Foreign(r"if\b|\?|else\b", "there is no '{at}' in a formula", _meaning(CHOICE)),
        Foreign(r"", "there is no 'if' in a formula", CHOICE, before=r"(?:^|\W)if"),
        Foreign(r"<=?|>=?|==|!=", "comparisons do not chain", _meaning(CHAIN), before=r"[\w)]"),
        Foreign(r">", "there is no '<>' in a formula", "write !=", before=r"<"),
        Foreign(r"=>", "there is no '=>' in a formula", write(">=")),
        Foreign(r"=<", "there is no '=<' in a formula", write("<=")),
        Foreign(
            r"=",
            "an argument has no name in a formula",
            "write its value alone",
            before=r"[(,]\s*\w+",
        ),
        Foreign(r"=", "there is no '=' in a formula", "== compares"),
        Foreign(
            r"\.\s*(?:\w+\s*\.\s*)*(\w+)\s*\(",
            "a formula calls a function by its name alone",
            _called(functions),
            before=rf"{NAME}|\)",
        ),
        Foreign(r"\.\s*(\w+)", "there is no '.' in a formula", _attribute, before=NAME),
        Foreign(r"\.", "there is no '.' in a formula", "write the function alone: exp(x)"),
        Foreign(r"\[", "there is no '[' in a formula", _part, before=NAME),
        Foreign(r"[\[\]{}]", "there is no '{at}' in a formula", "brackets are ( and )"),
        Foreign(
            r"@",
            "there is no '@' in a formula",
            f"make it a node: {code('{merge: matmul, from: [a, b]}')}",
        ),
        Foreign(
            r"['\"]", "text has no place in a formula", "write names and numbers without quotes"
        ),
        Foreign(
            r",",
            "a comma only separates the arguments of a function",
            "write a node for each",
        ),
        Foreign(r":", "there is no ':' in a formula", "write one expression"),
        *SYMBOLS,
    )
