"""Amounts: exact sums of products of sizes."""

from __future__ import annotations

from mimgraph.ir.amount import Amount
from mimgraph.ir.dim import MAX_TERMS, symbol
from tests.helpers.cases import each

N, T = symbol("N"), symbol("T")
SHOWN = [
    (Amount(), "0"),
    (Amount((2, 3), (4,)), "10"),
    (Amount((2, T, 64)), "128*T"),
    (Amount((T, N, 2), (3, N, T)), "5*N*T"),
    (Amount((T - 2, T), (7,)), "T**2 - 2*T + 7"),  # type: ignore[arg-type]
    (Amount((T, 3)) * 2 + Amount((5,)), "6*T + 5"),
    # beyond what a size can be
    (Amount((2**62, T), (T, 2**62), (5,)), f"{2**63}*(T) + 5"),
]


@each("amount, text", SHOWN)
def test_an_amount_is_printed_multiplied_out(amount: Amount, text: str) -> None:
    assert str(amount) == text


def test_the_value_is_a_number_if_all_names_have_sizes() -> None:
    amount = Amount((2, T, N), (5,))
    assert amount.value == "2*N*T + 5"
    assert amount.at({"T": 3}).value == "6*N + 5"
    assert amount.at({"T": 3, "N": 2**62}).value == 6 * 2**62 + 5
    assert bool(amount) and not Amount() and not amount * 0


def test_equal_amounts_are_equal_however_they_were_summed() -> None:
    assert Amount((T, N)) + Amount((N, T)) == Amount((2, N, T)) != Amount((N, T))
    assert Amount((T, T)) == Amount((T**2,))
    assert len({Amount((T, N)), Amount((N, T))}) == 1


def test_an_amount_may_have_more_terms_than_a_size() -> None:
    names = [symbol(f"T{index}") for index in range(MAX_TERMS + 1)]
    amount = Amount(*([name] for name in names))
    assert amount.at({str(name): 1 for name in names}).value == MAX_TERMS + 1
    assert str(amount).count(" + ") == MAX_TERMS
