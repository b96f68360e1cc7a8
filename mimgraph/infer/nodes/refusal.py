"""Report the fault that the rule of an op finds, at the option, the source or the node's name."""

from __future__ import annotations

import re
from collections.abc import Mapping

from mimgraph.diagnostics import Diagnostic, Label
from mimgraph.infer.evaluation import origin_of, placed
from mimgraph.infer.options import Bound
from mimgraph.infer.scope import Fed, Site
from mimgraph.ir.declared.graph import Source
from mimgraph.ir.dims.dim import Dim
from mimgraph.ops.op import OpFault
from mimgraph.source import Span

AT_NODE = ("wrong-arity", "missing-option")  # faults of missing parts
_KEY = re.compile(r"\{(\w+)\}")
_NODE = re.compile(r"\{layer: (\w+), from: \{\w+\}(?:, (.*?))?\}")


def report_refusal(site: Site, bound: Bound, fault: OpFault, fed: Mapping[str, Fed]) -> None:
    """Report the fault of a rule, with labels on the nodes and inputs that make the sources at
    fault."""
    source, option = fault.source, bound.given.get(fault.option or "")
    at_node = fault.at_node or fault.code in AT_NODE
    if source is None and option is None and len(fed) == 1 and not at_node:
        source = next(iter(fed))
    span, used = site.node.span, tuple[Label, ...]()
    if option is not None:
        origin = origin_of(option.value, site.context.origins)
        span, used = placed(option.at(fault.within), origin)
    elif source is not None and source in fed:
        span = fed[source].source.span
    names = {key: one.text for key, one in fed.items()}
    help = fault.help
    if fault.unknown and option is not None:
        help = _unknown_name_help(site, fault.unknown, option.span.excerpt().text) or help
    site.state.report.add(
        Diagnostic(
            fault.code,
            with_names(fault.message, names),
            span,
            with_names(fault.note, names),
            tuple(
                dict.fromkeys((*used, *_producers(fault, source, fed, span), *site.context.uses))
            ),
            with_names(_as_item(help) if site.node.sources == () else help, names),
            site.path,
        )
    )


def with_names(text: str, names: Mapping[str, str]) -> str:
    """Return the text with the name of the source that fills an operand in place of `{operand}`."""
    return _KEY.sub(lambda m: names.get(m[1], m[0]), text) if "{" in text else text


def _producers(
    fault: OpFault, source: str | None, fed: Mapping[str, Fed], span: Span
) -> list[Label]:
    """Return a label with the type of each source at fault, on the node or input that makes it."""
    about = [source] if source else fed if _is_about_shapes(fault, fed) else []
    keys = dict.fromkeys([*about, *fault.mentions])
    return [
        Label(fed[key].producer, str(fed[key].type))
        for key in keys
        if key in fed and fed[key].producer != span
    ]


def _is_about_shapes(fault: OpFault, fed: Mapping[str, Fed]) -> bool:
    """Return whether a fault at an option is also about the shape of the only source: it mentions a
    size."""
    types = [str(one.type) for one in fed.values()]
    mentioned = set(re.findall(r"\w+", fault.message))
    sizes = set(re.findall(r"\w+", " ".join(types))) - {"N", "1"}
    return len(types) == 1 and (fault.code == "inferred-conflict" or bool(mentioned & sizes))


def _as_item(help: str) -> str:
    """Return a help with each node that it proposes rewritten as an item of a seq."""
    return _NODE.sub(lambda m: f"{{{m[1]}: {{{m[2]}}}}}" if m[2] else m[1], help)


# names in a formula


def _unknown_name_help(site: Site, name: str, text: str) -> str:
    """Return the help for a name in a formula that is an input, node or param, but no source of
    it."""
    context, sources = site.context, site.node.sources or ()
    declared = context.scope.inputs.get(name) or context.scope.nodes.get(name)
    if declared is not None:
        span = declared.span
        site.state.report.drop(lambda one: one.span == span and one.code.startswith("unused-"))
        for one in sources:
            if one.argument is not None and (one.name, one.port) == (name, None):
                return f"write {one.argument}, the name that from gives to {name}"
        used = set(re.findall(r"\w+", text))
        kept = [one for one in sources if (one.argument or one.name) in used]
        return f"add it to from: {_sources_and(kept, name)}"
    if name not in context.env:
        return ""
    what = "size" if isinstance(context.env[name], Dim) else "param"
    return f"write ${name} for the {what}"


def _sources_and(sources: list[Source], name: str) -> str:
    """Return the text of `from` with these sources and one more: `[x, name]` or `{a: x, name:
    name}`."""
    written = [one.text for one in sources]
    if all(one.argument is None for one in sources):
        return f"[{', '.join([*written, name])}]"
    pairs = [f"{s.argument or s.name}: {text}" for s, text in zip(sources, written, strict=True)]
    return f"{{{', '.join([*pairs, f'{name}: {name}'])}}}"
