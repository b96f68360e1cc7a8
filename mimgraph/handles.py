"""The builder's public names, and the pictures of handles in notebooks, which it cannot draw."""

from mimgraph.builder import (
    Buffer,
    Input,
    Output,
    Parameter,
    Sequential,
    Tensor,
    arange,
    block,
    record,
    training_only,
)

__all__ = [
    "Buffer",
    "Input",
    "Output",
    "Parameter",
    "Sequential",
    "Tensor",
    "arange",
    "block",
    "training_only",
]


def _show(handle: Tensor) -> str:
    from mimgraph.builder.ancestry import in_words, leading_to
    from mimgraph.picture.notebook import handle_html

    return handle_html(in_words(handle), leading_to(handle))


record.show = _show
