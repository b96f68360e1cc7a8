"""Find every place where a spec defines or uses a name: nodes, inputs, params, sizes, blocks, ports."""
