"""Visit typed operations: a method for each kind, for the passes that treat the kinds differently."""

from __future__ import annotations

from typing import Generic, ParamSpec, TypeVar

from mimgraph.ir.typed.operations import (
    Each,
    Leaf,
    Repeated,
    Scan,
    Sequence,
    Shared,
    TypedOperation,
    Use,
)

P = ParamSpec("P")
Result = TypeVar("Result")


class OperationVisitor(Generic[P, Result]):
    """Calls the method of an operation's kind, with the arguments of `visit`.

    A kind without a method of its own goes to `visit_other`, a share to the operation that it runs.
    """

    def visit(self, operation: TypedOperation, *args: P.args, **kwargs: P.kwargs) -> Result:
        """Return the result of the method for the operation's kind."""
        match operation:
            case Leaf():
                return self.visit_leaf(operation, *args, **kwargs)
            case Sequence():
                return self.visit_sequence(operation, *args, **kwargs)
            case Use():
                return self.visit_use(operation, *args, **kwargs)
            case Repeated():
                return self.visit_repeated(operation, *args, **kwargs)
            case Scan():
                return self.visit_scan(operation, *args, **kwargs)
            case Each():
                return self.visit_each(operation, *args, **kwargs)
            case Shared():
                return self.visit_shared(operation, *args, **kwargs)

    def visit_leaf(self, leaf: Leaf, *args: P.args, **kwargs: P.kwargs) -> Result:
        return self.visit_other(leaf, *args, **kwargs)

    def visit_sequence(self, sequence: Sequence, *args: P.args, **kwargs: P.kwargs) -> Result:
        return self.visit_other(sequence, *args, **kwargs)

    def visit_use(self, use: Use, *args: P.args, **kwargs: P.kwargs) -> Result:
        return self.visit_other(use, *args, **kwargs)

    def visit_repeated(self, repeated: Repeated, *args: P.args, **kwargs: P.kwargs) -> Result:
        return self.visit_other(repeated, *args, **kwargs)

    def visit_scan(self, scan: Scan, *args: P.args, **kwargs: P.kwargs) -> Result:
        return self.visit_other(scan, *args, **kwargs)

    def visit_each(self, each: Each, *args: P.args, **kwargs: P.kwargs) -> Result:
        return self.visit_other(each, *args, **kwargs)

    def visit_shared(self, shared: Shared, *args: P.args, **kwargs: P.kwargs) -> Result:
        return self.visit(shared.operation, *args, **kwargs)

    def visit_other(self, operation: TypedOperation, *args: P.args, **kwargs: P.kwargs) -> Result:
        raise NotImplementedError(f"{type(self).__name__} does not visit {operation.op_name}")
