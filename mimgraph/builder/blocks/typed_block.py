"""Type the calls of a block that a function declares, by the parameters of the function.

A call on sources has the parameters of the function, a call that makes a layer only its params. A
word of the node (`name`, `repeat`) is no parameter, and `ParamSpec` cannot add one, so a call with
such a word may have any params.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, TypeAlias, overload

from mimgraph.builder.blocks.call import BlockCall, Family, Param
from mimgraph.builder.handles.tensor import Tensor
from mimgraph.ir.dim import Size

Parameters = ParamSpec("Parameters")
Params = ParamSpec("Params")
Source: TypeAlias = Tensor | None
Times: TypeAlias = Size | Mapping[str, object]


class TypedBlock(Family, Generic[Parameters]):
    """A block with the parameters of a function; at run time it is called as any other."""

    if TYPE_CHECKING:

        @overload  # type: ignore[override]  # more precise than the base, which may have any params
        def __call__(self, /, *sources: Parameters.args, **given: Parameters.kwargs) -> Tensor: ...

        # a layer: the parameters without the inputs, of which there are up to four

        @overload
        def __call__(
            self: TypedBlock[Concatenate[Tensor, Tensor, Tensor, Tensor, Params]],
            /,
            *args: Params.args,
            **params: Params.kwargs,
        ) -> BlockCall: ...
        @overload
        def __call__(
            self: TypedBlock[Concatenate[Tensor, Tensor, Tensor, Params]],
            /,
            *args: Params.args,
            **params: Params.kwargs,
        ) -> BlockCall: ...
        @overload
        def __call__(
            self: TypedBlock[Concatenate[Tensor, Tensor, Params]],
            /,
            *args: Params.args,
            **params: Params.kwargs,
        ) -> BlockCall: ...
        @overload
        def __call__(
            self: TypedBlock[Concatenate[Tensor, Params]],
            /,
            *args: Params.args,
            **params: Params.kwargs,
        ) -> BlockCall: ...
        @overload  # a None is more likely a param than a source
        def __call__(  # type: ignore[overload-overlap]
            self, param: Param, /, *params: Param, **options: Param
        ) -> BlockCall: ...

        # with a word of the node

        @overload
        def __call__(  # type: ignore[overload-overlap]
            self, /, *sources: Source, name: str | None, **given: Source | Param
        ) -> Tensor: ...
        @overload
        def __call__(
            self, source: Tensor, /, *sources: Source, repeat: Times, **given: Source | Param
        ) -> Tensor: ...
        @overload
        def __call__(
            self, source: Tensor, /, *sources: Source, over: int, **given: Source | Param
        ) -> Tensor: ...
        @overload
        def __call__(
            self, source: Tensor, /, *sources: Source, freeze: bool, **given: Source | Param
        ) -> Tensor: ...
        @overload
        def __call__(
            self, source: Tensor, /, *sources: Source, take: str | int, **given: Source | Param
        ) -> Tensor: ...
        @overload
        def __call__(self, /, *, repeat: Times, **options: Param) -> BlockCall: ...
        @overload
        def __call__(self, /, *, over: int, **options: Param) -> BlockCall: ...
        @overload
        def __call__(self, /, *, freeze: bool, **options: Param) -> BlockCall: ...
        @overload
        def __call__(self, /, *, take: str | int, **options: Param) -> BlockCall: ...
        def __call__(self, /, *args: Any, **keywords: Any) -> Any: ...
