"""What probes found is kept in files, of which a damaged or foreign one counts as none."""

from __future__ import annotations

from pathlib import Path

import pytest

from mimgraph.encoders import cache


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(cache.FOLDER, str(tmp_path / "kept"))
    return tmp_path / "kept"


def remembered(question: dict[str, object], answer: int) -> int:
    found: int = cache.remembered(question, lambda: {"answer": answer})["answer"]
    return found


def test_a_question_is_asked_once() -> None:
    assert [remembered({"model": "a"}, answer) for answer in (1, 2)] == [1, 1]
    assert remembered({"model": "b"}, 3) == 3


DAMAGED = ["", "{", "[]", '{"asked": 1, "found": {}}', "[" * 100_000, '{"found": []}', "\0\0"]


@pytest.mark.parametrize("text", DAMAGED, ids=range(len(DAMAGED)))
def test_a_damaged_file_counts_as_none(folder: Path, text: str) -> None:
    remembered({"model": "a"}, 1)
    (file,) = folder.iterdir()
    file.write_text(text)
    assert remembered({"model": "a"}, 2) == 2
    assert remembered({"model": "a"}, 3) == 2


def test_a_file_with_another_answer_counts_as_none(folder: Path) -> None:
    remembered({"model": "a"}, 1)
    (file,) = folder.iterdir()
    file.write_text(file.read_text().replace('{"answer": 1}', '{"result": 1}'))
    assert remembered({"model": "a"}, 2) == 2


def test_a_file_that_is_too_large_counts_as_none(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "LARGEST", 100)
    assert [remembered({"model": "a" * 100}, answer) for answer in (1, 2)] == [1, 2]
    assert not folder.exists()


def test_the_oldest_files_are_removed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "MOST", 2)
    for number in range(4):
        remembered({"model": number}, number)
    assert len(list(folder.iterdir())) == 2


def test_a_folder_that_cannot_be_written_to_is_no_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv(cache.FOLDER, str(tmp_path / "file" / "kept"))
    assert [remembered({"model": "a"}, answer) for answer in (1, 2)] == [1, 2]


def test_the_folder_is_that_of_the_users_caches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(cache.FOLDER)
    monkeypatch.setenv("XDG_CACHE_HOME", "/caches")
    assert cache.folder() == Path("/caches/mimgraph/encoders")
