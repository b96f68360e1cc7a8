"""Read `weight_norm` and `spectral_norm`, parametrizations of the weight of a module, as options."""

from __future__ import annotations

from typing import Any

from torch import nn
from torch.nn.utils import parametrizations
from torch.nn.utils.parametrize import is_parametrized

from mimgraph.importer.lift.errors import CannotLift


def norm_options(module: nn.Module) -> dict[str, Any]:
    """Return the option for the norm of a module's weight; {} if it has none."""
    if not is_parametrized(module):
        return {}
    registered: Any = module.parametrizations
    found = [one for many in registered.values() for one in many]
    if len(found) == 1 and "weight" in registered:
        match found[0]:
            case parametrizations._WeightNorm(dim=int(dim)):
                return {"weight_norm": {"dim": dim} if dim else True}
            case parametrizations._SpectralNorm() as norm:
                return {"spectral_norm": _spectral(module, norm)}
    names = ", ".join(type(one).__name__ for one in found)
    raise CannotLift("option", f"a weight with the parametrization {names} is none of a spec")


def _spectral(module: nn.Module, norm: Any) -> Any:
    """Return the options of a spectral norm that are not torch's defaults."""
    usual = 1 if isinstance(module, nn.modules.conv._ConvTransposeNd) else 0
    defaults = {"n_power_iterations": 1, "eps": 1e-12, "dim": usual}
    given = {name: getattr(norm, name) for name in defaults}
    changed = {name: value for name, value in given.items() if value != defaults[name]}
    return changed or True
