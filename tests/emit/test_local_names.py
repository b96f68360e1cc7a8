"""The names of the locals of an emitted forward: each says which node the value is from."""

from __future__ import annotations

import re
import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import chain

import pytest
from hypothesis import example, given, settings

import mimgraph as mg
from mimgraph.emit.format.statements import Assign, For, If, Statement
from mimgraph.emit.forward.forward import forward
from mimgraph.emit.forward.values import used_ports
from mimgraph.ir.typed.graph import Body, Value, single_nodes
from mimgraph.ir.typed.operations import Each, Leaf, Repeated, unwrap
from mimgraph.ir.typed.walks import bodies
from tests.helpers.strategies import Spec, specs, to_yaml

EXAMPLES = {
    "a chain has the name of its last node": """
        inputs: {a: [8], b: [8]}
        nodes:
          late: {layer: Linear, from: a, out_features: 8}
          logits: {layer: Linear, from: late, out_features: 8}
          side: {merge: add, from: [logits, b]}
        outputs: {logits: logits, side: side}
        ---
        logits = self.late(a)
        logits = self.logits(logits)
        side = logits + b
    """,
    "the chain that ends in the result is x": """
        inputs: {a: [8]}
        nodes:
          stem: {layer: Linear, from: a, out_features: 8}
          body: {layer: Linear, from: stem, out_features: 8}
          head: {layer: Linear, from: body, out_features: 8}
        outputs: head
        ---
        x = self.stem(a)
        x = self.body(x)
        return self.head(x)
    """,
    "what goes into a stack has its own name": """
        inputs: {tags: {shape: [T], vocab: 9}, other: [8]}
        nodes:
          bag: {layer: EmbeddingBag, from: tags, embedding_dim: 8}
          dots: {merge: pairwise_dot, from: [bag, other]}
        outputs: dots
        ---
        bag = self.bag(tags)
        dots_lower = torch.tril_indices(2, 2, -1, device=bag.device)
        dots = torch.stack((bag, other), 1)
        del bag
        dots = dots @ dots.mT
        return dots[:, dots_lower[0], dots_lower[1]]
    """,
    "what goes into a merge with a tensor of the model has its own name": """
        inputs: {a: [8]}
        nodes:
          words: {layer: Linear, from: a, out_features: 8}
          places: {parameter: [8], init: zeros}
          placed: {merge: add, from: [words, places], broadcast: true}
          out: {layer: Tanh, from: placed}
        outputs: out
        ---
        words = self.words(a)
        x = words + self.places
        del words
        return self.out(x)
    """,
    "a merge of one value is a link of a chain": """
        inputs: {a: [8]}
        nodes:
          fc: {layer: Linear, from: a, out_features: 8}
          half: {merge: formula, expr: "h / 2", from: {h: fc}}
          out: {layer: Tanh, from: half}
        outputs: out
        ---
        x = self.fc(a)
        x = x / 2
        return self.out(x)
    """,
    "what two nodes read has its own name": """
        inputs: {a: [8]}
        nodes:
          fc: {layer: Linear, from: a, out_features: 8}
          left: {layer: Tanh, from: fc}
          right: {layer: Sigmoid, from: fc}
        outputs: {left: left, right: right}
        ---
        fc = self.fc(a)
        left = self.left(fc)
        right = self.right(fc)
        del fc
    """,
    "a loop has the name of its node": """
        inputs: {a: [8], b: [8]}
        blocks:
          unit:
            inputs: {x: [8], y: [8]}
            nodes:
              fc: {layer: Linear, from: x, out_features: 8}
              sum: {merge: add, from: [fc, y]}
            outputs: sum
        nodes:
          from_b: {block: unit, from: [a, b], repeat: 2}
          norm_b: {layer: LayerNorm, from: from_b}
          joined: {merge: add, from: [norm_b, a]}
        outputs: joined
        ---
        from_b = a
        for layer in self.from_b:
            from_b = layer(from_b, b)
        norm_b = self.norm_b(from_b)
        del from_b
        return norm_b + a
    """,
    "what was read before is deleted as soon as a loop has it": """
        inputs: {a: [8], b: [8]}
        blocks:
          unit:
            inputs: {x: [8], y: [8]}
            nodes:
              fc: {layer: Linear, from: x, out_features: 8}
              sum: {merge: add, from: [fc, y]}
            outputs: sum
        nodes:
          fc: {layer: Linear, from: a, out_features: 8}
          gate: {layer: Sigmoid, from: fc}
          deep: {block: unit, from: [fc, b], repeat: 2}
        outputs: {gate: gate, deep: deep}
        ---
        fc = self.fc(a)
        gate = self.gate(fc)
        deep = fc
        del fc
        for layer in self.deep:
            deep = layer(deep, b)
    """,
    "one of several results is not called by what reads it": """
        inputs: {a: [8], b: [8]}
        blocks:
          both:
            inputs: {x: [8], y: [8]}
            nodes:
              left: {layer: Linear, from: x, out_features: 8}
              right: {merge: add, from: [left, y]}
            outputs: {left: left, right: right}
        nodes:
          both: {block: both, from: [a, b]}
          left: {layer: Linear, from: both.left, out_features: 8}
          right: {layer: Linear, from: both.right, out_features: 8}
        outputs: {left: left, right: right}
        ---
        both_left, both_right = self.both(a, b)
        left = self.left(both_left)
        del both_left
        right = self.right(both_right)
        del both_right
    """,
    "results that nothing reads are _": """
        inputs: {a: [12], b: [12]}
        nodes:
          part: {layer: Chunk, from: a, chunks: 4, dim: -1}
          mean: {layer: LayerNorm, from: b}
          half: {layer: Split, from: mean, split_size_or_sections: [3, 4, 5], dim: -1}
          sum: {merge: add, from: [part.1, part.2, half.0]}
        outputs: {sum: sum, rest: half.2}
        ---
        _, part_1, part_2, _ = a.chunk(4, -1)
        del _
        mean = self.mean(b)
        half_0, _, half_2 = mean.split((3, 4, 5), -1)
        del mean, _
        sum = part_1 + part_2 + half_0
        del part_1, part_2, half_0
    """,
    "_ gives way to an input": """
        inputs: {_: [12], a: [4]}
        nodes:
          part: {layer: Chunk, from: _, chunks: 3, dim: -1}
          sum: {merge: add, from: [part.0, part.2, a]}
        outputs: sum
        ---
        part_0, __2, part_2 = _.chunk(3, -1)
        del __2
        return part_0 + part_2 + a
    """,
    "a node gives way to _": """
        inputs: {a: [12], b: [4]}
        nodes:
          _: {layer: Linear, from: b, out_features: 4}
          part: {layer: Chunk, from: a, chunks: 3, dim: -1}
          sum: {merge: add, from: [part.0, _, part.2]}
        outputs: sum
        ---
        __2 = self._(b)
        part_0, _, part_2 = a.chunk(3, -1)
        del _
        return part_0 + __2 + part_2
    """,
    "few of many results are read by position": """
        inputs: {a: [7]}
        nodes:
          part: {layer: Chunk, from: a, chunks: 7, dim: -1}
          sum: {merge: add, from: [part.1, part.6]}
        outputs: sum
        ---
        part = a.chunk(7, -1)
        part_1 = part[1]
        part_6 = part[6]
        del part
        return part_1 + part_6
    """,
    "what several results are made of is unpacked too": """
        inputs: {a: [T, 8], b: [T, 8]}
        nodes:
          run: {layer: LSTM, from: a, hidden_size: 8}
          end: {layer: LSTM, from: b, hidden_size: 8}
        outputs: {run: run, last: run.last, hidden: run.hidden, cell: end.cell, end: end.last}
        ---
        run_output, run_state = self.run(a)
        run_last = run_state[0][-1]
        run_hidden = run_state[0].transpose(0, 1)
        del run_state
        end = self.end(b)[1]
        end_last = end[0][-1]
        end_cell = end[1].transpose(0, 1)
        del end
    """,
    "a result is rebound by its activation": """
        inputs: {a: [8]}
        nodes:
          best: {layer: TopK, from: a, k: 3, dim: -1, activation: ReLU}
        outputs: {best: best, places: best.indices}
        ---
        best_values, best_indices = a.topk(3, -1)
        best_values = F.relu(best_values)
    """,
    "a source with an axis in the batch has the name of the source": """
        inputs: {video: [T, S, 8], text: [T, S, 8]}
        nodes:
          seen: {layer: LSTM, from: video, hidden_size: 8, over: 1}
          rows: {layer: MultiheadAttention, from: seen, num_heads: 2, over: 1}
          best: {layer: TopK, from: rows, k: 8, dim: -1}
          both: {merge: attention, from: [rows, text, text], over: 1}
          again: {merge: attention, from: [both, text, text], over: 1}
          chosen: {merge: attention, from: [again, best, best], over: 2}
        outputs: {chosen: chosen, places: best.indices}
        ---
        seen = self.seen(video.flatten(0, 1))[0].unflatten(0, video.shape[:2])
        seen_flat = seen.flatten(0, 1)
        rows = self.rows(seen_flat, seen_flat, seen_flat, need_weights=False)[0]
        del seen_flat
        rows = rows.unflatten(0, seen.shape[:2])
        del seen
        best_values, best_indices = rows.topk(8, -1)
        text_flat = text.flatten(0, 1)
        both = F.scaled_dot_product_attention(rows.flatten(0, 1), text_flat, text_flat)
        del text_flat
        both = both.unflatten(0, rows.shape[:2])
        del rows
        text_flat = text.flatten(0, 1)
        again = F.scaled_dot_product_attention(both.flatten(0, 1), text_flat, text_flat)
        del text_flat
        again = again.unflatten(0, both.shape[:2])
        del both
        best_flat = best_values.transpose(1, 2).flatten(0, 1)
        del best_values
    """,
    "a mask is not renamed by the layer that takes it": """
        inputs: {a: [T, 8], length: {shape: [], dtype: int64}}
        nodes:
          real: {merge: sequence_mask, from: {lengths: length, like: a}}
          padding: {layer: LogicalNot, from: real}
          mixed: {layer: MultiheadAttention, from: {query: a, key_padding_mask: padding}, num_heads: 2}
          out: {layer: LayerNorm, from: mixed}
        outputs: {out: out}
        ---
        padding = torch.arange(a.shape[1], device=length.device) < length[:, None]
        padding = ~padding
        x = self.mixed(a, a, a, key_padding_mask=padding, need_weights=False)[0]
        del padding
        return self.out(x)
    """,
    "a layer of one used result has the name of its node": """
        inputs: {a: [T, 8], length: {shape: [], dtype: int64}}
        nodes:
          states: {layer: GRU, from: {input: a, lengths: length}, hidden_size: 8}
          out: {merge: concat, from: [states, a], dim: -1}
        outputs: out
        ---
        states = nn.utils.rnn.pack_padded_sequence(
            a,
            length.cpu(),
            batch_first=True,
            enforce_sorted=False,
        )
        states = nn.utils.rnn.pad_packed_sequence(
            self.states(states)[0],
            batch_first=True,
            total_length=a.shape[1],
        )[0]
        return torch.cat((states, a), -1)
    """,
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_names_of_locals(name: str) -> None:
    spec, expected = textwrap.dedent(EXAMPLES[name]).split("---\n")
    _, _, emitted = mg.loads(spec).source().rpartition("def forward")
    lines = [line.split("  # ")[0].removeprefix(" " * 8) for line in emitted.splitlines()[1:]]
    assert lines[: expected.count("\n")] == expected.splitlines()


def assignments(statements: Iterable[Statement]) -> Iterator[Assign]:
    """Yield every assignment, those in loops and branches too."""
    for statement in statements:
        match statement:
            case Assign():
                yield statement
            case For(body=body):
                yield from assignments(body)
            case If(body=body, orelse=orelse):
                yield from assignments((*body, *orelse))


def values_with_own_names(body: Body) -> set[Value]:
    """Return the values that several nodes read, or that meet others in a merge or block."""
    readers = Counter(body.outputs.values())
    found = set()
    for node in chain.from_iterable(map(single_nodes, body.nodes)):
        sources = set(node.arguments.values())
        readers.update(sources)
        operation = unwrap(node.operation)
        is_layer = isinstance(operation, Leaf) and operation.kind == "layer"
        if len(sources) > 1 and not is_layer and not isinstance(operation, Repeated):
            found |= sources
    return found | {value for value, count in readers.items() if count > 1}


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(specs())
@example(
    {
        "inputs": {"x": [7, 4], "y": [7, 4]},
        "nodes": {
            "run": {"layer": "ReLU", "from": "x"},
            "fc": {"layer": "Linear", "from": "y", "out_features": 4},
            "tied": {"merge": "matmul", "from": ["run", "fc.weight"]},
            "again": {"share": "run", "from": "fc"},
        },
        "outputs": {"tied": "tied", "again": "again"},
    }
)
def test_what_is_merged_or_read_twice_has_the_name_of_its_node(spec: Spec) -> None:
    for body in bodies(mg.loads(to_yaml(spec)).typed.body):
        targets: dict[str, list[str]] = {}
        for assign in assignments(forward(body, used_ports(body), as_dict=True)):
            targets.setdefault(assign.node, []).extend(assign.targets)
        for name, port in values_with_own_names(body):
            if name in body.by_name and port not in body.by_name[name].results:
                continue  # a tensor of a layer, as in `x @ self.fc.weight`
            is_item = name in body.by_name and isinstance(body.by_name[name].operation, Each)
            names = targets.get(f"{name}.{port}" if is_item else name)
            own = re.escape(f"{name}_{port}" if is_item else name)
            if names:  # else it is an input or computed where it is read
                assert any(re.fullmatch(rf"{own}(_{port})?(_\d+|_)?", one) for one in names)


@pytest.mark.parametrize(
    ("node", "outputs", "comment"),
    [
        ("{layer: Chunk, from: x, chunks: 3, dim: -1}", "012", "each (N, T, 4)"),
        ("{layer: Chunk, from: x, chunks: 3, dim: -1}", "02", ""),
        (
            "{layer: Split, from: x, split_size_or_sections: [4, 8], dim: 2}",
            "01",
            "(N, T, 4), (N, T, 8)",
        ),
        ("{layer: Sort, from: x, dim: 1}", ["values", "indices"], "each (N, T, 12)"),
        ("{layer: LSTM, from: x, hidden_size: 2}", ["output", "last"], ""),
    ],
)
def test_the_comment_of_an_unpacked_call_has_all_shapes(
    node: str, outputs: Iterable[str], comment: str
) -> None:
    read = ", ".join(f"o{port}: y.{port}" for port in outputs)
    source = mg.loads(f"inputs: {{x: [T, 12]}}\nnodes:\n  y: {node}\noutputs: {{{read}}}").source()
    (line,) = [line for line in source.splitlines() if re.match(r" +\w+, .* = ", line)]
    assert line.partition("  # ")[2] == comment
