"""Find the specs of the gallery, and read what each is."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

from mimgraph.declare import tree
from mimgraph.diagnostics.nearest import suggestion
from mimgraph.diagnostics.text import unmarked
from mimgraph.language.yaml_reader import tree_of
from mimgraph.source import SourceFile

CATEGORIES = {
    "to begin with": """
        simple_numerical text_numerical image_numerical residual_cnn two_towers masked_attention digits
        """,
    "images": """
        resnet18 resnet50 densenet121 mobilenet_v2 mobilenet_v3_small efficientnet_b0 convnext_tiny
        vit_b16 swin_t googlenet unet_attention detr perceiver siamese
        """,
    "text and sound": """
        bert_base gpt2 llama t5 t5_encoder whisper clip llava t5_like seq2seq_attention
        text_classifier wavenet conformer
        """,
    "several modalities": """
        early_fusion late_fusion gated_fusion low_rank_fusion tensor_fusion mult mbt vqa_attention
        audio_text_emotion image_table_missing
        """,
    "tables and recommenders": """
        wide_and_deep deepfm dcn_v2 dlrm din mmoe neumf two_tower_retrieval tab_transformer
        ft_transformer tft
        """,
    "of several files": "search reader",
}
_REFERENCE = re.compile(r" \((?=[^)]*\b(?:19|20)\d\d\b)")
_INSTALLED = Path(__file__).parent / "specs"
_CHECKOUT = Path(__file__).parent.parent.parent / "specs"


class Entry(NamedTuple):
    """A spec of the gallery: its name in commands, the name of its model, and what this does."""

    name: str
    category: str
    model: str
    about: str


def folder() -> Path:
    """Return the folder of the specs."""
    return _INSTALLED if _INSTALLED.is_dir() else _CHECKOUT


@cache
def entries() -> tuple[Entry, ...]:
    """Return all specs, category by category."""
    return tuple(
        _entry(name, category)
        for category, names in CATEGORIES.items()
        for name in sorted(names.split())
    )


def find(name: str) -> Path:
    """Return the path of a spec; a `KeyError` says which name is similar."""
    known = [one for names in CATEGORIES.values() for one in names.split()]
    if name not in known:
        help = unmarked(suggestion(name, known)) or "mimgraph gallery lists all"
        raise KeyError(f"no spec of the gallery is called {name!r}", help)
    return _path(name)


def _path(name: str) -> Path:
    within = "parts" if name in CATEGORIES["of several files"].split() else ""
    return folder() / within / f"{name}.yaml"


def _entry(name: str, category: str) -> Entry:
    """Return what a spec says of itself; it is not checked."""
    path = _path(name)
    text = path.read_text(encoding="utf-8")
    root = tree_of(SourceFile(path.name, text))
    assert isinstance(root, tree.Mapping)
    model, doc = root.get("name"), root.get("doc")
    assert isinstance(model, tree.Scalar)
    about = doc.text if isinstance(doc, tree.Scalar) else text.partition("\n")[0].lstrip("# ")
    return Entry(name, category, model.text, _first_sentence(about))


def _first_sentence(doc: str) -> str:
    """Return what a doc says before its reference, brackets with a year, or its first full stop."""
    text = _REFERENCE.split(" ".join(doc.split()))[0]
    sentence = text.partition(". ")[0].rstrip(".")
    return sentence[0].upper() + sentence[1:]
