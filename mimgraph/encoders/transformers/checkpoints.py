"""Find the config of a checkpoint by name: in the cache of the Hugging Face hub, or among the known ones."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from mimgraph.ops.op import OpFault

LARGEST = 1_000_000  # bytes of a file that is read
_PART = r"[A-Za-z0-9](?:[\w.-]{0,94}[A-Za-z0-9])?"
_NAME = re.compile(rf"(?:{_PART}/)?{_PART}", re.ASCII)
_REVISION = re.compile(r"[A-Za-z0-9][\w.-]{0,99}", re.ASCII)

_LARGE = {
    "hidden_size": 1024,
    "num_hidden_layers": 24,
    "num_attention_heads": 16,
    "intermediate_size": 4096,
}
_ROBERTA = {"vocab_size": 50265, "max_position_embeddings": 514, "type_vocab_size": 1}
_XLM = {**_ROBERTA, "vocab_size": 250002}
_MINI = {"hidden_size": 384, "num_attention_heads": 12, "intermediate_size": 1536}
_ALBERT = {"hidden_size": 768, "num_attention_heads": 12, "intermediate_size": 3072}
_DINO = {"image_size": 518, "patch_size": 14}

# by name what a config says that is not the default of its model type; all of them are in safetensors
KNOWN: Mapping[str, Mapping[str, Any]] = {
    "albert-base-v2": {"model_type": "albert", **_ALBERT},
    "bert-base-cased": {"model_type": "bert", "vocab_size": 28996},
    "bert-base-multilingual-cased": {"model_type": "bert", "vocab_size": 119547},
    "bert-base-uncased": {"model_type": "bert"},
    "bert-large-cased": {"model_type": "bert", "vocab_size": 28996, **_LARGE},
    "bert-large-uncased": {"model_type": "bert", **_LARGE},
    "distilbert-base-cased": {"model_type": "distilbert", "vocab_size": 28996},
    "distilbert-base-uncased": {"model_type": "distilbert"},
    "distilgpt2": {"model_type": "gpt2", "n_layer": 6},
    "facebook/dinov2-base": {"model_type": "dinov2", **_DINO},
    "facebook/dinov2-small": {
        "model_type": "dinov2",
        **_DINO,
        "hidden_size": 384,
        "num_attention_heads": 6,
    },
    "google/vit-base-patch16-224": {"model_type": "vit"},
    "google/vit-base-patch16-224-in21k": {"model_type": "vit"},
    "gpt2": {"model_type": "gpt2"},
    "roberta-base": {"model_type": "roberta", **_ROBERTA, "layer_norm_eps": 1e-05},
    "roberta-large": {"model_type": "roberta", **_ROBERTA, **_LARGE, "layer_norm_eps": 1e-05},
    "sentence-transformers/all-MiniLM-L12-v2": {"model_type": "bert", **_MINI},
    "sentence-transformers/all-MiniLM-L6-v2": {
        "model_type": "bert",
        **_MINI,
        "num_hidden_layers": 6,
    },
    "sentence-transformers/all-mpnet-base-v2": {
        "model_type": "mpnet",
        "max_position_embeddings": 514,
        "layer_norm_eps": 1e-05,
    },
    "xlm-roberta-base": {"model_type": "xlm-roberta", **_XLM, "layer_norm_eps": 1e-05},
    "xlm-roberta-large": {"model_type": "xlm-roberta", **_XLM, **_LARGE, "layer_norm_eps": 1e-05},
}
# names by which the hub has them since it asks for an organization
_OWNERS = {
    "albert": "albert/",
    "bert": "google-bert/",
    "distilbert": "distilbert/",
    "distilgpt2": "distilbert/",
    "gpt2": "openai-community/",
    "roberta": "FacebookAI/",
    "xlm": "FacebookAI/",
}


class Checkpoint(NamedTuple):
    """A checkpoint of the hub: its name, the revision that is asked for, "" for the newest."""

    name: str
    revision: str = ""

    @property
    def folder(self) -> Path | None:
        """Return the folder of its files on this machine; None if there is none."""
        revision = self.revision or "main"
        home = Path(cache()).expanduser() / f"models--{self.name.replace('/', '--')}"
        commit = (_text(home / "refs" / revision) or revision).strip()
        folder = home / "snapshots" / commit
        return folder if _REVISION.fullmatch(commit) and folder.is_dir() else None

    def json(self, file: str) -> Any:
        """Return the data in a JSON file of the checkpoint; None if it is not on this machine or is
        damaged."""
        folder = self.folder
        text = "" if folder is None else _text(folder / file)
        try:
            return json.loads(text) if text else None
        except (ValueError, RecursionError):
            return None

    def config(self) -> Mapping[str, Any]:
        """Return the data of `config.json`, from this machine or from the known ones; raise the fault of
        a checkpoint that neither has."""
        found = self.json("config.json")
        if isinstance(found, dict):
            return found
        known = None if self.revision else KNOWN.get(_plain(self.name))
        if known is None:
            raise missing(self, "config.json")
        return known


def checkpoint(name: str, revision: str | None) -> Checkpoint:
    """Return the checkpoint of this name; raise the fault of a text that no checkpoint is called."""
    if not _NAME.fullmatch(name) or ".." in name or "--" in name:
        help = "write NAME or ORGANIZATION/NAME, as on the hub; a spec reads no other files"
        message = f"{name!r:.80} is not a Hugging Face checkpoint name"
        raise OpFault("bad-option", message, option="pretrained", help=help)
    if revision is not None and not _REVISION.fullmatch(revision):
        message = f"{revision!r:.80} is not a revision: a branch, a tag or a commit"
        raise OpFault("bad-option", message, option="revision")
    return Checkpoint(name, revision or "")


def missing(of: Checkpoint, file: str) -> OpFault:
    """Return the fault of a file of a checkpoint that is not on this machine."""
    revision = f" --revision {of.revision}" if of.revision else ""
    return OpFault(
        "missing-weights",
        f"the {file} of {of.name} is not on this machine",
        option="pretrained",
        note=f"it was looked for in {cache()}",
        help=f"where there is a network: hf download {of.name} {file}{revision}",
    )


def cache() -> str:
    """Return the folder in which the hub's library keeps checkpoints, with `~` for the user's."""
    variables = ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE")
    given = next(filter(None, map(os.environ.get, variables)), None)
    home = os.environ.get("HF_HOME")
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return given or f"{home or f'{base}/huggingface'}/hub"


def _plain(name: str) -> str:
    """Return the name without an organization that it had none of at first."""
    plain = name.rpartition("/")[2]
    owner = _OWNERS.get(re.split("[-_]", plain)[0])
    return plain if owner is not None and name == owner + plain else name


def _text(path: Path) -> str:
    """Return the text of a file of moderate size; "" if there is none."""
    try:
        if path.stat().st_size > LARGEST:
            return ""
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return ""
