"""Map the keys of our state_dict to the keys of an imported model."""

from __future__ import annotations

from mimgraph.importer.draft import Body, Node, Op, Repeat, Seq, Use
from mimgraph.importer.keys import key_map


def leaf(name: str, path: str) -> Node:
    return Node(name, Op("layer", "Linear"), path=path)


def use(name: str, *nodes: Node, path: str = "") -> Node:
    return Node(name, Use(Body("block", nodes=[*nodes])), path=path)


def test_keys_that_are_the_same_are_left_out() -> None:
    root = Body("net", nodes=[leaf("fc", "fc"), leaf("out_1", "out.1")])
    found = key_map(root, ["fc.weight", "out.1.weight", "unused.weight"])
    assert found == {"out_1.weight": "out.1.weight"}


def test_chains_count_their_items_and_blocks_add_their_name() -> None:
    chain = Node("head", Seq([leaf("", "a"), leaf("", "b.c")]))
    root = Body("net", nodes=[chain, use("part", leaf("fc", "x.fc"), path="x")])
    found = key_map(root, ["a.weight", "b.c.bias", "x.fc.weight"])
    assert found == {
        "head.0.weight": "a.weight",
        "head.1.bias": "b.c.bias",
        "part.fc.weight": "x.fc.weight",
    }


def test_repeats_count_their_members_unless_they_are_shared() -> None:
    members = [use("", leaf("fc", f"layer{i}.fc"), path=f"layer{i}") for i in range(2)]
    apart, shared = members[0].operation, members[0].operation
    assert isinstance(apart, Use) and isinstance(shared, Use)
    root = Body(
        "net",
        nodes=[
            Node("layers", Use(apart.body, repeat=Repeat(2, members=members))),
            Node("again", Use(shared.body, repeat=Repeat(3, shared=True, members=members[:1]))),
        ],
    )
    found = key_map(Body("net", nodes=root.nodes[:1]), ["layer0.fc.weight", "layer1.fc.weight"])
    assert found == {
        "layers.0.fc.weight": "layer0.fc.weight",
        "layers.1.fc.weight": "layer1.fc.weight",
    }
    found = key_map(Body("net", nodes=root.nodes[1:]), ["layer0.fc.weight"])
    assert found == {"again.fc.weight": "layer0.fc.weight"}
