"""A zoo of models, to measure which modules the importer can read."""

from __future__ import annotations

from importlib import import_module

from tests.importer.zoo.model import Model

# each is a file <family>_models.py here; a file is imported when its models are asked for
FAMILIES = ("research", "torchvision", "transformers", "timm")


def models(family: str) -> list[Model]:
    """Return the models of a family."""
    found: list[Model] = import_module(f"tests.importer.zoo.{family}_models").MODELS
    return found
