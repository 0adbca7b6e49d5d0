"""Neurons by equations of the user's own, in Brian2's language."""

from __future__ import annotations

import gc
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, ClassVar

import numpy as np

from nrsim.distributions import checked, draw_for
from nrsim.errors import need, unknown
from nrsim.neurons import brian
from nrsim.neurons.custom_errors import INPUT, RATE, explained
from nrsim.neurons.custom_units import WORD, as_text, name_of_unit, quantity, unit_text
from nrsim.neurons.parameters import Parameters, Plan, fits
from nrsim.quantities import bare

# What the user's names are replaced by, and names that nrsim gives to the group itself.
_TAKEN = {INPUT, RATE, "i", "t", "dt", "t_in_timesteps", "lastspike", "not_refractory", "column", "key", "gain"}
_TAKEN |= {"admit", "row", "total", "noise"}
_DRAW = re.compile(r"\b(randn?)\(\s*\)")
_FOREIGN = re.compile(r"\b(poisson|binomial|rand|randn)\s*\(")
_START = -3  # the step whose noise is drawn for the state at the start


@dataclass(frozen=True)
class CustomNeurons(Parameters):
    r"""Neurons by any equations of your own, as Brian2 takes them.

    The equations name their input ``drive``: the current of :func:`nrsim.present`, in A, times the trial's gain. Noise
    is written ``xi``, or ``xi_name`` for several. nrsim gives Brian2 its own noise in place of xi, ``rand()`` and
    ``randn()``: a function of the seed, the labels and the time step, so that results do not depend on block, order,
    workers or resumption, as those of the models that come with nrsim.

    Parameters
    ----------
    equations
        Differential equations, subexpressions and parameters, one a line: ``dv/dt = (R*drive - v)/tau : volt``.
    threshold, reset
        When there is a spike, and what happens then: ``"v > v_t"``, ``"v = v_r"``. For neurons that spike.
    firing_rate
        An expression in Hz instead of a threshold: ``"r"``; below 0 it counts as 0. The recording has its mean over
        each bin.
    refractory
        As in Brian2: a duration (a bare number means s), a condition, or False (the default). Only lines marked
        ``(unless refractory)`` stand still meanwhile.
    namespace
        What the equations name: numbers or Brian2 quantities. A one-dimensional array is one value a neuron. A
        distribution with a ``"unit"``, ``{"distribution": "normal", "mean": 20, "sd": 2, "unit": "ms"}``, draws one for
        each neuron, by seed, name and ``neuron_id``.
    initial
        State at the start of the warm-up: numbers, quantities, or expressions in quotes,
        ``{"v": "v_r + 5*mV*rand()"}``. Default: 0, as in Brian2.
    method
        Brian2's integration method. Default: ``"exact"`` where there is no noise and the equations are linear, else
        ``"euler"``, or ``"heun"`` where the noise is multiplied by a state variable.

    Raises
    ------
    TypeError, ValueError
        If ``drive`` is not used, there is neither threshold nor firing rate, a name is taken or unknown, or a unit is
        wrong: with Brian2's message, and where in your input.

    Examples
    --------
    >>> import nrsim as nr
    >>> leaky = nr.CustomNeurons(
    ...     "dv/dt = (R*drive - v)/tau + sigma*sqrt(2/tau)*xi : volt (unless refractory)",
    ...     threshold="v > 15*mV", reset="v = 0*mV", refractory="2*ms",
    ...     namespace={"R": "100*Mohm", "tau": "20*ms", "sigma": "4*mV"})
    >>> nr.simulate(nr.example("Drive"), leaky, trials=2, seed=1)["spike_count"].dims
    ('stimulus', 'trial', 'neuron', 'time')
    """

    equations: str
    threshold: str = ""
    reset: str = ""
    firing_rate: str = ""
    refractory: Any = False
    namespace: Mapping[str, Any] = field(default_factory=dict)
    initial: Mapping[str, Any] = field(default_factory=dict)
    method: str = ""

    units: ClassVar[Mapping[str, str]] = {}

    def __post_init__(self) -> None:
        """Look at what can be told without Brian2."""
        for name in ("equations", "threshold", "reset", "firing_rate", "method"):
            if not isinstance(getattr(self, name), str):
                raise need(f"{name}: a text", repr(getattr(self, name)), kind=TypeError)
        for name in ("namespace", "initial"):
            if not isinstance(getattr(self, name), Mapping):
                raise need(f"{name}: a mapping from names to values", repr(getattr(self, name)), kind=TypeError)
        if bool(self.threshold.strip()) == bool(self.firing_rate.strip()):
            came = "both" if self.threshold.strip() else "neither"
            raise need("either a threshold, for neurons that spike, or a firing_rate", came)
        if self.firing_rate and (self.reset or self.refractory is not False):
            raise need("no reset and no refractory period with a firing_rate", "one", "They belong to a threshold")
        if "drive" not in WORD.findall(self.equations):
            todo = "Use drive, the input current in A, in the equations"
            raise need("equations with drive, the input", "equations without", todo)
        for where, code in self._code().items():
            left = _FOREIGN.search(_DRAW.sub("", code))
            if left:
                todo = "Brian2's own would not depend on the seed and the labels alone"
                raise need(f"{where} with xi, rand() and randn() as its only noise", f"{left[1]}(...)", todo)
        declared = set(re.findall(r"^\s*d?(\w+?)(?:/dt)?\s*(?:=|:)", self.equations, flags=re.MULTILINE))
        for name in sorted((declared | set(self.namespace)) & (_TAKEN | {"drive"})):
            raise need(f"names other than {name!r}, which nrsim or Brian2 gives itself", f"{name!r}", "Rename it")
        for name, value in self.namespace.items():
            if isinstance(value, Mapping):
                self._distribution(name, value)
        if self.refractory is True:
            raise need("refractory: a duration, a condition, or False", "True")
        if not isinstance(self.refractory, (str, bool)) and not hasattr(self.refractory, "dim"):
            object.__setattr__(self, "refractory", f"{bare(self.refractory, 's', 'refractory', low=0.0)!r}*second")

    def _code(self) -> dict[str, str]:
        """Return all code of the user's by where it stands."""
        code = {name: getattr(self, name) for name in ("equations", "threshold", "reset", "firing_rate")}
        code |= {f"initial, {name}": value for name, value in self.initial.items()} | {"refractory": self.refractory}
        return {
            where: "\n".join(line.partition("#")[0] for line in text.splitlines())
            for where, text in code.items()
            if isinstance(text, str)
        }

    def get_params(self) -> dict[str, Any]:
        """Return the parameters by name; quantities as text in SI units."""
        given = super().get_params()
        for name in ("namespace", "initial"):
            given[name] = {key: as_text(value) for key, value in given[name].items()}
        return given | {"refractory": as_text(self.refractory)}

    @property
    def spiking(self) -> bool:  # type: ignore[override]
        """Whether the neurons spike."""
        return bool(self.threshold.strip())

    @property
    def states(self) -> dict[str, str]:  # type: ignore[override]
        """State variables that can be recorded, each with its unit."""
        brian2 = brian.load()
        parsed = self._parsed(brian2)
        return {name: unit_text(parsed[name].dim) for name in parsed.names}

    def labels(self, seed: int, neuron_ids: np.ndarray) -> dict[str, tuple[str, np.ndarray, dict[str, str]]]:
        """Return what varies between neurons, as coordinates along ``neuron``."""
        drawn = self.resolved(seed, neuron_ids).namespace
        return {
            name: ("neuron", np.asarray(value), {"units": unit_text(value)})
            for name, value in drawn.items()
            if np.ndim(value) == 1
        }

    def resolved(self, seed: int, neuron_ids: np.ndarray) -> CustomNeurons:
        """Return the same neurons with every name of the namespace a number or one value a neuron."""
        values = {}
        for name, value in self.namespace.items():
            if isinstance(value, Mapping):
                spec, unit = self._distribution(name, value)
                value = draw_for(spec, name, neuron_ids, seed) * quantity(f"1*{unit}", name)
            elif isinstance(value, str):
                value = quantity(value, name)
            if np.ndim(value) > 1 or (np.ndim(value) == 1 and len(value) != len(neuron_ids)):
                shape = np.shape(value)
                raise need(
                    f"namespace, {name}: a number, or one for each of {len(neuron_ids)} neurons", f"shape {shape}"
                )
            values[name] = value
        return self._with(namespace=values)

    def check(self, dt: float) -> None:
        """Raise, with Brian2's message and where in the input, if Brian2 cannot make neurons of this.

        Raises
        ------
        ValueError, TypeError
            For unknown names, wrong units, an unknown method, or a time constant (``tau…``) shorter than ``dt``.
        """
        from nrsim.neurons.grid import Grid
        from nrsim.neurons.population import Inputs, build, fill

        for name, value in self.namespace.items():
            if name.startswith("tau") and unit_text(value) == "s":
                fits(dt, name, float(np.min(value)))
        one = np.zeros((1, 1))
        inputs = Inputs(np.zeros((2, 1)), one.astype(int), one.astype(np.uint64), one + 1, lambda name: one)
        first = {name: value if np.ndim(value) == 0 else value[:1] for name, value in self.namespace.items()}
        single = self._with(namespace=first)
        problem: Exception | None = None
        with brian.guest("numpy") as brian2:
            try:
                group, values = build(brian2, single, inputs, Grid(dt, 0.0, 1, 2, 0, 0, 1, 2))
                fill(group, single.plan(dt), values)
                brian2.Network(group).run(0 * brian2.second, namespace={})
            except Exception as error:  # Brian2 raises many kinds
                problem = self._explained(error)
            group = None
            gc.collect()  # while Brian2 is told not to wonder about groups that were never run
        if problem is not None:
            raise problem

    def plan(self, dt: float) -> Plan:
        """Return what Brian2 is given for steps of ``dt`` s."""
        brian2 = brian.load()
        functions: dict[str, tuple[str, str]] = {}
        equations = self._drawn(_with_input(self.equations), "equations", functions)
        lines = [equations, f"{INPUT} = admit*drive(row(t_in_timesteps), column) : amp"]
        for name in self._parsed(brian2).stochastic_variables:
            functions[f"noise_{name}"] = ("normal", name)
        total = ""
        if not self.spiking:
            rate = self._drawn(_with_input(self.firing_rate), "firing_rate", functions)
            lines += [f"{RATE} = {rate} : Hz", "total : Hz"]  # a subexpression, because Brian2 looks at its unit
            total = f"\ntotal = total + clip({RATE}, 0*Hz, inf*Hz)"
        many = {name: value for name, value in self.namespace.items() if np.ndim(value) == 1}
        initial = {}
        for name, value in self.initial.items():
            if isinstance(value, str):
                value = self._drawn(value, f"initial_{name}", functions, str(_START))
            initial[name] = value
        return Plan(
            "\n".join(lines),
            self._method(brian2, total),
            self._drawn(self.threshold, "threshold", functions),
            self._drawn(self.reset, "reset", functions),
            {name: (np.asarray(value), name_of_unit(value, name)) for name, value in many.items()},
            namespace={name: value for name, value in self.namespace.items() if name not in many},
            refractory=self.refractory,
            functions=functions,
            initial=initial,
        )

    def start(self, current: np.ndarray, normal: Callable[[str], np.ndarray], dt: float) -> dict[str, np.ndarray]:
        """Return nothing: the state at the start is what ``initial`` says."""
        return {}

    def _explained(self, error: BaseException) -> Exception:
        """Return ``error`` with where in the user's input it applies."""
        parts = [(f"equations, line {k}", line) for k, line in enumerate(self.equations.splitlines(), 1)]
        parts += [(name, str(getattr(self, name))) for name in ("threshold", "firing_rate", "refractory")]
        parts += [("reset", line) for line in self.reset.splitlines()]
        parts += [(f"initial, {name}", str(value)) for name, value in self.initial.items()]
        return explained(error, parts)

    def _parsed(self, brian2: ModuleType) -> Any:
        try:
            return brian2.Equations(_with_input(self.equations))
        except Exception as error:  # Brian2 raises many kinds
            raise self._explained(error) from None

    def _drawn(self, code: str, where: str, functions: dict[str, tuple[str, str]], step: str = "t_in_timesteps") -> str:
        """Return ``code`` with rand() and randn() as functions of key and step, which are added to ``functions``."""
        count = 0

        def replaced(match: re.Match[str]) -> str:
            nonlocal count
            kind = {"rand": "uniform", "randn": "normal"}[match[1]]
            name = f"draw_{where}_{count}"
            functions[name] = (kind, name)
            count += 1
            return f"{name}(key, {step})"

        return _DRAW.sub(replaced, code)

    def _method(self, brian2: ModuleType, total: str) -> Callable[..., str]:
        from brian2.stateupdaters.base import StateUpdateMethod, UnsupportedEquationsException

        known = StateUpdateMethod.stateupdaters
        if self.method and self.method not in known:
            raise unknown("integration method", self.method, known)

        def code(equations: Any, variables: Any, method_options: Any = None) -> str:
            names = [self.method] if self.method else ["exact", "euler", "heun"]
            for name in names:
                try:
                    made = known[name](equations, variables, method_options)
                    break
                except UnsupportedEquationsException:
                    if name == names[-1]:
                        raise
            lines = [
                re.sub(r"\brandn\(\)", f"noise_{line.split('=')[0].strip()}(key, t_in_timesteps)", line)
                for line in made.splitlines()
            ]
            return "\n".join(lines) + total

        return code

    def _distribution(self, name: str, value: Mapping[str, Any]) -> tuple[Any, str]:
        rest = {key: each for key, each in value.items() if key != "unit"}
        return checked(rest, f"namespace, {name}"), str(value.get("unit", "1"))


def _with_input(code: str) -> str:
    return re.sub(r"\bdrive\b", INPUT, code)
