"""Merges that multiply and sum: dot, matmul, outer, einsum."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import reduce
from typing import NamedTuple

from mimgraph.diagnostics.text import put
from mimgraph.ir.axes_help import along_the_last, node, one_more_axis, to_vector
from mimgraph.ir.code import Attribute, Binary, Code, Constant, Operand, call
from mimgraph.ir.dim import Size
from mimgraph.ir.lowering import Lowering
from mimgraph.ir.types import COMPLEX, FLOATING, TensorType, promote
from mimgraph.ops.layer_call import merge
from mimgraph.ops.merges.agreement import Operands, disagreement, operands, same_dtypes, same_shapes
from mimgraph.ops.merges.elementwise import refuse
from mimgraph.ops.op import OpFault, Sources
from mimgraph.ops.rule_helpers import bad_option, dtype_fault, same_dims, same_size, without_axes

AXES = "abcdefghijklm"  # letters of an equation, n is the batch


@merge(family="product")
def dot(sources: Sources, /) -> Lowering:
    """The dot product along the last axis: (N, *, D), (N, *, D) -> (N, *).

    Example:
        user: [64]
        item: [64]
        {merge: dot, from: [user, item]}
    """
    named = operands(sources, "dot", most=2)
    for key, x in named.items():
        if not x.dims:
            raise without_axes(x, "dot takes (N, *, D)", key)
    try:
        same_shapes(named, "dot needs equal shapes")
    except OpFault as fault:
        of_vectors = any(x.rank == 2 for x in sources)
        fault.help = _along_the_last(named) or (fault.help if of_vectors else "")
        raise
    first, second = sources
    dtype = promote(first.dtype, second.dtype)
    products = Binary("*", Operand("0"), Operand("1"))
    return Lowering(
        first.like(*first.dims[:-1], dtype=dtype if dtype in (*FLOATING, *COMPLEX) else "int64"),
        call=products.method("sum", first.rank - 1),
    )


def _along_the_last(named: Operands) -> str:
    """Return the einsum of a vector with each place of a longer source; "" if they do not fit."""
    left, right = named.values()
    one_is_vector = 1 in (len(left.dims), len(right.dims))
    fits = one_is_vector and same_size(left.dims[-1], right.dims[-1])
    if not (fits and left.batched and right.batched):
        return ""
    equation = along_the_last(len(left.dims), len(right.dims))
    return f"along the last axis: {_einsum(equation)}"


def _einsum(equation: str) -> str:
    """Return the einsum to write in place of a merge of two sources."""
    return put(f'{{merge: einsum, from: [{{0}}, {{1}}], equation: "{equation}"}}')


def _as_matrix(x: TensorType, key: str, dim: int) -> str:
    """Return the help that makes the vector of each sample a row or a column."""
    return one_more_axis(f"{{{key}}}", dim) if x.batched and len(x.dims) == 1 else ""


@merge(family="product")
def matmul(sources: Sources, /) -> Lowering:
    """The matrix product; one may lack a batch: (N, *, L, D), (N, *, D, M) -> (N, *, L, M).

    Example:
        weights: [10, 8]
        values: [8, 64]
        {merge: matmul, from: [weights, values]}
    """
    named = operands(sources, "matmul", most=2)
    same_dtypes(named, "matmul")
    left, right = sources
    if left.dtype == "bool":
        raise dtype_fault(left, "matmul", "numbers", "0")
    _check_matrices(left, right)
    if not same_size(left.shape[-1], right.shape[-2]):
        raise OpFault(
            "shape-mismatch",
            "matmul needs the last size of the first to equal the second-last size of the second",
            source="1",
            note=f"{right}, but {{0}} is {left}",
            help=_transposed(left, right),
            mentions=("1", "0"),
        )
    lead = left.shape[:-2] or right.shape[:-2]
    result = left.in_shape(*lead, left.shape[-2], right.shape[-1])
    product = (*result.shape, left.shape[-1])
    return Lowering(result, call=Binary("@", Operand("0"), Operand("1")), products=(product,))


@merge(family="product")
def outer(sources: Sources, /) -> Lowering:
    """The outer product, one axis a source: (N, A), (N, B) -> (N, A, B).

    Example:
        image: [8]
        text: [4]
        {merge: outer, from: [image, text]}
    """
    named = operands(sources, "outer", most=len(AXES))
    for key, x in named.items():
        if len(x.dims) != 1:
            help = to_vector(x, "outer", f"{{{key}}}") if x.batched else ""
            raise OpFault("rank-mismatch", "outer takes (N, D)", source=key, note=str(x), help=help)
    batched = any(x.batched for x in sources)
    terms = ["n" * x.batched + axis for x, axis in zip(sources, AXES, strict=False)]
    equation = f"{','.join(terms)}->{'n' * batched}{AXES[: len(terms)]}"
    dims = tuple(x.dims[0] for x in sources)
    dtype = reduce(promote, (x.dtype for x in sources))
    return Lowering(
        TensorType(dims, dtype, None, batched),
        call=call("torch.einsum", Constant(equation), *map(Operand, named)),
    )


def _transposed(left: TensorType, right: TensorType) -> str:
    """Return the help that transposes the second matrix, where that is enough; else ""."""
    if not same_size(left.dims[-1], right.dims[-1]):
        return ""
    return f"transpose it first: {node('Transpose', '{1}', 'dim0: -2, dim1: -1')}"


def _check_matrices(left: TensorType, right: TensorType) -> None:
    """Refuse sources that are not matrices; one without a batch is one matrix for all samples, and
    two that fit as they are may have the batch as rows or columns."""
    if left.rank == right.rank == 2 and same_size(left.shape[-1], right.shape[-2]):
        return
    if left.batched == right.batched:
        ranks = {"0": len(left.dims) >= 2, "1": len(right.dims) >= 2}
    elif left.batched:
        ranks = {"0": len(left.dims) >= 1, "1": len(right.dims) == 2}
    else:
        ranks = {"0": len(left.dims) == 2, "1": len(right.dims) >= 2}
    for key, fits in ranks.items():
        if not fits:
            shown = str(left if key == "0" else right)
            help = _as_matrix(left, "0", 1) if key == "0" else _as_matrix(right, "1", 2)
            if left.rank == right.rank == 2 and same_dims(left, right):
                help = f"{help}; to compare samples: {_einsum('n d, m d -> n m')}"
            raise OpFault(
                *("rank-mismatch", "matmul takes matrices (N, L, D)"),
                source=key,
                note=shown,
                help=help,
            )
    if left.batched == right.batched and not same_dims(left.dims[:-2], right.dims[:-2]):
        odd, other = ("0", "1") if left.rank > right.rank else ("1", "0")
        message = "matmul needs equal sizes on every axis but the last two"
        raise disagreement({"0": left, "1": right}, odd, other, message)


# Define einsum, whose equation is checked letter by letter.


_REST = "..."
AS_LINEAR = call("F.linear", Operand("0"), Operand("1"))
_AXIS = re.compile(r"\.{3}|[^ ]")


class Letter(NamedTuple):
    """The name of an axis, and its position in the equation."""

    name: str
    position: int


Term = tuple[Letter, ...]


@merge(family="einsum")
def einsum(sources: Sources, /, equation: str) -> Lowering:
    """Products summed over the letters that the right side omits: "n l d, n m d -> n l m".

    There is a letter for each axis, also for the batch, and one letter for it in all sources takes
    each sample alone. Different letters compare samples: "n d, m d -> n m" is (N, N). A source
    without a batch omits it; `...` is any number of axes, aligned at the last.

    Example:
        queries: [10, 64]
        keys: [8, 64]
        {merge: einsum, equation: "n l d, n m d -> n l m", from: [queries, keys]}
    """
    terms, result = _read(equation)
    compact = f"{','.join(map(_text, terms))}->{_text(result)}"
    named = operands(sources, "einsum", least=len(terms), most=len(terms))
    by_key, result = _spread(dict(zip(named, terms, strict=True)), named, result)
    _check_ranks(named, by_key)
    sizes = _sizes(named, by_key)
    _check_result(result, sizes)
    _check_dtypes(named, by_key, result)
    shape = tuple(sizes[letter.name] for letter in result)
    matrix = _as_matrix_product(list(by_key.values()), result) if sources[0].is_floating else None
    if matrix == AS_LINEAR and sources[1].batched:  # no weight
        matrix = Binary("@", Operand("0"), Attribute(Operand("1"), "T"))
    products = call("torch.einsum", Constant(compact), *map(Operand, named))
    multiplied = [set(sizes)] if matrix else _multiplied(list(by_key.values()), result, sizes)
    return Lowering(
        sources[0].in_shape(*shape),
        call=matrix or products,
        products=tuple(tuple(sizes[name] for name in sorted(names)) for names in multiplied),
    )


def _multiplied(terms: list[Term], result: Term, sizes: Mapping[str, Size]) -> Iterator[set[str]]:
    """Yield the axes of each matrix product: torch contracts the sources from left to right, and
    multiplies elementwise where it sums over no common axis."""
    first, *others = [{letter.name for letter in term} for term in (*terms, result)]
    later = Counter(name for names in others for name in names)
    for second in others[:-1]:
        later.subtract(second)
        kept = {name for name in first | second if later[name]}
        if any(sizes[name] != 1 for name in first & second - kept):
            yield (first & second) | kept
        first = kept


def _as_matrix_product(terms: list[Term], result: Term) -> Code | None:
    """Return a product with a matrix over the last axis as `F.linear(x, weight)` or `x @ matrix`."""
    names = [tuple(letter.name for letter in term) for term in (*terms, result)]
    if len(names) != 3 or not names[0] or len(names[1]) != 2:
        return None
    if len(set(names[0])) < len(names[0]):
        return None
    (*lead, last), (row, column), wanted = names
    x, matrix = Operand("0"), Operand("1")
    if last == column != row and wanted == (*lead, row) and row not in lead and lead:
        return AS_LINEAR
    if last == row != column and wanted == (*lead, column) and column not in lead and lead:
        return Binary("@", x, matrix)
    return None


def _read(equation: str) -> tuple[list[Term], Term]:
    """Return the letters of each source and of the result."""
    left, arrow, _ = equation.partition("->")
    if not arrow:
        raise bad_option("equation", 'an equation has two sides: "n l d, n m d -> n l m"')
    terms: list[Term] = []
    start = 0
    for text in left.split(","):
        terms.append(tuple(_letters(equation, start, start + len(text))))
        start += len(text) + 1
    return terms, tuple(_letters(equation, len(left) + len(arrow), len(equation)))


def _letters(equation: str, start: int, end: int) -> Iterator[Letter]:
    """Yield the letters of one term."""
    spread = False
    for match in _AXIS.finditer(equation, start, end):
        name, position = match[0], match.start()
        if not (name == _REST or name.isascii() and name.isalpha()):
            raise _fault(f"an equation names axes by letters, not {name!r}", position)
        if name == _REST and spread:
            raise _fault("a tensor has at most one ellipsis", position)
        spread |= name == _REST
        yield Letter(name, position)


def _spread(
    terms: Mapping[str, Term], named: Operands, result: Term
) -> tuple[dict[str, Term], Term]:
    """Replace each ellipsis by as many names as its source has axes for it; the last is `...-1`."""
    counts = {
        key: max(named[key].rank - len(term) + 1, 0)
        for key, term in terms.items()
        if any(letter.name == _REST for letter in term)
    }

    def spread(term: Term, count: int) -> Term:
        found: list[Letter] = []
        for letter in term:
            rest = [Letter(f"{_REST}{axis}", letter.position) for axis in range(-count, 0)]
            found += rest if letter.name == _REST else [letter]
        return tuple(found)

    by_key = {key: spread(term, counts.get(key, 0)) for key, term in terms.items()}
    return by_key, spread(result, max(counts.values(), default=0))


def _check_ranks(named: Operands, terms: Mapping[str, Term]) -> None:
    """Refuse a source that has more or fewer axes than letters."""
    for key, x in named.items():
        if len(terms[key]) != x.rank:
            raise OpFault(
                "rank-mismatch",
                f"the equation gives {{{key}}} {len(terms[key])} axes",
                source=key,
                note=str(x),
                help="the batch needs a letter as well" if len(terms[key]) == len(x.dims) else "",
            )


def _sizes(named: Operands, terms: Mapping[str, Term]) -> dict[str, Size]:
    """Return the size of each letter; refuse a letter with two sizes."""
    found: dict[str, tuple[Size, str]] = {}
    for key, x in named.items():
        for letter, size in zip(terms[key], x.shape, strict=True):
            known, other = found.setdefault(letter.name, (size, key))
            if not same_size(size, known):
                note = f"{x}, but {{{other}}} is {named[other]}" if other != key else str(x)
                message = f"einsum needs one size for {letter.name}, not {known} and {size}"
                raise OpFault(
                    "shape-mismatch", message, source=key, note=note, mentions=(key, other)
                )
    return {name: size for name, (size, _) in found.items()}


def _check_result(result: Term, sizes: Mapping[str, Size]) -> None:
    """Refuse a result that repeats or invents a letter."""
    seen: set[str] = set()
    for letter in result:
        if letter.name not in sizes:
            raise _fault(f"no source has an axis {letter.name}", letter.position)
        if letter.name in seen:
            raise _fault(f"the result names {letter.name} twice", letter.position)
        seen.add(letter.name)


def _check_dtypes(named: Operands, terms: Mapping[str, Term], result: Term) -> None:
    """Refuse different dtypes, and sums that torch cannot compute.

    It sums no bools; a letter of a single source it sums as int64, which then meets another dtype.
    """
    same_dtypes(named, "einsum")
    kept = {letter.name for letter in result}
    names = [{letter.name for letter in term} for term in terms.values()]
    summed = set().union(*names) - kept
    if summed:
        refuse(named, "einsum", ("bool",))
    alone = sorted(name for name in summed if sum(name in term for term in names) == 1)
    if alone and named["0"].is_integer and named["0"].dtype != "int64":
        raise OpFault(
            "dtype-mismatch",
            f"einsum sums {alone[0]}, a letter of one source only, as int64",
            source="0",
            note=named["0"].dtype,
            help="Cast it to int64 first",
        )


def _text(term: Term) -> str:
    """Return a term as torch writes it."""
    return "".join(letter.name for letter in term)


def _fault(message: str, position: int) -> OpFault:
    """Return the fault of one character of the equation."""
    fault = bad_option("equation", message)
    fault.within = (position, position + 1)
    return fault
