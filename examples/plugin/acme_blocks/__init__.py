"""An example of a package of plugins for mimgraph."""
