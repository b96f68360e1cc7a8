"""`gallery` lists the specs of the package, and prints one."""

from __future__ import annotations

import json

from tests.conftest import ROOT


def test_all_are_listed_by_category(run) -> None:  # type: ignore[no-untyped-def]
    code, out = run("gallery")
    assert code == 0 and out.startswith("To begin with\n  digits ")
    assert "\nTables and recommenders\n" in out and "  two_tower_retrieval  A user and" in out


def test_the_list_fits_a_terminal(run, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setenv("COLUMNS", "50")
    _, out = run("gallery")
    assert max(map(len, out.splitlines())) <= 50


def test_the_list_is_also_data(run) -> None:  # type: ignore[no-untyped-def]
    first = json.loads(run("gallery", "--format", "json")[1])[0]
    assert (first["name"], first["category"], first["model"]) == (
        "digits",
        "to begin with",
        "Digits",
    )


def test_a_spec_is_printed_as_it_is_written(run) -> None:  # type: ignore[no-untyped-def]
    text = (ROOT / "specs" / "bert_base.yaml").read_text()
    assert run("gallery", "bert_base") == (0, text)
    assert json.loads(run("gallery", "bert_base", "--format", "json")[1])["spec"] == text


def test_an_unknown_one_suggests_another(run) -> None:  # type: ignore[no-untyped-def]
    code, out = run("gallery", "resnet_18")
    assert (code, out) == (2, "")
    assert (
        "no spec of the gallery is called 'resnet_18'\n  help: did you mean resnet18?" in out.error
    )
