"""What a run found moves with the text, and goes where it is changed."""

from __future__ import annotations

from mimgraph.editor.python_files.findings import CallHint, Findings, Lines, PythonFault
from tests.helpers.cases import each

# a text with findings in brackets, the stretch that is replaced in angles, the new text, and the text then
CASES = {
    "above": ("<a>\nb [c] d", "x", "x\nb [c] d"),
    "a line more": ("<>a\nb [c] d", "\n\n", "\n\na\nb [c] d"),
    "a line less": ("a<\n>b [c] d", "", "ab [c] d"),
    "below": ("b [c] d\n<e>", "f", "b [c] d\nf"),
    "before, on the line": ("<b> [c] d", "long", "long [c] d"),
    "before, with a line": ("b<> [c] d", "\n", "b\n [c] d"),
    "behind, on the line": ("b [c] <d>", "", "b [c] "),
    "behind, with a line": ("b [c] <d>", "x\ny", "b [c] x\ny"),
    "just before": ("b <>[c] d", "x", "b x[c] d"),
    "just behind": ("b [c]<> d", "x", "b [c]x d"),
    "inside": ("b [c<>c] d", "x", "b cxc d"),
    "the whole": ("b <[c]> d", "x", "b x d"),
    "over its start": ("<b [c>c] d", "x", "xc d"),
    "several": ("[a] [b<>b] [c]\n[d]", "x\r\ny", "[a] bx\r\nyb [c]\n[d]"),
    "all": ("<a\n[b]\nc>", "x", "x"),
}


def stretches(text: str, signs: str) -> tuple[str, list[Lines]]:
    """Return a text without the signs around its stretches, and the stretches."""
    plain, found, open_ = "", [], (1, 1)
    for char in text:
        lines = plain.replace("\r\n", "\n").split("\n")
        here = (len(lines), len(lines[-1]) + 1)
        if char == signs[0]:
            open_ = here
        elif char == signs[1]:
            found.append(Lines(*open_, *here))
        else:
            plain += char
    return plain, found


@each("case", CASES)
def test_findings_move_with_the_text(case: tuple[str, str, str]) -> None:
    before, new, after = case
    places = stretches(before.replace("<", "").replace(">", ""), "[]")[1]
    (edit,) = stretches(before.replace("[", "").replace("]", ""), "<>")[1]
    found = Findings(
        tuple(PythonFault("python", "error", "a", place) for place in places),
        tuple(CallHint(place, "a") for place in places),
    ).moved(edit[:2], edit[2:], new)
    expected = stretches(after, "[]")[1]
    assert [one.place for one in found.hints] == expected
    assert [one.place for one in found.faults] == expected
    assert found.is_stale
