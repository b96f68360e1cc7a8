"""All modules as researchers write them."""

from tests.importer.zoo.research import fusion, signals, text

MODELS = [*fusion.MODELS, *text.MODELS, *signals.MODELS]
