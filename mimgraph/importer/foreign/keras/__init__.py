"""Read models of Keras 3: a config and its weights become a spec and a state_dict."""

from mimgraph.importer.foreign.keras.read import read_keras

__all__ = ["read_keras"]
