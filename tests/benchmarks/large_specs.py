"""Write large specs, and measure their check in a process that imports little else."""

from __future__ import annotations

import time
from collections.abc import Callable

import mimgraph as mg
from mimgraph.infer import rules

ROUNDS = 5  # of which the fastest counts


def check_cost(spec: str, nodes: int) -> Callable[[], float]:
    """Return the processor time of the check of a spec, in seconds a node.

    Each one begins without the answers of the one before, to which no node would be unlike.
    """
    text = SPECS[spec](nodes)

    def cost() -> float:
        times = []
        for _ in range(ROUNDS):
            rules.forget()
            start = time.process_time()
            graph = mg.loads(text)
            times.append(time.process_time() - start)
            del graph  # only now, as freeing the result does not count
        return min(times) / nodes

    return cost


def chain(nodes: int) -> str:
    """Return a spec of `nodes` Linear nodes in a row."""
    lines = "".join(
        f"  n{i + 1}: {{layer: Linear, from: n{i}, out_features: 64}}\n" for i in range(nodes)
    )
    return f"inputs: {{n0: [64]}}\nnodes:\n{lines}outputs: n{nodes}\n"


def unlike(nodes: int) -> str:
    """Return a spec of `nodes` nodes in a row, of which no two have the same name and hardly any the
    same sizes."""
    forms = (
        "layer: Linear, from: {last}, out_features: {size}",
        "layer: LayerNorm, from: {last}",
        "layer: GELU, from: {last}",
        "merge: add, from: [{last}, {before}]",
        "layer: Dropout, from: {last}, p: {share}",
        "layer: Linear, from: {last}, out_features: {size}, bias: false",
        "layer: ReLU, from: {last}",
        "merge: concat, from: [{last}, {before}], dim: -1",
    )
    last = before = "x"
    lines = []
    for i in range(nodes):
        size, share = 8 + i * 37 % 1021, f"0.{1 + i % 89}"
        form = forms[i % len(forms)].format(last=last, before=before, size=size, share=share)
        name = f"step_{i * 7919 % 99_991}_{'abcdefgh'[i % 8] * (1 + i % 5)}"
        lines.append(f"  {name}: {{{form}}}\n")
        last, before = name, last
    return f"inputs:\n  x: [8]\nnodes:\n{''.join(lines)}outputs: {last}\n"


def items(nodes: int) -> str:
    """Return a spec of one `seq` with so many items: 50,000 nodes would pass the limit of 1 MiB."""
    lines = "      - Linear: 64\n" * nodes
    return f"inputs: {{x: [64]}}\nnodes:\n  y:\n    from: x\n    seq:\n{lines}outputs: y\n"


SPECS = {"chain": chain, "unlike": unlike, "items": items}
