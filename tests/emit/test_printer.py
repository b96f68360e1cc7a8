"""The printer: its text parses to the tree that was printed, and `ruff format` leaves it as it is."""

import ast
import subprocess
from functools import partial
from pathlib import Path

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from mimgraph.emit.expressions import WIDTH
from mimgraph.emit.printer import module_text
from mimgraph.emit.tree import (
    Assign,
    Class,
    Delete,
    Expr,
    For,
    Function,
    Parameter,
    Return,
    Statement,
)
from mimgraph.ir.code import (
    Attribute,
    Binary,
    Call,
    Code,
    Comprehension,
    Conditional,
    Constant,
    Dict,
    List,
    Name,
    Operand,
    RuntimeSize,
    Slice,
    Subscript,
    Tuple,
    Unary,
    Unpacked,
    call,
)
from mimgraph.ir.dim import symbol
from tests.conftest import in_ci
from tests.emit.test_golden import RUFF
from tests.helpers.cases import each, texts
from tests.helpers.printing import expression

a, b, c, x = map(Name, "abcx")
TEXTS = {name: text for name, (text,) in texts(Path(__file__).with_name("printer.md")).items()}


def ruff(command: str, *options: str, text: str) -> str:
    """Return what ruff reports of the text, "" if nothing."""
    options = ("--isolated", "--line-length", str(WIDTH), *options, "-")
    arguments = [str(RUFF), command, "--quiet", *options]
    done = subprocess.run(arguments, input=text, capture_output=True, encoding="utf-8", check=False)
    return done.stdout + done.stderr


def binary(operator: str, left: Code, right: Code) -> Binary:
    return Binary(operator, left, right)


def method(*statements: Statement, doc: str = "") -> Function:
    return Function("forward", (), False, "None", statements, doc)


def in_class(*functions: Function, doc: str = "") -> str:
    return module_text((), (Class("Model", "nn.Module", doc, functions),))


def body(*statements: Statement) -> str:
    """Return the statements as printed in a method."""
    lines = in_class(method(*statements)).splitlines()[2:]
    return "".join(f"{line.removeprefix(' ' * 8)}\n" for line in lines)


def class_of(text: str) -> ast.ClassDef:
    (node,) = ast.parse(text).body
    assert isinstance(node, ast.ClassDef)
    return node


def methods_of(text: str) -> list[ast.FunctionDef]:
    return [item for item in class_of(text).body if isinstance(item, ast.FunctionDef)]


# One line ----------------------------------------------------------------------------------------

