"""Define layers over steps and tokens: embeddings, recurrent layers, attention, transformers, masks."""
