"""Models of the gallery and the same ones by hand, to pass both to `torch.compile`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
import torchvision
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves

import mimgraph as mg
from mimgraph.cost.choose_sizes import choose_sizes
from mimgraph.runtime.runner import seeded_inputs
from tests.gallery import SMALL, gallery
from tests.gallery.test_missing import ByHand
from tests.gallery.test_vision import AttentionUNet
from tests.helpers.handwritten import MODELS as SEEDS


class Bert(nn.Module):
    """Call Hugging Face's BERT with the inputs of our spec, by position and in its order."""

    def __init__(self, depth: int = 12, width: int = 768, heads: int = 12, **config: Any) -> None:
        import transformers

        super().__init__()
        made = transformers.BertConfig(
            num_hidden_layers=depth,
            hidden_size=width,
            num_attention_heads=heads,
            intermediate_size=4 * width,
            attn_implementation="sdpa",
            **config,
        )
        self.model = transformers.BertModel(made)

    def forward(self, tokens: Tensor, segments: Tensor, padding: Tensor) -> Any:
        result = self.model(input_ids=tokens, token_type_ids=segments, attention_mask=~padding)
        return result.last_hidden_state, result.pooler_output


def small_bert() -> nn.Module:
    return Bert(vocab_size=100, **{k: v for k, v in SMALL["bert_base"].items() if k != "vocab"})


@dataclass(frozen=True)
class Pair:
    """A spec with these params, and the class by hand."""

    name: str
    by_hand: Callable[[], nn.Module]
    params: Mapping[str, int] = field(default_factory=dict)
    length: str = ""  # the axis whose size changes beside the batch's, in a few models
    side: int = 0  # of the image, where the spec's is large

    def __str__(self) -> str:
        return self.name

    def graph(self) -> mg.Graph:
        return gallery(self.name, **self.params)

    def inputs(self, batch: int, length: int) -> dict[str, Tensor]:
        """Return a batch with sequences of this length, if the model has any."""
        typed = self.graph().typed
        sizes = choose_sizes(typed, {self.length: length} if self.length else {})
        made = seeded_inputs(typed, batch, 0, sizes)
        if self.side:
            made["image"] = made["image"][..., : self.side, : self.side].contiguous()
        return made


PAIRS = (
    *(Pair(name, made) for name, made in SEEDS.items()),
    Pair("resnet18", torchvision.models.resnet18, side=64),
    Pair("bert_base", small_bert, SMALL["bert_base"], length="T"),
    Pair("unet_attention", lambda: AttentionUNet(width=8), {"width": 8}, side=64),
    Pair("image_table_missing", ByHand),
)
SIZES = ((4, 24), (3, 24), (5, 24), (4, 17), (6, 31), (7, 12), (2, 40), (8, 9), (9, 50), (12, 33))


def graphs(model: nn.Module, pair: Pair, by_name: bool) -> list[int]:
    """Return how many graphs `torch.compile` has made of a model after each of ten steps of training.

    Its backend is called once for each graph, whether the code is broken into several or compiled
    anew for other sizes.
    """
    made: list[torch.fx.GraphModule] = []

    def keep(graph: torch.fx.GraphModule, _: list[Tensor]) -> Callable[..., Any]:
        made.append(graph)
        return graph.forward

    torch.compiler.reset()
    compiled, after = torch.compile(model.train(), backend=keep), []
    for batch, length in SIZES:
        inputs = pair.inputs(batch, length)
        result = compiled(**inputs) if by_name else compiled(*inputs.values())
        sum(x.sum() for x in tree_leaves(result)).backward()
        after.append(len(made))
    return after