FLAT = [
    (Constant(True), "True"),
    (Constant(None), "None"),
    (Constant(-3), "-3"),
    (Constant(1e-5), "1e-05"),
    (Constant(1e20), "1e20"),
    (Constant(float("inf")), 'float("inf")'),
    (Constant(float("-inf")), 'float("-inf")'),
    (Constant(float("nan")), 'float("nan")'),
    (Constant("b c -> c"), '"b c -> c"'),
    (Constant('a "b"'), "'a \"b\"'"),
    (Constant("it's"), '"it\'s"'),
    (Constant("é\u202e\n\\"), r'"\xe9\u202e\n\\"'),
    (Constant(()), "()"),
    (Constant((1,)), "(1,)"),
    (Constant((1, (2, 3))), "(1, (2, 3))"),
    (Tuple((a,)), "(a,)"),
    (List((a, b)), "[a, b]"),
    (Comprehension(call("f", a), ("a",), b), "[f(a) for a in b]"),
    (Dict((("left", a), ("right", b))), '{"left": a, "right": b}'),
    (call("f"), "f()"),
    (call("nn.Linear", 3, a, bias=False), "nn.Linear(3, a, bias=False)"),
    (x.method("permute", 0, 2).at(0), "x.permute(0, 2)[0]"),
    (call("f", Unpacked(Comprehension(call("g", a), ("a", "b"), c))), "f(*[g(a) for a, b in c])"),
    # in a subscript a tuple needs no parentheses
    (x.at(Slice(None, Constant(-1))), "x[:-1]"),
    (x.at(Slice(Constant(1), Binary("+", a, b), Constant(2))), "x[1 : a + b : 2]"),
    (x.at(Slice(None, None, Constant(2))), "x[::2]"),
    (x.at(Tuple((Slice(), a))), "x[:, a]"),
    (x.at((0, 1)), "x[0, 1]"),
    (x.at(Tuple((a,))), "x[(a,)]"),
    (x.at(()), "x[()]"),
    # precedence
    (binary("-", binary("-", a, b), c), "a - b - c"),
    (binary("-", a, binary("-", b, c)), "a - (b - c)"),
    (binary("*", binary("+", a, b), c), "(a + b) * c"),
    (binary("+", binary("*", a, b), binary("@", b, c)), "a * b + b @ c"),
    (binary("<", binary("<", a, b), c), "(a < b) < c"),
    (binary("==", binary("+", a, b), c), "a + b == c"),
    (binary("**", a, binary("**", b, c)), "a**b**c"),
    (binary("**", binary("**", a, b), c), "(a**b) ** c"),
    (binary("**", Constant(-1), x), "(-1) ** x"),
    (binary("**", x, Constant(-1)), "x**-1"),
    (binary("**", Name("a.b"), Constant(2)), "a.b**2"),
    (binary("**", call("f"), Constant(2)), "f() ** 2"),
    (Unary("-", binary("**", x, Constant(2))), "-(x**2)"),
    (Conditional(binary("+", a, b), x, call("f", c)), "a + b if x else f(c)"),
    (binary("+", a, Conditional(a, x, b)), "a + (a if x else b)"),
    (Conditional(a, x, b).method("relu"), "(a if x else b).relu()"),
    (Conditional(a, Conditional(a, b, c), x), "a if (a if b else c) else x"),
    (binary("**", Unary("-", x), Constant(2)), "(-x) ** 2"),
    (Unary("~", binary("&", a, b)), "~(a & b)"),
    (Unary("-", Unary("-", x)), "-(-x)"),
    (binary("+", Unary("-", x), Constant(-1)), "-x + -1"),
    (Attribute(Constant(1), "real"), "(1).real"),
    (Attribute(Constant(-1), "real"), "(-1).real"),
    (Attribute(Constant("a"), "strip"), '"a".strip'),
    (Attribute(binary("+", a, b), "T"), "(a + b).T"),
    (binary("+", a, b).at(0), "(a + b)[0]"),
    (Call(Unary("-", a)), "(-a)()"),
]


def test_expressions_on_one_line() -> None:
    found = [(expression(node), text) for node, text in FLAT]
    assert [(one, text) for one, text in found if one != text] == []
    text = body(*(Assign(("x",), node) for node, _ in FLAT))
    assert text == "".join(f"x = {line}\n" for _, line in FLAT)
    assert not ruff("format", "--diff", text=text)


@each("node", [Operand("x"), RuntimeSize(symbol("N"))])
def test_unresolved_code_is_not_printed(node: Code) -> None:
    with pytest.raises(TypeError):
        expression(call("f", node))


# Several lines -----------------------------------------------------------------------------------

long, longer = Name("a" * 40), Name("b" * 60)
LINEAR = call("nn.Linear", 64, 64, bias=False)
SPLIT: dict[str, Statement] = {
    "an index stays with the call of several arguments": Assign(
        ("x",), call("f", long, Name("b" * 42)).at(0)
    ),
    "an index does not stay with the call of one argument": Assign(
        ("x",), call("f", Name("b" * 83)).at(0)
    ),
    "call": Assign(("x",), call("nn.Sequential", long, call("nn.ReLU"), longer, LINEAR)),
    "nested": Assign(("x",), call("nn.Sequential", call("nn.Sequential", long, longer), LINEAR)),
    "signed list at the end": Assign(("x",), binary("-", long, Unary("~", List((longer, b))))),
    "sole argument": Assign(("x",), call("torch.relu", call("f", long, longer))),
    "sole index": Return(longer.at(long)),
    "comprehension": Assign(
        ("x",),
        call("nn.Sequential", Unpacked(Comprehension(call("f", long), ("a", "b"), longer))),
    ),
    "tuple": Assign(("x",), Tuple((long, longer))),
    "returned tuple": Return(Tuple((long, longer))),
    "returned dict": Return(Dict((("a", long), ("b", binary("+", longer, long))))),
    "sum": Return(binary("+", binary("*", long, a), longer)),
    "a bracket at the end": Return(binary("+", a, call("f", longer, long))),
    "short chain": Assign(("x",), x.method("permute", 0, 2, 1).method("reshape", long, longer)),
    "long chain": Assign(
        ("x",), x.method("mean", 1).method("expand", longer).method("reshape", long, a)
    ),
    "name": Assign((longer.id,), long),
    "several targets": Assign((long.id, longer.id), call("f", x)),
    "del": Delete((long.id, longer.id)),
    "for": For(("a", "b"), call("zip", long, longer), (Expr(call("f", a)),)),
}


