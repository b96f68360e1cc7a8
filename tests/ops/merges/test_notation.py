"""Checks the faults for notation that formulas lack: message, place, and what to write instead."""

from __future__ import annotations

import json

import pytest

from tests.helpers.marked import faults
from tests.ops.tables import each

INSTEAD = "make it a node, and a source of the formula"

# A formula of x and y with its fault in brackets, the message, and the help.
FOREIGN = [
    ("x * $(2 * ⟦scale⟧) + y", "no param or dimension is called 'scale'", "known here: k, many"),
    ("x * $(k * ⟦x⟧) + y", "no param or dimension is called 'x'", "known here: k, many"),
    ("x * $(⟦many⟧) + y", "many is a list, but only a number can stand here", ""),
    ("x * $(⟦$⟧k) + y", "there is no '$' within $(...)", "write the name alone"),
    ("x * $(⟦sqrt⟧(k)) + y", "$(...) has only numbers, names and + - * / // % **", "write the rest outside of $(...)"),
    ("x * ⟦$(k > 1)⟧ + y", "$(...) has only numbers, names and + - * / // % **", "write the rest outside of $(...)"),
    ("⟦x * $(k + y⟧", "')' is missing", ""),
    ("x * $(k + ⟦)⟧ + y", "a number or name is missing before ')'", ""),
    ("x > 0 and ⟦and⟧ y < 1", "a condition is missing before 'and'", ""),
    ("x * ⟦not⟧ y", "'not' behind an operator stands in parentheses", "write (not x)"),
    ("⟦x > y or⟧", "an operand is missing", ""),
    ("x * y * ⟦log⟧($T)", "log takes a source, not just sizes known only at run time", "of the functions only sqrt takes a size"),
    ("x * ⟦T⟧ + y", "the formula has no source 'T'", "write $T for the size"),
    ("x * ⟦${k}⟧ + y", "a formula has no braces", "write $k, or k if it is a source"),
    ("⟦{{ x }}⟧ + y", "a formula has no braces", "write x"),
    ("x * ⟦$⟧ k + y", "in a formula $ stands before the name of a param", "write $name"),
    ("(x > 0) ⟦&⟧ (y > 0)", "there is no '&' in a formula", "write x > 0 and y > 0"),
    ("x > 0 ⟦||⟧ y > 0", "there is no '||' in a formula", "write x > 0 or y > 0"),
    ("⟦!⟧x + y", "there is no '!' in a formula", "write (not x) + y"),
    ("x ⟦if⟧ x > y else y", "there is no 'if' in a formula", "write where(x > y, x, y)"),
    ("x > 0 ⟦?⟧ x : y", "there is no '?' in a formula", "write where(x > 0, x, y)"),
    ("0 < x ⟦<⟧ y", "comparisons do not chain", "write 0 < x and x < y"),
    ("x ⟦^⟧ 2 + y", "there is no '^'", "a power is **"),
    ("x ⟦=⟧ y", "there is no '=' in a formula", "== compares"),
    ("x <⟦>⟧ y", "there is no '<>' in a formula", "write !="),
    ("clamp(x, min⟦=⟧0, max=1) + y", "an argument has no name in a formula", "write its value alone"),
    ("y - x⟦.mean(⟧)", "a formula calls a function by its name alone", f"{INSTEAD}: {{layer: Mean, from: x, dim: 1, keepdim: true}}, and write broadcast: true"),
    ("y - x⟦.sum(⟧dim=-1)", "a formula calls a function by its name alone", f"{INSTEAD}: {{layer: Sum, from: x, dim: -1, keepdim: true}}, and write broadcast: true"),
    ("y - x⟦.exp(⟧)", "a formula calls a function by its name alone", "write exp(x)"),
    ("y - x⟦.clamp(⟧0, 1)", "a formula calls a function by its name alone", "write clamp(x, ...)"),
    ("y - torch⟦.exp(⟧x)", "a formula calls a function by its name alone", "write exp(...)"),
    ("y - torch⟦.nn.functional.softmax(⟧x)", "a formula calls a function by its name alone", f"{INSTEAD}: {{layer: Softmax, from: ..., dim: -1}}"),
    ("y * x⟦.weight⟧", "there is no '.' in a formula", "name a port in from: {weight: x.weight}"),
    ("y * math⟦.pi⟧ * x", "there is no '.' in a formula", "write pi"),
    ("y * x⟦[⟧0]", "there is no '[' in a formula", "take a part by a node of its own: {layer: Select, from: x, dim: 1, index: 0}, or Slice"),
    ("1⟦_000⟧ * x + y", "a number has no _", "write 1000"),
    ("0⟦x1F⟧ * x + y", "numbers are decimal", "write 31"),
    ("2⟦x⟧ + y", "an operator is missing before 'x'", "write 2 * x, if they are multiplied"),
    ("x ⟦y⟧", "an operator is missing before 'y'", "write x * y, if they are multiplied"),
    ("2⟦(⟧x + y)", "an operator is missing before '('", "write * between them, if they are multiplied"),
    ("relu ⟦x⟧ + y", "the argument of relu stands in parentheses", "write relu(x)"),
    ("⟦'⟧x' + y", "text has no place in a formula", "write names and numbers without quotes"),
    ("x⟦,⟧ y", "a comma stands only between the arguments of a function", "write a node for each"),
    ("x ⟦@⟧ y", "there is no '@' in a formula", "make it a node: {merge: matmul, from: [a, b]}"),
    ("x ⟦×⟧ y", "'×' is not an operator", "write *"),
    ("x ⟦−⟧ y", "'−' is no minus", "write -"),
    ("x⟦²⟧ + y", "'²' is not an operator", "write ** 2"),
    ("(x + y)⟦)⟧", "this ')' closes nothing", ""),
    ("x * (y + ⟦)⟧", "a number or name is missing before ')'", ""),
    ("⟦(x + y⟧", "')' is missing", ""),
    ("⟦max⟧(x, y)", "there is no function 'max'", "write maximum(...)"),
    ("⟦max⟧(x) + y", "there is no function 'max'", f"{INSTEAD}: {{layer: Max, from: ..., dim: 1, keepdim: true}}, and write broadcast: true"),
    ("⟦matmul⟧(x, y)", "there is no function 'matmul'", f"{INSTEAD}: {{merge: matmul, from: ...}}"),
    ("⟦pow⟧(x, y)", "there is no function 'pow'", "a power is **"),
    ("⟦clamp⟧(x, 0) + y", "clamp takes 3 arguments, not 2", "write clamp(x, low, high), or maximum(x, low) for one limit"),
    ("x * ⟦True⟧ + y", "the formula has no source 'True'", "write 1"),
    ("x * ⟦exp⟧ + y", "the formula has no source 'exp'", "exp is a function: write exp(...)"),
    ("x * ⟦k⟧ + y", "the formula has no source 'k'", "write $k for the param"),
    ("x * ⟦z⟧ + y", "the formula has no source 'z'", "add it to from: [x, y, z]"),
    ("x * $⟦scale⟧ + y", "no param or dimension is called 'scale'", "known here: k, many"),
    ("x * ⟦q⟧ + y", "the formula has no source 'q'", "its sources: x, y"),
    ("x * $⟦many⟧ + y", "many is a list, but only a number can stand here", ""),
]  # fmt: skip


