"""Checkpoints in a cache of the Hugging Face hub, as its library lays it out."""

from __future__ import annotations

from pathlib import Path

import pytest

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def snapshot(cache: Path, name: str) -> Path:
    """Return the folder of a checkpoint's files, whose newest commit is the only one."""
    home = cache / f"models--{name.replace('/', '--')}"
    (home / "refs").mkdir(parents=True)
    (home / "refs" / "main").write_text(COMMIT)
    folder = home / "snapshots" / COMMIT
    folder.mkdir(parents=True)
    return folder


def use(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let mimgraph and the hub's library look for checkpoints in a folder."""
    constants = pytest.importorskip("huggingface_hub.constants")
    monkeypatch.setenv("HF_HUB_CACHE", str(cache))
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(cache))