def test_statements_on_several_lines() -> None:
    found = {name: body(statement) for name, statement in SPLIT.items()}
    assert {**found, "a file": TEXTS["a file"]} == TEXTS


def test_ruff_leaves_statements_on_several_lines() -> None:
    assert not ruff("format", "--diff", text=in_class(method(*SPLIT.values())))


def test_prefix_and_suffix_count() -> None:
    node = call("f", a, b)
    most = WIDTH - len("f(a, b)") - 1
    assert "\n" not in expression(node, prefix=most, suffix=1)
    assert "\n" in expression(node, prefix=most + 1, suffix=1)


# Any tree ----------------------------------------------------------------------------------------

names = st.builds(
    lambda letter, length, owner: Name(owner + letter * length),
    st.sampled_from("abcdefg"),
    st.sampled_from([1, 2, 5, 9, 14, 20, 30]),
    st.sampled_from(["", "", "self.", "nn."]),
)
plain = st.none() | st.booleans() | st.integers(-99, 99) | st.floats(width=16, allow_nan=False)
constants = st.builds(Constant, plain | st.text("ab\"' \né", max_size=20) | st.tuples(plain, plain))
bounds = st.none() | names | st.integers(-3, 3).map(Constant)
OPERATORS = ["+", "-", "*", "/", "//", "%", "**", "@", "&", "<", "==", ">="]


def larger(inner: st.SearchStrategy[Code]) -> st.SearchStrategy[Code]:
    several = st.lists(inner, max_size=4).map(tuple)
    named = st.lists(inner, max_size=2).map(
        lambda v: tuple(zip(("dim", "keepdim"), v, strict=False))
    )
    methods = st.sampled_from(["permute", "T", "reshape_as"])
    loop = (inner, st.sampled_from([("a",), ("a", "b")]), inner)
    return st.one_of(
        st.builds(Call, names, several, named),
        st.builds(
            Call, names, st.tuples(inner, st.builds(Unpacked, st.builds(Comprehension, *loop)))
        ),
        st.builds(Call, st.builds(Attribute, inner, methods), several),
        st.builds(Subscript, inner, inner | st.builds(Slice, bounds, bounds, bounds)),
        st.builds(Binary, st.sampled_from(OPERATORS), inner, inner),
        st.builds(Unary, st.sampled_from("-~"), inner),
        st.builds(Tuple, several),
        st.builds(List, several),
        st.builds(Comprehension, *loop),
        st.lists(inner, max_size=3).map(
            lambda v: Dict(tuple(zip(("a", "b", "c"), v, strict=False)))
        ),
    )


trees = st.recursive(names | constants, larger, max_leaves=12)
targets = names.map(lambda name: (name.id,))
simple = names | st.builds(Call, names, st.lists(names, max_size=2).map(tuple))
conditionals = st.builds(Conditional, simple, simple, simple)  # other trees are in no emitted file
statements = st.one_of(
    st.builds(Assign, targets, trees, st.sampled_from(["", "(N, 3, 32)"])),
    st.builds(Assign, targets, conditionals | st.builds(Call, names, st.tuples(conditionals))),
    st.builds(Return, trees),
    st.builds(Expr, st.builds(Call, names, st.tuples(trees, trees))),
    st.builds(For, st.sampled_from([("a",), ("a", "b")]), trees, st.just((Expr(x),))),
    st.builds(Delete, st.lists(names.map(lambda name: name.id), min_size=1).map(tuple)),
)


