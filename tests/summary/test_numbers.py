"""Numbers as pictures and tables show them: three digits with a unit, and named sizes as factors."""

from __future__ import annotations

from mimgraph.ir.amount import Amount
from mimgraph.ir.dim import symbol
from mimgraph.summary.numbers import memory, short

N, T, S = (symbol(name) for name in "NTS")
BLOCKS = (T + 31) // 32


COUNTS: list[tuple[Amount | int, str]] = [
    (0, "0"),
    (384, "384"),
    (9_999, "9,999"),
    (10_000, "10 k"),
    (999_499, "999 k"),
    (999_500, "1 M"),
    (25_557_032, "25.6 M"),
    (6_292_703_232, "6.29 G"),
    (10**21, "1,000,000 P"),
    (-65_536, "-65.5 k"),
    (Amount([4096]), "4,096"),
    (Amount([6_292_703_232, N]), "6.29 G·N"),
    (Amount([38_597_376, T], [3072]), "38.6 M·T + 3,072"),
    (Amount([2000, S, T], [-16_000, T]), "2,000·S·T - 16 k·T"),
    (Amount([64_000, T, T], [T]), "64 k·T^2 + T"),
    (Amount([-12_000, T]), "-12 k·T"),
    (Amount([98_304, BLOCKS], [20_000]), "98.3 k·((T + 31)//32) + 20 k"),
    (Amount([BLOCKS]), "(T + 31)//32"),
]


BYTES: list[tuple[Amount | int, str]] = [
    (0, "0 B"),
    (999, "999 B"),
    (1_000, "1 kB"),
    (77_240, "77.2 kB"),
    (7_340_000, "7.34 MB"),
    (Amount([7_340_032, N]), "7.34 MB·N"),
    (Amount([128, T], [403_364]), "128 B·T + 403 kB"),
    (Amount([S, T]), "1 B·S·T"),
    (Amount([24_576, BLOCKS, T], [-8]), "24.6 kB·T·((T + 31)//32) - 8 B"),
]


def test_counts_and_bytes() -> None:
    found = [short(amount) for amount, _ in COUNTS] + [memory(amount) for amount, _ in BYTES]
    assert found == [expected for _, expected in (*COUNTS, *BYTES)]
