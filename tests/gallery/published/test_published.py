"""Every published spec is documented, is the same when read back, and equals its reference."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

import mimgraph as mg
from mimgraph.cost.choose_sizes import choose_sizes
from mimgraph.runtime.runner import seeded_inputs
from tests.conftest import in_ci
from tests.gallery import randomise
from tests.gallery.published import REFERENCES, SPECS, Reference, published

for path in Path(__file__).parent.glob("[a-z]*.py"):
    if not path.stem.startswith("test_"):
        import_module(f"{__package__}.{path.stem}")  # registers the references of a family

# one of a family; of the language models the one with the most options
QUICK = ("bst", "crnn", "gat", "gemma2", "tabnet", "vivit")


def test_every_spec_has_a_reference() -> None:
    assert {path.stem for path in SPECS} == REFERENCES.keys()


@pytest.mark.slow
def test_specs_name_their_papers_and_are_the_same_when_read_back() -> None:
    wrong = {}
    for spec in SPECS:
        graph = mg.load(spec)
        has_year = re.search(r"\b(19|20)\d\d\b", graph.typed.body.doc)  # of the paper
        is_short = len(spec.read_text().splitlines()) < 120
        if not (has_year and is_short and mg.loads(graph.dumps()) == graph):
            wrong[spec.stem] = graph.typed.body.doc
    assert not wrong, wrong


@pytest.mark.parametrize(
    "spec", [in_ci(path, unless=path.stem in QUICK, name=path.stem) for path in SPECS]
)
@torch.no_grad()
def test_a_model_equals_its_reference(spec: Path) -> None:
    known = REFERENCES[spec.stem]
    torch.manual_seed(0)
    theirs = known.make(**known.small).eval()
    randomise(theirs)
    graph = published(spec.stem, **known.small)
    ours = with_weights_of(theirs, graph, known)
    inputs = inputs_of(graph, known)
    for mine, other in zip(tensors(ours(**inputs)), tensors(theirs(*inputs.values())), strict=True):
        assert mine.shape == other.shape
        scale = other.abs().max().item()
        # else outputs hardly differ between samples, and the comparison proves nothing
        assert not other.is_floating_point() or other.std(0).max() > 1e-3 * scale
        torch.testing.assert_close(mine, other, rtol=1e-4, atol=1e-4 * scale)


def with_weights_of(theirs: nn.Module, graph: mg.Graph, known: Reference) -> nn.Module:
    """Return the compiled graph with the reference's weights, all of them used."""
    ours, state = graph.compile().eval(), theirs.state_dict()
    if known.weights:
        state = known.weights(state)
    if known.weights or ours.state_dict().keys() == state.keys():
        ours.load_state_dict(state)
    else:
        transfer = graph.load_state(ours, theirs)
        assert transfer.missing == transfer.unused == transfer.zeros == ()
    return ours


def inputs_of(graph: mg.Graph, known: Reference) -> dict[str, Tensor]:
    """Return random inputs for three samples."""
    inputs = seeded_inputs(graph.typed, 3, 0, choose_sizes(graph.typed, dict(known.sizes)))
    return known.prepare(inputs) if known.prepare else inputs


def tensors(result: Tensor | tuple[Tensor, ...] | dict[str, Tensor]) -> tuple[Tensor, ...]:
    """Return the results of a model in order."""
    if isinstance(result, Tensor):
        return (result,)
    return tuple(result.values()) if isinstance(result, dict) else tuple(result)