def test_notation_that_formulas_lack() -> None:
    each(FOREIGN, is_reported)


def is_reported(case: tuple[str, str, str]) -> None:
    marked, message, help = case
    start, end = marked.index("⟦"), marked.index("⟧") - 1
    expr = marked.replace("⟦", "").replace("⟧", "")
    spec = (
        "params: {k: 2, many: [1, 2]}\ninputs: {x: [T], y: [T], z: [T]}\nnodes:\n"
        f"  f:\n    merge: formula\n    from: [x, y]\n    expr: {json.dumps(expr, ensure_ascii=False)}\n"
        "outputs: [f, z]\n"
    )
    (fault,) = faults(spec)
    assert (fault.message, fault.help) == (message, help)
    first = len("    expr: '") + 1
    assert (fault.span.line, fault.span.column, fault.span.end_column) == (
        7,
        first + start,
        first + end,
    )


def test_a_source_is_named_if_others_have_names() -> None:
    spec = (
        "inputs: {gate: [4], image: [4], text: [4]}\nnodes:\n"
        "  f: {merge: formula, expr: g * image + text, from: {g: gate, image: image}}\n"
        "outputs: f\n"
    )
    assert [fault.help for fault in faults(spec)] == [
        "add it to from: {g: gate, image: image, text: text}"
    ]


@pytest.mark.parametrize(
    ("sources", "expr", "help"),
    [
        ("{a: x}", "x * 2", "write a, the name that from gives to x"),
        ("{a: x, b: y}", "x + b", "write a, the name that from gives to x"),
        ("{a: x, b: y}", "b + z", "add it to from: {b: y, z: z}"),
        ("[x, y]", "x + z", "add it to from: [x, z]"),
    ],
)
def test_a_source_that_the_formula_does_not_use(sources: str, expr: str, help: str) -> None:
    spec = (
        "inputs: {x: [4], y: [4], z: [4]}\nnodes:\n"
        f"  f: {{merge: formula, expr: {expr}, from: {sources}}}\noutputs: {{f: f, x: x, y: y, z: z}}\n"
    )
    assert [fault.help for fault in faults(spec)] == [help]
