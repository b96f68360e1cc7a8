"""Walk over the tree of a spec, and note where each name stands."""

from __future__ import annotations

from dataclasses import dataclass, field

from mimgraph.language.occurrences.scopes import Callee, Scope, Scopes
from mimgraph.language.occurrences.symbols import Kind, Occurrence, Site, Symbol
from mimgraph.language.occurrences.texts import names_in, params_in
from mimgraph.language.yaml_tree.tree import Mapping, Scalar, Sequence, Tree
from mimgraph.source import Span


@dataclass(eq=False)
class Walk:
    """The occurrences that are found so far; `scope` is that of the spec or block being walked."""

    scopes: Scopes
    scope: Scope
    found: list[Occurrence] = field(default_factory=list)

    def add(
        self,
        symbol: Symbol | None,
        span: Span,
        *,
        defines: bool = False,
        site: Site | None = None,
        implied: bool = False,
    ) -> None:
        """Note an occurrence of a symbol, if there is one."""
        if symbol is not None:
            self.found.append(Occurrence(symbol, span, defines, site, implied))

    def own(self, kind: Kind, name: str, node: str = "") -> Symbol:
        """Return a symbol of the scope that is being walked."""
        return Symbol(kind, name, self.scope.block, node)

    # --- values -----------------------------------------------------------------------------------

    def value(self, tree: Tree | None) -> None:
        """Note the params in a value, also in the items of a list or mapping."""
        stack = [] if tree is None else [tree]
        while stack:
            current = stack.pop()
            if isinstance(current, Scalar):
                if "$" in current.text:
                    for one in params_in(current.text):
                        self.add(self.param(one.name), current.part(one.start, one.end))
            elif isinstance(current, Sequence):
                stack.extend(current.items)
            else:
                stack.extend(value for _, value in current.entries)

    def param(self, name: str) -> Symbol:
        """Return what stands behind a `$`: a size or param of the scope, or else a param of the spec."""
        scope = self.scope
        if name in scope.sizes and (scope.block or name not in scope.params):
            return self.own("size", name)
        return self.own("param", name) if name in scope.params else Symbol("param", name)

    def formula(self, tree: Tree, node: str) -> None:
        """Note the variables and params of a formula."""
        if not isinstance(tree, Scalar):
            return
        for one in names_in(tree.text):
            if one.name == "pi" and not one.is_param:  # torch.pi, in every formula
                continue
            symbol = self.param(one.name) if one.is_param else self.own("variable", one.name, node)
            self.add(symbol, tree.part(one.start, one.end))

    # --- sources ----------------------------------------------------------------------------------

    def source(self, tree: Tree, site: Site | None = None) -> None:
        """Note a source: an input or a node, and what its port is called after."""
        if not isinstance(tree, Scalar) or not tree.text:
            return
        name, dot, port = tree.text.partition(".")
        self.add(self.named(name), tree.part(0, len(name)), site=site)
        if dot and port:
            first = port.partition(".")[0]
            start = len(name) + 1
            symbol = self.scopes.port(self.scope, name, first)
            self.add(symbol, tree.part(start, start + len(first)))

    def named(self, name: str) -> Symbol:
        """Return the input or node of a name in the scope."""
        return self.own("input" if name in self.scope.inputs else "node", name)

    def sources(
        self, key: Scalar, tree: Tree, around: Mapping, implied: str = "", node: str = ""
    ) -> None:
        """Note the sources in `from` or `each`; `implied` is what they name: a variable or a port."""
        if isinstance(tree, Mapping):
            for _, value in tree.entries:
                self.source(value)
            return
        for item in tree.items if isinstance(tree, Sequence) else (tree,):
            if not isinstance(item, Scalar) or not item.text:
                continue
            site = Site(key, tree, item, around) if implied else None
            self.source(item, site)
            name, _, port = item.text.partition(".")
            if implied == "variable":
                self._imply("variable", name, item.part(0, len(name)), site, node)
            elif implied == "port" and port != "*":
                last = port.rpartition(".")[2] or name
                span = item.part(len(item.text) - len(last), len(item.text))
                self._imply("port", last, span, site, node)

    def _imply(self, kind: Kind, name: str, span: Span, site: Site | None, node: str) -> None:
        self.add(self.own(kind, name, node), span, defines=True, site=site, implied=True)

    def share(self, tree: Tree) -> None:
        """Note the node whose module is shared, and the item of an `each`."""
        if not isinstance(tree, Scalar) or not tree.text:
            return
        name, dot, item = tree.text.partition(".")
        for scope, target in self.scopes.shared(self.scope, name):
            self.add(Symbol("node", target, scope.block), tree.part(0, len(name)))
            if dot and item:
                port = self.scopes.port(scope, target, item)
                self.add(port, tree.part(len(name) + 1, len(tree.text)))

    # --- uses of blocks ---------------------------------------------------------------------------

    def block_name(self, tree: Tree) -> None:
        """Note the name of a block, or the param that gives it."""
        if isinstance(tree, Scalar) and tree.text:
            if "$" in tree.text:
                self.value(tree)
            else:
                self.add(Symbol("block", tree.text), tree.span)

    def argument(self, callee: Callee, tree: Scalar) -> None:
        """Note a name that `index` gives: of an input of the block, or of a param."""
        scope = None if callee.part else self.scopes.by_block.get(callee.block)
        kinds: list[Kind] = ["input"] if scope is None or tree.text in scope.inputs else []
        if scope is None or tree.text in scope.params:
            kinds.append("param")
        for kind in kinds:
            self.add(callee.symbol(kind, tree.text), tree.span)
