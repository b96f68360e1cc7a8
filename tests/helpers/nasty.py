"""Hostile texts, each a function of its size: a megabyte or thousands of nodes."""

from __future__ import annotations

from collections.abc import Iterable

MEGABYTE = 1 << 20
SHORT = "inputs: {x: [8]}\n"


def spec(nodes: str, outputs: str = "y", inputs: str = "{x: [8]}", before: str = "") -> str:
    """Return a whole spec around its nodes."""
    return f"{before}inputs: {inputs}\nnodes:\n{nodes}outputs: {outputs}\n"


def filled(opening: str, size: int = MEGABYTE) -> str:
    """Return one text repeated up to the last byte that is allowed."""
    return opening * (size // len(opening.encode()))


def lines(template: str, times: int) -> str:
    """Return a line for each number; `{i}` is the number and `{j}` the one before it."""
    return "".join(template.format(i=i, j=i - 1) + "\n" for i in range(1, times + 1))


def joined(template: str, times: int, first: int = 1) -> str:
    """Return a part for each number."""
    return ", ".join(template.format(i=i) for i in range(first, times + first))


def listed(template: str, times: int) -> str:
    return f"[{joined(template, times)}]"


def mapped(template: str, times: int) -> str:
    return f"{{{joined(template, times)}}}"


def node(text: str, inputs: str = "{x: [8]}", before: str = "") -> str:
    """Return a spec of one node."""
    return spec(f"  y: {{{text}}}\n", inputs=inputs, before=before)


def linear(size: str) -> str:
    """Return a spec of a layer whose size is a text."""
    return node(f"layer: Linear, from: x, out_features: {size}")


def relu(before: str) -> str:
    """Return a spec with something in front of its inputs."""
    return node("layer: ReLU, from: x", before=before)


def seq(items: Iterable[str]) -> str:
    return f"  y: {{from: x, seq: [{', '.join(items)}]}}\n"


def blocks_in_blocks(levels: int, times: int) -> str:
    """Return blocks that each repeat the one before."""
    head = "blocks:\n  b0: {seq: [ReLU]}\n"
    body = lines("  b{i}: {{seq: [{{b{j}: {{repeat: TIMES}}}}]}}", levels)
    return head + body.replace("TIMES", str(times))


# --- texts for the reader

READING: dict[str, str] = {
    "open lists": filled("["),
    "open lists in words": filled("[a, "),
    "open mappings": filled("{a: "),
    "open mappings of JSON": filled('{"a":'),
    "dashes": filled("- "),
    "dashes in lines": "\n".join(" " * i + "-" for i in range(1400)),
    "keys in lines": "\n".join(" " * i + "a:" for i in range(1400)),
    "question marks": filled("? "),
    "double quotes": filled('"'),
    "single quotes": filled("'"),
    "quotes in pairs": filled('"" '),
    "one word": filled("a"),
    "one word after a key": "name: " + filled("a", MEGABYTE - 6),
    "one key": filled("a", MEGABYTE - 3) + ": 1",
    "one quoted key": '"' + filled("a", MEGABYTE - 5) + '": 1',
    "one key of JSON": '{"' + filled("a", MEGABYTE - 8) + '": 1}',
    "keys of a kilobyte": "".join(f"{'k' * 1000}{i}: {{}}\n" for i in range(1000)),
    "one line of pairs": "{" + filled("a: 1, ", MEGABYTE - 2) + "}",
    "one line of items": "nodes: [" + filled("a,", MEGABYTE - 10) + "]",
    "pairs of JSON": '{"a": [' + filled("1,", MEGABYTE - 12) + "1]}",
    "digits": "a: " + filled("9", MEGABYTE - 4),
    "digits of a float": "a: 1." + filled("9", MEGABYTE - 6),
    "digits to the base 60": "a: 1" + filled(":1", MEGABYTE - 5),
    "underscores": "a: 1" + filled("_0", MEGABYTE - 5),
    "exponent": "a: 1e" + filled("9", MEGABYTE - 6),
    "dollars": "name: " + filled("$(", MEGABYTE - 6),
    "colons": filled(":"),
    "colons and spaces": filled(": "),
    "commas": filled(","),
    "hashes": filled("# "),
    "comments": filled("#\n"),
    "blank lines": filled("\n"),
    "carriage returns": filled("\r"),
    "next lines": filled("\x85"),
    "line separators": filled("\u2028"),
    "line separators in a value": "a: '" + filled("\u2028", MEGABYTE - 8) + "'",
    "tabs": filled("\t"),
    "blanks": filled(" "),
    "blanks and a word": filled(" ", MEGABYTE - 1) + "a",
    "texts over lines": "a: '" + filled("b\n ", MEGABYTE - 8) + "'",
    "words over lines": "a:\n" + filled(" b\n", MEGABYTE - 8),
    "folded text": "a: >\n" + filled(" b\n", MEGABYTE - 8),
    "literal text": "a: |\n" + filled(" b\n", MEGABYTE - 8),
    "literal blanks": "a: |\n" + filled("\n", MEGABYTE - 8),
    "empty values": lines("a{i}:", 80_000),
    "empty values far down": lines("a{i}:\n\n\n\n\n\n\n\n", 40_000),
    "blanks behind empty values": "a:" + filled("\n", MEGABYTE // 2) + lines("b{i}:", 40_000),
    "anchors": filled("&a "),
    "anchors in lines": lines("- &a{i} x", 80_000),
    "aliases": "- &a x\n" + filled("- *a\n", MEGABYTE - 8),
    "billion laughs": "a0: &a0 [x, x]\n" + lines("a{i}: &a{i} [*a{j}, *a{j}, *a{j}, *a{j}]", 60),
    "merge keys": "a: &a {b: 1}\n" + lines("c{i}: {{<<: *a}}", 40_000),
    "tags": filled("!a "),
    "tags in lines": lines("- !!python/object/apply:os.system x{i}", 20_000),
    "percent tags": filled("- !<%41> x\n"),
    "directives": filled("%YAML 1.2\n"),
    "tag directives": filled("%TAG ! tag:x,2000:\n"),
    "documents": filled("---\n"),
    "document ends": filled("...\n"),
    "duplicate keys": filled("a: 1\n"),
    "duplicate keys of JSON": "{" + filled('"a":1,', MEGABYTE - 8) + '"a":1}',
    "keys that are lists": filled("[a]: b\n"),
    "keys that are numbers": lines("{i}: b", 80_000),
    "ambiguous words": filled("- no\n"),
    "escapes": 'a: "' + filled("\\x41", MEGABYTE - 8) + '"',
    "escapes that are no character": 'a: "' + filled("\\uD800", MEGABYTE - 8) + '"',
    "surrogates of JSON": '{"a": "' + filled("\\ud83d\\ude00", MEGABYTE - 12) + '"}',
    "backslashes": filled("\\"),
    "backslashes in JSON": '{"a": "' + filled("\\\\", MEGABYTE - 10) + '"}',
    "wide characters": "a: " + filled("😀", MEGABYTE - 4),
    "combining marks": "a" + filled("\u0301", MEGABYTE - 1),
    "bidi marks": "a: '" + filled("\u202e", MEGABYTE - 6) + "'",
    "byte order marks": filled("\ufeff"),
    "noncharacters": "a: '" + filled("\ufdd0", MEGABYTE - 6) + "'",
    "a byte too many": filled("a") + "a",
    "sixteen bytes too many": "doc: |\n " + filled("a") + "a" * 16,
}

# bytes that are not text, or in another encoding
BYTES: dict[str, bytes] = {
    "nothing": b"",
    "NUL": b"\x00" * MEGABYTE,
    "NUL in a name": b"name: a\x00b\n",
    "UTF-16": SHORT.encode("utf-16"),
    "UTF-16 without a mark": SHORT.encode("utf-16-le"),
    "UTF-32": SHORT.encode("utf-32"),
    "Latin-1": "doc: größer\n".encode("latin-1"),
    "half a character": "doc: ü".encode()[:-1],
    "overlong": b"doc: \xc0\xaf\n",
    "a surrogate": b"doc: \xed\xa0\x80\n",
    "beyond Unicode": b"doc: \xf5\x80\x80\x80\n",
    "a picture": b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4095,
    "escapes of a terminal": b"name: \x1b[2J\x1b]0;owned\x07\n",
    "every byte": bytes(range(256)) * 4095,
}

# --- texts for the checks

_T = "inputs: {a: [T], b: [S], c: [U], d: [V]}\n"
POWERS = "T + S + U + V"

GRAPHS: dict[str, str] = {
    "many nodes": spec(
        "  n0: {layer: ReLU, from: x}\n" + lines("  n{i}: {{layer: ReLU, from: n{j}}}", 27_000),
        "n27000",
    ),
    "many items": spec(seq(["ReLU"] * 49_000)),
    "too many items": spec(seq(["ReLU"] * 60_000)),
    "many Linears": spec(seq(["Linear: 8"] * 49_000)),
    "many inputs": node(
        f"merge: add, from: {listed('x{i}', 30_000)}", inputs=mapped("x{i}: [8]", 30_000)
    ),
    "one source many times": node(f"merge: add, from: [{joined('x', 200_000)}]"),
    "concat of one source": node(f"merge: concat, from: [{joined('x', 200_000)}]"),
    "pairs of many": node(f"merge: pairwise_dot, from: [{joined('x', 100_000)}]"),
    "pairs of some": node(f"merge: pairwise_dot, from: [{joined('x', 4_000)}]"),
    "outer of many": node(f"merge: outer, from: [{joined('x', 40_000)}]"),
    "stack of many": node(f"merge: stack, from: [{joined('x', 100_000)}]"),
    "a formula of many sources": node(
        f"merge: formula, expr: a, from: {{{joined('a{i}: x', 50_000, 0)}}}"
    ),
    "each of many": spec(
        f"  e: {{layer: Embedding, each: {listed('x{i}', 15_000)}, embedding_dim: 8}}\n"
        "  y: {merge: concat, from: [e.*]}\n",
        inputs=mapped("x{i}: {{vocab: 9}}", 15_000),
    ),
    "each of one": spec(
        f"  e: {{layer: Linear, each: {{{joined('a{i}: x', 60_000, 0)}}}, out_features: 8}}\n"
        "  y: {merge: add, from: [e.*]}\n"
    ),
    "with of many": spec(
        f"  e: {{layer: Linear, each: {{{joined('a{i}: x', 20_000, 0)}}},"
        f" with: {{out_features: [{joined('8', 20_000)}]}}}}\n"
        "  y: {merge: add, from: [e.*]}\n"
    ),
    "a star of a star": spec(
        f"  c: {{layer: Split, from: x, split_size_or_sections: 1, dim: 1}}\n"
        f"  y: {{merge: add, from: [{joined('c.*', 20_000)}]}}\n"
    ),
    "split in many": spec(
        "  c: {layer: Split, from: x, split_size_or_sections: 1, dim: 1}\n  y: {merge: add, from: [c.*]}\n",
        inputs="{x: [1000000]}",
    ),
    "chunk in many": spec(
        "  c: {layer: Chunk, from: x, chunks: 1000000, dim: 1}\n  y: {merge: add, from: [c.*]}\n",
        inputs="{x: [1000000]}",
    ),
    "many outputs": spec(lines("  n{i}: {{layer: ReLU, from: x}}", 10_000), listed("n{i}", 10_000)),
    "unused nodes": spec(lines("  n{i}: {{layer: ReLU, from: x}}", 30_000), "n1"),
    "unused inputs": node("layer: ReLU, from: x1", inputs=mapped("x{i}: [8]", 60_000)),
    "misspelt sources": spec(lines("  node{i}: {{layer: ReLU, from: nade{i}}}", 24_000), "node1"),
    "misspelt sources of a kilobyte": spec(
        "".join(f"  {'n' * 500}{i}: {{layer: ReLU, from: {'n' * 499}m{i}}}\n" for i in range(1000)),
        "y",
    ),
    "misspelt layers": spec(lines("  n{i}: {{layer: Lineer, from: x}}", 28_000), "n1"),
    "misspelt options": spec(lines("  n{i}: {{layer: Linear, from: x, out: 1}}", 22_000), "n1"),
    "options without end": node(f"layer: Linear, from: x, {joined('o{i}: 1', 80_000, 0)}"),
    "keys without end": lines("k{i}: 1", 80_000),
    "params without end": relu("params:\n" + lines("  p{i}: 1", 70_000)),
    "params in a chain": node(
        "layer: Linear, from: x, out_features: $p27000",
        before="params:\n  p0: 1\n" + lines("  p{i}: $(p{j} + 0)", 27_000),
    ),
    "params in a growing chain": node(
        "layer: Linear, from: x, out_features: $p60",
        before="params:\n  p0: 1\n" + lines("  p{i}: $(p{j} + p{j})", 60),
    ),
    "params that grow": node(
        "layer: Linear, from: x, out_features: $p99",
        before="params:\n  p0: 2\n" + lines("  p{i}: $(p{j} * p{j})", 99),
    ),
    "params in a ring": relu("params:\n  p0: $p27000\n" + lines("  p{i}: $p{j}", 27_000)),
    "lists of params": relu(f"params: {{a: [{'1, ' * 300_000}1]}}\n"),
    "lists of expressions": relu(f"params: {{b: 1, a: [{'$b, ' * 200_000}1]}}\n"),
    "cycle": spec(
        "  n0: {layer: ReLU, from: n27000}\n"
        + lines("  n{i}: {{layer: ReLU, from: n{j}}}", 27_000),
        "n0",
    ),
    "cycles of two": spec(
        "".join(
            f"  a{i}: {{layer: ReLU, from: b{i}}}\n  b{i}: {{layer: ReLU, from: a{i}}}\n"
            for i in range(12_000)
        ),
        "a0",
    ),
    "nodes that all feed each other": spec(
        "".join(f"  n{i}: {{merge: add, from: {listed('n{i}', 300)}}}\n" for i in range(1, 301)),
        "n1",
    ),
    "shares in a chain": spec(
        "  n0: {layer: Linear, from: x, out_features: 8}\n"
        + lines("  n{i}: {{share: n{j}, from: n{j}}}", 27_000),
        "n27000",
    ),
    "shares of one": spec(
        "  n0: {layer: Linear, from: x, out_features: 8}\n"
        + lines("  n{i}: {{share: n0, from: n{j}}}", 27_000),
        "n27000",
    ),
    "shares in a ring": spec(
        "  n0: {share: n27000, from: x}\n" + lines("  n{i}: {{share: n{j}, from: x}}", 27_000), "n0"
    ),
    "blocks in blocks": node("block: b60, from: x", before=blocks_in_blocks(60, 1)),
    "blocks too deep": node("block: b1000, from: x", before=blocks_in_blocks(1000, 1)),
    "blocks far too deep": node("block: b20000, from: x", before=blocks_in_blocks(20_000, 1)),
    "blocks in a ring": node(
        "block: b0, from: x",
        before="blocks:\n  b0: {seq: [b20000]}\n" + lines("  b{i}: {{seq: [b{j}]}}", 20_000),
    ),
    "repeats of repeats": node("block: b60, from: x", before=blocks_in_blocks(60, 2)),
    "repeats that fit": node("block: b2, from: x", before=blocks_in_blocks(2, 200)),
    "repeats of nothing": node("block: b9, from: x", before=blocks_in_blocks(9, 0)),
    "a long repeat": node(
        "block: b0, from: x, repeat: 49000", before="blocks: {b0: {seq: [ReLU]}}\n"
    ),
    "a long repeat of nothing": node(
        "block: b0, from: x, repeat: 50000", before="blocks: {b0: {seq: []}}\n"
    ),
    "long repeats of nothing": spec(
        lines("  n{i}: {{block: b0, from: x, repeat: 50000}}", 10_000),
        "n1",
        before="blocks: {b0: {seq: []}}\n",
    ),
    "a long shared repeat": node(
        "block: b0, from: x, repeat: {times: 49000, shared: true}",
        before="blocks: {b0: {seq: [ReLU]}}\n",
    ),
    "too long a repeat": node(
        "block: b0, from: x, repeat: 9000000000000000000", before="blocks: {b0: {seq: [ReLU]}}\n"
    ),
    "a repeat with lists": node(
        f"block: b0, from: x, repeat: {{with: {{n: [{joined('{i}', 24000, 1)}]}}}}",
        before="blocks: {b0: {params: {n: null}, seq: [{Linear: $n}]}}\n",
    ),
    "repeats with lists": spec(
        lines("  n{i}: {{block: b0, from: x, repeat: {{with: {{n: $l}}}}}}", 10_000),
        "n1",
        before=f"params: {{l: [{joined('8', 10_000)}]}}\nblocks: {{b0: {{params: {{n: null}}, seq: []}}}}\n",
    ),
    "many blocks": spec(
        "  n0: {layer: ReLU, from: x}\n" + lines("  n{i}: {{block: b{i}, from: n{j}}}", 10_000),
        "n10000",
        before="blocks:\n" + lines("  b{i}: {{seq: [{{Linear: 8}}, ReLU]}}", 10_000),
    ),
    "distinct uses": spec(
        "  n0: {layer: ReLU, from: x}\n"
        + lines("  n{i}: {{block: b, from: n{j}, w: {i}}}", 20_000),
        "n20000",
        before="blocks: {b: {params: {w: null}, seq: [{Linear: $w}, {Linear: 8}]}}\n",
    ),
    "faults in distinct uses": spec(
        lines("  n{i}: {{block: b, from: x, w: {i}}}", 20_000),
        "n1",
        before="blocks: {b: {params: {w: null}, seq: [{Linear: $(0 - w)}]}}\n",
    ),
    "a merge that expands": spec(
        "  n0: {layer: ReLU, from: x}\n"
        + lines("  n{i}: {{merge: gated, from: [x, n{j}], out_features: 8}}", 16_000),
        "n16000",
    ),
    "large weights": spec(seq(["Linear: 1048576"] * 1000), inputs="{x: [1048576]}"),
    "too large a weight": spec(seq(["Linear: 2147483648"]), inputs="{x: [2147483648]}"),
    "large sizes": spec(seq(["Linear: 9223372036854775807"])),
    "sizes past 64 bits": spec(seq(["Flatten"]), inputs="{x: [4294967296, 4294967296]}"),
    "an input past 64 bits": spec(seq(["ReLU"]), inputs=f"{{x: [{joined('1048576', 40)}]}}"),
    "an input of many axes": spec(seq(["ReLU"]), inputs=f"{{x: [{joined('2', 200_000)}]}}"),
    "an input of many named axes": spec(
        seq(["Flatten"]), inputs=f"{{x: [{joined('T{i}', 60_000, 0)}]}}"
    ),
    "flatten of many axes": spec(seq(["Flatten"]), inputs=f"{{x: [{joined('2', 200_000)}]}}"),
    "a large parameter": spec(
        "  p: {parameter: [1048576, 1048576, 1048576], init: zeros}\n  y: {merge: add, from: [x, p], broadcast: true}\n"
    ),
    "a parameter of many axes": spec(
        f"  p: {{parameter: [{joined('1', 200_000)}], init: zeros}}\n  y: {{merge: add, from: [x, p], broadcast: true}}\n"
    ),
    "a large buffer": spec(
        "  p: {buffer: [1000000000, 1000000], init: sinusoid}\n  y: {merge: add, from: [x, p], broadcast: true}\n"
    ),
    "many large parameters": spec(
        lines("  p{i}: {{parameter: [1048576, 1048576], init: zeros}}", 10_000)
        + "  y: {merge: add, from: [x, p1], broadcast: true}\n"
    ),
    "a large embedding": node(
        "layer: Embedding, from: x, embedding_dim: 4294967296", inputs="{x: {vocab: 4294967296}}"
    ),
    "a large vocab": node("layer: OneHot, from: x", inputs="{x: {vocab: 9223372036854775807}}"),
    "a large upsample": spec(
        seq(["{Upsample: {scale_factor: 1000000000}}"] * 5), inputs="{x: [3, 32, 32]}"
    ),
    "a large pad": spec(
        seq(["{ConstantPad1d: {padding: 4611686018427387904, value: 0}}"] * 4),
        inputs="{x: [3, 32]}",
    ),
    "a large kernel": spec(
        seq(
            [
                "{Conv2d: {out_channels: 9223372036854775807, kernel_size: 9223372036854775807, padding: 9223372036854775807}}"
            ]
        ),
        inputs="{x: [3, 32, 32]}",
    ),
    "a large LSTM": node(
        "layer: LSTM, from: x, hidden_size: 8, num_layers: 9223372036854775807, take: last",
        inputs="{x: [T, 8]}",
    ),
    "an LSTM of many layers": node(
        "layer: LSTM, from: x, hidden_size: 8, num_layers: 10000000, take: last",
        inputs="{x: [T, 8]}",
    ),
    "a transformer of many layers": node(
        "layer: TransformerEncoder, from: x, nhead: 2, num_layers: 1000000000, dim_feedforward: 8",
        inputs="{x: [T, 8]}",
    ),
    "a long einsum": node("merge: einsum, equation: '" + "nabcdefgh," * 30_000 + "', from: [x]"),
    "an einsum of many": node(
        f"merge: einsum, equation: '{','.join(['na'] * 60_000)}->n', from: [{joined('x', 60_000)}]"
    ),
    "a long Rearrange": spec(seq(['Rearrange: "n ' + "a " * 200_000 + '-> n a"'])),
    "a Rearrange of axes": spec(seq(['Rearrange: "n a -> ' + "1 " * 200_000 + 'n a"'])),
    "a Rearrange of parentheses": spec(seq(['Rearrange: "' + "(" * 400_000 + '"'])),
    "a Rearrange of names": spec(
        seq(['Rearrange: "n (' + " ".join(f"a{i}" for i in range(60_000)) + ') -> n"'])
    ),
    "a long formula": node("merge: formula, expr: '" + "a + " * 200_000 + "a', from: {a: x}"),
    "a deep formula": node("merge: formula, expr: '" + "(" * 100_000 + "a', from: {a: x}"),
    "a formula of minuses": node("merge: formula, expr: '" + "-" * 250 + "a', from: {a: x}"),
    "a formula of calls": node("merge: formula, expr: '" + "exp(" * 100 + "a', from: {a: x}"),
    "a formula of powers": node("merge: formula, expr: '" + "a ** " * 120 + "a', from: {a: x}"),
    "formulas": spec(
        "  n0: {layer: ReLU, from: x}\n"
        + lines(
            "  n{i}: {{merge: formula, expr: a * b + exp(a), from: {{a: x, b: n{j}}}}}", 12_000
        ),
        "n12000",
    ),
    "an expression of powers": linear("$(9 ** 9 ** 9 ** 9 ** 9)"),
    "an expression of large powers": linear("$(1000000000 ** 1000000000)"),
    "an expression of small powers": linear("$(1 ** 9000000000000000000)"),
    "an expression of float powers": linear("$(2.5 ** 9000000000000000000)"),
    "a long expression": linear(f"$({'1 + ' * 200_000}1)"),
    "a deep expression": linear(f'"$({"(" * 200_000}1)"'),
    "an expression of blanks": linear(f'"$(1{" " * 900_000}+ 1)"'),
    "an expression of digits": linear(f'"$({"9" * 900_000})"'),
    "a template of names": spec(seq(['Rearrange: "n a -> n a ' + "$x " * 200_000 + '"'])),
    "dots": node(f"layer: ReLU, from: x{'.' * 900_000}"),
    "dots in many sources": node(f"merge: add, from: [{joined('x.a.b', 100_000)}]"),
    "shares with dots": node(f"share: x{'.0' * 400_000}, from: x"),
    "powers of sums": _T
    + "nodes:\n  n0: {merge: concat, from: [a, b, c, d]}\n"
    + lines(
        "  m{i}: {{merge: outer, from: [n{j}, n0]}}\n  n{i}: {{layer: Flatten, from: m{i}}}", 200
    )
    + "outputs: n200\n",
    "sums of sums": _T
    + "nodes:\n  n0: {merge: concat, from: [a, b, c, d]}\n"
    + lines("  n{i}: {{merge: concat, from: [n{j}, n{j}]}}", 70)
    + "outputs: n70\n",
    "many names in one size": node(
        f"merge: concat, from: {listed('x{i}', 20_000)}", inputs=mapped("x{i}: [T{i}]", 20_000)
    ),
    "convolutions of a named size": spec(
        seq(
            [
                f"Conv1d: {{out_channels: 8, kernel_size: {k % 7 + 1}, stride: {k % 3 + 1}}}"
                for k in range(1, 10_000)
            ]
        ),
        inputs="{x: [8, T]}",
    ),
    "convolutions of one stride": spec(
        seq(["Conv1d: {out_channels: 8, kernel_size: 3}"] * 20_000), inputs="{x: [8, T]}"
    ),
    "divisions of sums": _T
    + "nodes:\n  n0: {merge: concat, from: [a, b, c, d]}\n  m0: {layer: Reshape, from: n0, shape: [1, -1]}\n"
    + lines(
        "  p{i}: {{layer: MaxPool1d, from: m{j}, kernel_size: 3}}\n  m{i}: {{layer: Upsample, from: p{i}, scale_factor: 2}}",
        60,
    )
    + "outputs: m60\n",
    "constraints": spec(
        lines("  n{i}: {{layer: MaxPool1d, from: x{i}, kernel_size: 3}}", 9_000),
        listed("n{i}", 9_000),
        inputs=mapped("x{i}: [8, T{i}]", 9_000),
    ),
    "sizes that must agree": spec(
        f"  y: {{merge: add, from: {listed('n{i}', 7_000)}}}\n"
        + lines("  n{i}: {{layer: AvgPool1d, from: x, kernel_size: {i}, stride: {i}}}", 7_000),
        inputs="{x: [8, T]}",
    ),
    "equality of remainders": _T
    + "nodes:\n  n0: {merge: concat, from: [a, b, c, d]}\n"
    + lines("  r{i}: {{layer: Reshape, from: n0, shape: [{i}, -1]}}", 200)
    + "outputs: [r1]\n",
    "optional inputs": node(
        f"merge: average, from: {listed('x{i}', 20_000)}, missing: skip",
        inputs="{"
        + ", ".join(
            f"x{i}: {{shape: [8], optional: {'true' if i > 1 else 'false'}}}"
            for i in range(1, 20_001)
        )
        + "}",
    ),
    "optional chains": spec(
        "  n0: {layer: ReLU, from: x}\n"
        + lines("  n{i}: {{merge: average, from: [n{j}, o], missing: skip}}", 12_000),
        "n12000",
        inputs="{x: [8], o: {shape: [8], optional: true}}",
    ),
    "optional inputs in chains": spec(
        "  n0: {layer: ReLU, from: x}\n"
        + lines("  n{i}: {{merge: average, from: [n{j}, o{i}], missing: skip}}", 3_000),
        "n3000",
        inputs="{x: [8], "
        + ", ".join(f"o{i}: {{shape: [8], optional: true}}" for i in range(1, 3_001))
        + "}",
    ),
    "a long doc": relu('doc: "' + "a " * 500_000 + '"\n'),
    "a long doc of quotes": relu("doc: '" + '"' * 1_000_000 + "'\n"),
    "a doc of lines": relu("doc: |\n" + " a\n" * 300_000),
    "a long name": spec(f"  {'y' * 100_000}: {{layer: ReLU, from: x}}\n", "y" * 100_000),
    "long names": spec(
        "".join(f"  {'y' * 1000}{i}: {{layer: ReLU, from: x}}\n" for i in range(900)),
        "y" * 1000 + "1",
    ),
    "a long class name": relu(f"name: {'Y' * 1_000_000}\n"),
    "a long option": spec(
        seq(["{Conv2d: {out_channels: 3, kernel_size: 3, padding_mode: " + "a" * 900_000 + "}}"]),
        inputs="{x: [3, 8, 8]}",
    ),
    "a large slice": spec(
        seq(
            [
                "{Slice: {start: 9223372036854775807, end: 9223372036854775807, step: 9223372036854775807, dim: 1}}"
            ]
        )
    ),
    "a large permutation": spec(seq([f"{{Permute: {{dims: [{joined('{i}', 100_000, 0)}]}}}}"])),
    "a large reshape": spec(seq([f"{{Reshape: {{shape: [{joined('1', 200_000)}, 8]}}}}"])),
    "a large expand": spec(seq([f"{{Expand: {{size: [{joined('1', 200_000)}, 8]}}}}"])),
    "a wide Linear chain": spec(seq(["{Linear: 9000}", "ReLU"] * 20_000)),
    "deep values": linear(f"{'[' * 60}{']' * 60}"),
    "shares of each": spec(
        f"  e: {{layer: Linear, each: {{{joined('a{i}: x', 15_000, 0)}}}, out_features: 8}}\n"
        f"  s: {{share: e, each: {{{joined('a{i}: x', 15_000, 0)}}}}}\n"
        "  y: {merge: add, from: [e.*, s.*]}\n"
    ),
    "shares of a long seq": spec(
        seq(["Linear: 8"] * 5_000) + lines("  n{i}: {{share: y, from: x}}", 20_000),
        listed("n{i}", 20_000),
    ),
    "shares of a long block": spec(
        "  y: {block: b, from: x, repeat: 5000}\n" + lines("  n{i}: {{share: y, from: x}}", 20_000),
        listed("n{i}", 20_000),
        before="blocks: {b: {seq: [{Linear: 8}]}}\n",
    ),
    "long formulas in distinct uses": node(
        f"block: b, from: x, repeat: {{with: {{w: [{joined('{i}', 24_000, 0)}]}}}}",
        before="blocks: {b: {params: {w: null}, inputs: [x], nodes: {y: {merge: formula, from: {a: x}, expr: '"
        + "a + " * 100
        + "$w'}}, outputs: y}}\n",
    ),
    "long patterns in distinct uses": node(
        f"block: b, from: x, repeat: {{with: {{w: [{joined('{i}', 24_000, 0)}]}}}}",
        before="blocks: {b: {params: {w: null}, inputs: [x], nodes: {y: {layer: Rearrange, from: x, pattern: 'n ("
        + " ".join(f"a{i}" for i in range(100))
        + " b) -> n (b "
        + " ".join(f"a{i}" for i in range(100))
        + ")', sizes: {"
        + ", ".join(f"a{i}: 1" for i in range(100))
        + "}}}, outputs: y}}\n",
    ),
    "long lists in distinct uses": node(
        f"block: b, from: x, repeat: {{with: {{w: [{joined('{i}', 24_000, 0)}]}}}}",
        before="blocks: {b: {params: {w: null}, inputs: [x], nodes: {y: {layer: Slice, from: x, dim: 1, start: 0, end: 8, step: 1}, "
        "z: {parameter: [100], init: [" + "1.5, " * 100 + "]}}, outputs: y}}\n",
    ),
    "params of distinct uses": node(
        f"block: b, from: x, repeat: {{with: {{w: [{joined('{i}', 20_000, 0)}]}}}}",
        before="params:\n"
        + lines("  p{i}: 1", 20_000)
        + "blocks: {b: {params: {w: null, "
        + ", ".join(f"q{i}: 1" for i in range(1000))
        + "}, seq: [ReLU]}}\n",
    ),
    "params of many blocks": relu(
        "params:\n"
        + lines("  p{i}: 1", 20_000)
        + "blocks:\n"
        + lines("  b{i}: {{seq: [ReLU]}}", 20_000)
    ),
    "a constraint in distinct uses": node(
        f"block: b, from: x, repeat: {{with: {{w: [{joined('{i}', 8999, 1)}]}}}}",
        inputs="{x: [8, T]}",
        before="blocks: {b: {params: {w: null}, seq: [{AvgPool1d: {kernel_size: $w, stride: 1}}]}}\n",
    ),
    "an init of many values": spec(
        f"  p: {{parameter: [200000], init: [{joined('1', 200_000)}]}}\n  y: {{layer: Linear, from: p, out_features: 1}}\n",
        inputs="{x: [8]}",
    ),
}
