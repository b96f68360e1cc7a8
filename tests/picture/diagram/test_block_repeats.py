"""The texts of repeats that are drawn once span their differences."""

from __future__ import annotations

from mimgraph.picture.diagram.block_repeats import span

CASES = {
    "alike": (["Linear 8"] * 3, "Linear 8"),
    "two are no range": (["(N, 64, 30)", "(N, 8, 28)"], "(N, 64/8, 30/28)"),
    "in the order of the repeats": (["w=64", "w=8", "w=64"], "w=64/8/64"),
    "equal ones are counted": (["w=8", "w=8", "w=16"], "w=8/8/16"),
    "fractions": (["p=0", "p=0.1", "p=0.25"], "p=0/0.1/0.25"),
    "a long row that rises": ([f"w={2**n}" for n in range(3, 9)], "w=8…256"),
    "a long row that falls": (["64", "64", "32", "32", "8"], "64…8"),
    "up and down": (["64", "8", "32", "128", "8"], "64/8/32/128/8"),
    "a long row up and down by its least and most": (
        ["64", "8", "32", "128", "8", "8", "16"],
        "8…128",
    ),
    "of repeats in repeats": (["w=8/4", "w=4/2"], "w=8/4/4/2"),
    "alike within": (["w=8/4", "w=8/4"], "w=8/4"),
    "of long rows": (["w=8…256", "w=4…128"], "w=4…256"),
    "words": (["ReLU", "Tanh", "ReLU"], "ReLU / Tanh / ReLU"),
    "many words": (["ReLU", *["Tanh"] * 9, "ELU"], "ReLU … ELU"),
}


def test_the_texts_of_all_repeats_become_one() -> None:
    found = {name: span(texts) for name, (texts, _) in CASES.items()}
    assert found == {name: expected for name, (_, expected) in CASES.items()}
