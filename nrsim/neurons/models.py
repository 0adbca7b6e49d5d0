"""The model neurons there are."""

from __future__ import annotations

from typing import Any

from nrsim.errors import need
from nrsim.neurons.biophysical import AdEx as AdEx
from nrsim.neurons.biophysical import ConductanceLIF as ConductanceLIF
from nrsim.neurons.lif import LIF as LIF
from nrsim.neurons.lif import AdaptiveLIF as AdaptiveLIF
from nrsim.neurons.parameters import Parameters
from nrsim.neurons.rates import RateUnits as RateUnits
from nrsim.neurons.recurrent import Recurrent as Recurrent

Neurons = Parameters


def neurons_of(value: Any) -> Neurons:
    """Return ``value`` if it is a model neuron, else raise.

    Raises
    ------
    TypeError
        With what came; a class instead of an instance is recognised.
    """
    if isinstance(value, Parameters):
        return value
    hint = f"Write {value.__name__}()" if isinstance(value, type) and issubclass(value, Parameters) else ""
    raise need("neurons, such as nr.AdaptiveLIF() or nr.RateUnits()", repr(value), hint, kind=TypeError)