def on_one_line(statement: Statement) -> str:
    """Return the statement as text without line breaks."""
    match statement:
        case Assign(names, value):
            return f"{', '.join(names)} = {expression(value, 10**9)}"
        case Return(value):
            return f"return {expression(value, 10**9)}"
        case Expr(value):
            return expression(value, 10**9)
        case For(names, iterable):
            return f"for {', '.join(names)} in {expression(iterable, 10**9)}: x"
        case Delete(names):
            opened = body(statement).count("\n") > 1  # `del (a, b)` is another tree
            return f"del ({', '.join(names)})" if opened else f"del {', '.join(names)}"


# The diff says enough, so no example is made smaller.
unshrunk = partial(settings, deadline=None, phases=[Phase.reuse, Phase.generate])


@pytest.mark.parametrize("examples", [20, in_ci(100)])
def test_any_tree_parses_back_and_ruff_leaves_it(examples: int) -> None:
    @unshrunk(max_examples=examples)
    @given(st.lists(statements, min_size=20, max_size=40))
    def check(many: list[Statement]) -> None:
        text = in_class(*map(method, many))
        assert not ruff("format", "--diff", text=text)
        for function, statement in zip(methods_of(text), many, strict=True):
            assert ast.dump(function.body[0]) == ast.dump(ast.parse(on_one_line(statement)).body[0])

    check()


@given(st.text())
def test_a_string_literal_is_ascii_and_evaluates_to_the_string(value: str) -> None:
    text = expression(Constant(value), 10**9)
    assert text.isascii() and text.isprintable()
    assert ast.literal_eval(text) == value


# Size --------------------------------------------------------------------------------------------

MANY = 10_000


def test_a_long_chain_of_layers_has_one_a_line() -> None:
    lines = expression(call("nn.Sequential", *[LINEAR] * MANY)).splitlines()
    assert lines[1:-1] == ["    nn.Linear(64, 64, bias=False),"] * MANY


def test_a_long_sum_needs_no_recursion() -> None:
    node: Code = a
    for _ in range(MANY):
        node = binary("+", node, b)
    assert expression(node).splitlines() == ["(", "    a", *["    + b"] * MANY, ")"]


def test_a_long_chain_of_methods_needs_no_recursion() -> None:
    node: Code = x
    for _ in range(MANY):
        node = node.method("relu")
    assert expression(node).count("\n    .relu()") == MANY - 1


def test_calls_may_nest_as_deep_as_python_reads_them() -> None:
    node: Code = x
    for _ in range(190):
        node = call("nn.Sequential", node, long)
    ast.parse(expression(node))


# Free text ---------------------------------------------------------------------------------------

DOCS = {
    "one line": ("Inputs: image (N, 3).", '"""Inputs: image (N, 3)."""'),
    "indented": ("  One.\n\n    two\n      three  \n", '"""One.\n\ntwo\n  three\n"""'),
    "quotes": ('"a" """b"', r'"""\"a" \"\""b\""""'),
    "backslash": ("a\\", r'"""a\\"""'),
    "hidden": ("a\0\u202eb\u2028c\rd", r'"""a\x00\u202eb\u2028c\rd"""'),
    "other alphabets": ("π ≈ 3", '"""π ≈ 3"""'),
    "wrapped": ("word " * 30, f'"""{"word " * 17}word\n{"word " * 11}word\n"""'),
}


@each("doc, text", DOCS)
def test_docstring(doc: str, text: str) -> None:
    lines = in_class(doc=doc).splitlines()[1:]
    assert "\n".join(line.removeprefix("    ") for line in lines) == text


def test_no_docstring_without_text() -> None:
    assert in_class(doc=" \n\t") == "class Model(nn.Module):\n    pass\n"


texts = st.text() | st.text("ab \n\t\r\"'\\#\0é\x85\xa0\u202e\u2028\ud800", max_size=200)
hostile = texts | st.lists(texts | st.just('"""'), max_size=5).map("".join)


