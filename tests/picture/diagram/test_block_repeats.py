"""The texts of repeats that are drawn once span their differences."""

from __future__ import annotations

import pytest

from mimgraph.picture.diagram.block_repeats import span


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["Linear 8"] * 3, "Linear 8"),
        (["(N, 64, 30)", "(N, 8, 28)"], "(N, 64/8, 30/28)"),
        (["w=64", "w=8", "w=64"], "w=64/8/64"),
        (["w=8", "w=8", "w=16"], "w=8/8/16"),
        (["p=0", "p=0.1", "p=0.25"], "p=0/0.1/0.25"),
        ([f"w={2**n}" for n in range(3, 9)], "w=8…256"),
        (["64", "64", "32", "32", "8"], "64…8"),
        (["64", "8", "32", "128", "8"], "64/8/32/128/8"),
        (["64", "8", "32", "128", "8", "8", "16"], "8…128"),
        (["w=8/4", "w=4/2"], "w=8/4/4/2"),
        (["w=8/4", "w=8/4"], "w=8/4"),
        (["w=8…256", "w=4…128"], "w=4…256"),
        (["ReLU", "Tanh", "ReLU"], "ReLU / Tanh / ReLU"),
        (["ReLU", *["Tanh"] * 9, "ELU"], "ReLU … ELU"),
    ],
    ids=[
        "alike",
        "two are no range",
        "in the order of the repeats",
        "equal ones are counted",
        "fractions",
        "a long row that rises",
        "a long row that falls",
        "up and down",
        "a long row up and down by its least and most",
        "of repeats in repeats",
        "alike within",
        "of long rows",
        "words",
        "many words",
    ],
)
def test_the_texts_of_all_repeats_become_one(texts: list[str], expected: str) -> None:
    assert span(texts) == expected
