"""A picture format: a function of the graph that returns the text or the bytes of the file."""

import mimgraph as mg


def tikz(graph: mg.Graph, *, direction: str = "TB") -> str:
    """Return the graph as a LaTeX picture, one box below the other, or beside it."""
    step = "below=of" if direction == "TB" else "right=of"
    lines = [r"\begin{tikzpicture}[box/.style={draw, rounded corners}]"]
    before = ""
    for name in graph:
        node = graph.nodes.get(name)
        what = "Input" if node is None else node.op
        place = f"[box, {step} {before}]" if before else "[box]"
        lines.append(rf"  \node{place} ({name}) {{{_escaped(f'{name}: {what}')}}};")
        before = name
    lines += [rf"  \draw[->] ({e.source}) to[bend left] ({e.target});" for e in graph.edges]
    return "\n".join([*lines, r"\end{tikzpicture}", ""])


def _escaped(text: str) -> str:
    return text.replace("_", r"\_")
