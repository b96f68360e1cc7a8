"""Turn models that were not written with mimgraph into specs."""