@unshrunk(max_examples=40)
@given(st.lists(hostile, min_size=10, max_size=30))
def test_no_text_ends_a_docstring(docs: list[str]) -> None:
    text = in_class(*(method(Return(x), doc=doc) for doc in docs), doc=docs[0])
    assert not ruff("format", "--diff", text=text)
    for function, doc in zip(methods_of(text), docs, strict=True):
        assert words_of(function) == doc.split()
        statements = function.body[1:] if doc.split() else function.body
        assert [ast.unparse(statement) for statement in statements] == ["return x"]
    assert words_of(class_of(text)) == docs[0].split()


def words_of(node: ast.ClassDef | ast.FunctionDef) -> list[str]:
    return (ast.get_docstring(node, clean=False) or "").split()


@given(hostile)
def test_no_text_ends_a_comment(comment: str) -> None:
    text = in_class(method(Assign(("x",), a, comment), Return(x)))
    assert ast.dump(ast.parse(text)) == ast.dump(
        ast.parse(in_class(method(Assign(("x",), a), Return(x))))
    )


COMMENTS: dict[str, tuple[Statement, str]] = {
    "short": (Assign(("x",), a, "(N, 3)"), "x = a  # (N, 3)\n"),
    "none": (Assign(("x",), a), "x = a\n"),
    "reaches the margin": (Assign(("x",), a, "n" * 83), f"x = a  # {'n' * 83}\n"),
    "passes the margin": (Assign(("x",), a, "n" * 84), "x = a\n"),
    "several lines": (
        Assign(("x",), long.at(longer), "(N,)"),
        f"x = {long.id}[\n    {longer.id}\n]  # (N,)\n",
    ),
    "passes the margin behind the last of several lines": (
        Assign(("x",), long.at(longer), "n" * 96),
        f"x = {long.id}[\n    {longer.id}\n]\n",
    ),
    "not plain": (Assign(("x",), a, "a\rimport os"), "x = a\n"),
}


@each("statement, text", COMMENTS)
def test_comment(statement: Statement, text: str) -> None:
    assert body(statement) == text


# Files -------------------------------------------------------------------------------------------

MODEL = Class(
    "ImageNumerical",
    "nn.Module",
    "Inputs: image (N, 3, 32, 32), numeric (N, 5). Output: score (N, 1).",
    (
        Function(
            "__init__",
            (Parameter("hidden", "int"), Parameter("bias", "bool", Constant(True))),
            True,
            "None",
            (
                Expr(call("super").method("__init__")),
                Assign(
                    ("self.image_vec",),
                    call(
                        "nn.Sequential",
                        call("nn.Conv2d", 3, 16, kernel_size=3, padding=1),
                        call("nn.ReLU"),
                        call("nn.MaxPool2d", 2),
                        call("nn.Flatten"),
                    ),
                ),
                Assign(
                    ("self.score",),
                    call("nn.Linear", binary("+", Constant(4096), Name("hidden")), 1),
                ),
            ),
        ),
        Function(
            "forward",
            tuple(Parameter(name, "Tensor") for name in ("image", "numeric", "rather_long_third")),
            True,
            "tuple[Tensor, Tensor]",
            (
                Assign(("x",), call("self.image_vec", Name("image")), "(N, 4096)"),
                Assign(("x",), call("torch.cat", Tuple((x, Name("numeric"))), 1)),
                Return(Tuple((call("self.score", x), Name("rather_long_third")))),
            ),
            "One step.",
        ),
    ),
)
IMPORTS = ("import torch", "from torch import Tensor, nn")


def test_file() -> None:
    file = module_text(IMPORTS, (MODEL, Class("Empty", "nn.Module", "", ())))
    assert file == TEXTS["a file"]
    assert not ruff("format", "--diff", text=file)
    assert not ruff("check", text=file)


def test_ruff_leaves_long_names_of_classes_and_parameters() -> None:
    classes = []
    for length in (10, 89, 90, 91, 100):
        name = "a" * length
        default = Parameter(name, "int", binary("+", long, longer))
        functions = (
            Function("f", (Parameter(name, "Tensor"),), False, "Tensor", ()),
            Function("g", (default,), True, "None", (Return(x),)),
        )
        classes.append(Class(name, "nn.Module", "", functions))
    assert not ruff("format", "--diff", text=module_text((), tuple(classes)))
