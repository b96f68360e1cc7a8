"""Sizes are printed as Python that computes them."""

from __future__ import annotations

from types import SimpleNamespace

from hypothesis import given

from mimgraph.ir.dim import FloorDiv, Modulo, Size, printed_terms, render
from tests.helpers.cases import each
from tests.ir.expressions import EXPRESSIONS, VALUES, R, S, T, build, evaluate, int_only

PRINTED: list[tuple[Size, str]] = [
    (T, "T"),
    (2 * T, "2*T"),
    (2 * T + 1, "2*T + 1"),
    (T - 2, "T - 2"),
    (5 - T, "5 - T"),
    (-T - 1, "-T - 1"),
    (T + S, "S + T"),
    (T - S, "T - S"),
    (T - R - S + 3, "T - R - S + 3"),
    (2 * T * S, "2*S*T"),
    (1 + T + T**2, "T**2 + T + 1"),
    (T // 2, "T//2"),
    ((T - 1) // 2, "(T - 1)//2"),
    ((T - 3) // 2 + 1, "(T - 1)//2"),
    ((T + 1) // 2 - 1, "(T - 1)//2"),
    ((3 * T) // 4, "(3*T)//4"),
    (T // (2 * S), "T//(2*S)"),
    (5 // T, "5//T"),
    ((T // S) // R, "T//(R*S)"),
    (-(T // 2), "-(T//2)"),
    (S - T // 2, "S - T//2"),
    (2 * (T // 2), "2*(T//2)"),
    (S * (T // 2), "S*(T//2)"),
    ((T // 2) ** 2, "(T//2)**2"),
    ((5 * T + 7) // 2, "2*T + (T + 1)//2 + 3"),
    (T % 4, "T % 4"),
    ((T + 3) % 4 + 2, "(T + 3) % 4 + 2"),
    (5 - T % 4, "5 - T % 4"),
    ((2 * T) % 4, "2*(T % 2)"),
    (S * (T % 4), "S*(T % 4)"),
    (T % S, "T % S"),
    (5 % T, "5 % T"),
    ((T // 2) % 3, "(T//2) % 3"),
    ((T // 2) % S, "(T//2) % S"),
    (7, "7"),
    (-7, "-7"),
    (0, "0"),
]


@each("size, text", PRINTED)
def test_printing(size: Size, text: str) -> None:
    assert str(size) == repr(size) == render(size, str) == text


def test_rendering_with_other_names() -> None:
    assert render((T - 3) // 2 + S, lambda name: f"{name.lower()}.shape[1]") == (
        "s.shape[1] + (t.shape[1] + 1)//2 - 2"
    )


def test_terms_are_those_printed() -> None:
    assert printed_terms(2 * S * T**2 - 1) == [(2, (("S", 1), ("T", 2))), (-1, ())]
    assert printed_terms((T - 3) // 2 + 1) == [(1, ((FloorDiv(T - 1, 2), 1),))]
    assert printed_terms(-3 * (T % 4)) == [(-3, ((Modulo(T, 4), 1),))]
    assert printed_terms(0) == [(0, ())]


@given(EXPRESSIONS, VALUES)
def test_printing_evaluates_back(text: str, values: dict[str, int]) -> None:
    size, expected = build(text), evaluate(text, values)
    assert evaluate(str(size), values) == expected
    x = SimpleNamespace(shape=[values["R"], values["S"], values["T"]])
    code = render(size, lambda name: f"x.shape[{'RST'.index(name)}]")
    assert int_only(eval(code, {"x": x})) == expected


@given(EXPRESSIONS)
def test_printing_keeps_the_normal_form(text: str) -> None:
    size = build(text)
    assert build(str(size)) == size
