"""Completion proposes what may stand at the cursor; `--rewrite` replaces the proposals in the corpus."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mimgraph.editor.analysis import analyse
from mimgraph.editor.features.completion.complete import Completion, complete
from mimgraph.editor.features.completion.proposal import documentation
from mimgraph.editor.features.completion.scope import part_paths
from mimgraph.editor.features.uses import uses_of
from mimgraph.language.files import first_place
from mimgraph.language.fixes import check
from mimgraph.language.text_edits import TextEdit, edited
from mimgraph.source import SourceFile
from tests.helpers.cases import check_texts

UNKNOWN = {"yaml-syntax", "unknown-layer", "unknown-merge", "unknown-source", "unknown-block"}
SHOWN = 12  # proposals of a case in the corpus
SPECS = ("image_numerical", "resnet18", "seq2seq_attention")


def proposed(marked: str) -> Completion | None:
    """Return the proposals at the cursor."""
    at = marked.index("|")
    file = SourceFile("spec.yaml", marked[:at] + marked[at + 1 :])
    analysis = analyse(file)
    return complete(analysis, uses_of(analysis), None, *file.place(at))


def listed(found: Completion | None) -> str:
    """Return the first proposals as lines."""
    every = found.proposals if found is not None else []
    lines = [f"{one.label}  {one.detail}".rstrip() for one in every[:SHOWN]]
    more = [f"... and {len(every) - SHOWN} more"] if len(every) > SHOWN else []
    return "\n".join([*lines, *more]) or "nothing"


def test_proposals_of_the_corpus(rewrite: bool) -> None:
    def after(marked: str) -> str:
        return listed(proposed(marked)) + "\n"

    check_texts(Path(__file__).with_name("completion.md"), after, rewrite)


def words(text: str) -> list[re.Match[str]]:
    """Return the names of ops, the sources and the keys in a spec."""
    found = re.finditer(r"(?:layer|merge|from): (?P<word>\w+)|[{,] (?P<key>\w+): ", text)
    return [*found]


@pytest.mark.parametrize("name", SPECS)
def test_what_is_proposed_is_known(name: str) -> None:
    """An accepted op, key or source is no fault of syntax and no unknown name."""
    path = next((Path(__file__).parents[3] / "specs").rglob(f"{name}.yaml"))
    file = SourceFile("spec.yaml", path.read_text())
    analysis = analyse(file)
    uses = uses_of(analysis)
    assert not check(file) or check(file)[0].severity == "warning"
    tried = 0
    for match in words(file.text)[::5]:
        group = "word" if match["word"] else "key"
        found = complete(analysis, uses, None, *file.place(match.end(group)))
        assert found is not None, match[0]
        start = found.span[1:3]
        for proposal in found.proposals[::7]:
            text = edited(file, [TextEdit(found.span, proposal.label)])
            here = [one for one in check(SourceFile("spec.yaml", text)) if one.span[1:3] == start]
            bad = UNKNOWN | ({"unknown-key"} if proposal.kind in ("key", "option") else set())
            assert not {one.code for one in here} & bad, (match[0], proposal, here)
            tried += 1
    assert tried > 20


def test_what_is_there_already_is_proposed_where_it_stands() -> None:
    found = proposed("inputs: {x: [8]}\nnodes:\n  y: {layer: ReL|U, from: x}\noutputs: y\n")
    assert found is not None and "ReLU" in [one.label for one in found.proposals]
    assert (found.span.column, found.span.end_column) == (14, 18)


def test_documentation_of_what_is_selected() -> None:
    assert "nn.Linear" in documentation("Linear", "Linear")
    assert "weights" in documentation("freeze", "freeze")
    assert "out_features" in documentation("layer:Linear", "out_features")
    assert documentation("Nothing", "Nothing") == ""


def test_paths_of_parts_lie_in_the_folder(tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / "towers").mkdir(parents=True)
    for path in ("model.yaml", "towers/text.yaml", "notes.txt", ".hidden.yaml"):
        (home / path).write_text("")
    (tmp_path / "outside.yaml").write_text("")
    (home / "link.yaml").symlink_to(tmp_path / "outside.yaml")
    found = [one.label for one in part_paths(first_place(str(home / "model.yaml")))]
    assert found == ["model.yaml", "towers/text.yaml"]
