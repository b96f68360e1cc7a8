"""Run the trials of a search with Optuna: `mg.sample`, and the engine of `mimgraph search`."""
