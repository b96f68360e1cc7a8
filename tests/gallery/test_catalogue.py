"""The catalogue of the gallery has every spec, and says what each is."""

from __future__ import annotations

import pytest

from mimgraph.gallery import catalogue
from mimgraph.gallery.catalogue import entries, find
from tests.conftest import ROOT, SPECS


def test_every_spec_has_a_category() -> None:
    paths = [*SPECS, *(ROOT / "specs" / "parts").glob("*.yaml")]
    assert sorted(find(one.name) for one in entries()) == sorted(paths)


def test_each_is_described_in_a_sentence() -> None:
    texts = {one.name: one.about for one in entries()}
    assert texts["bert_base"].endswith("and a pooled one of the first")
    assert (
        texts["text_numerical"] == "A text (embedding, the LSTM's last state) joined with numbers"
    )
    assert all(len(text) > 20 and text.count("(") == text.count(")") for text in texts.values())


def test_an_unknown_name_suggests_one() -> None:
    with pytest.raises(KeyError, match="did you mean bert_base"):
        find("bert_bse")


def test_an_installed_gallery_is_found_first(tmp_path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(catalogue, "_INSTALLED", tmp_path)
    assert catalogue.folder() == tmp_path
