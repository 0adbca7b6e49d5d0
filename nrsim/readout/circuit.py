"""The circuit that reads out moving faces, as plain NumPy: differentiators, a leaky sum, and neurons that compete."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_SETTLED = 12  # steps, in units of the slowest time constant, within which the answer to a step has its peak


@dataclass(frozen=True)
class Circuit:
    """The constants: time constants in steps, strength of inhibition w, share c of it that a neuron spares itself."""

    tau_u: float
    tau_v: float
    tau_y: float
    tau_d: float
    inhibition: float
    spared: float

    def fastest(self, n: int) -> float:
        """Return the least ``tau_d`` at which ``n`` decision neurons of equal activity settle instead of swinging.

        Their common activity decays by 1 − (1 + w (n − c)) / τ_d a step, which must be above −1.
        """
        return max(1.0, (1.0 + self.inhibition * (n - self.spared)) / 2.0)


def run(activity: np.ndarray, circuit: Circuit, seen: np.ndarray | None = None) -> dict[str, np.ndarray]:
    """Return every stage of the circuit over time.

    Each value is that of one step before, moved towards what it is driven by (Stettler et al. 2020):

    - v ← ((τ_v − 1) v + s) / τ_v: the activity of a little while ago
    - u± ← ((τ_u − 1) u± + [±(s − v)]₊) / τ_u: its rise and its fall
    - y ← ((τ_y − 1) y + u₊ + u₋) / τ_y: how much it changed of late
    - D ← [((τ_d − 1) D + y − W·D) / τ_d]₊ with W = w (1 − c I), 1 the matrix of ones: the neurons compete

    All stages move at once: what is on the right is the step before.

    Parameters
    ----------
    activity
        s, ``(…, step, neuron)``.
    circuit
        The constants.
    seen
        The activity that was held until the first step, ``(…, neuron)``: v starts there. Default: 0, the norm.

    Returns
    -------
    dict
        ``v``, ``u_on``, ``u_off``, ``y``, ``D``, each as ``activity``.
    """
    s = np.moveaxis(np.asarray(activity, dtype=np.float64), -2, 0)
    n = s.shape[-1]
    weights = circuit.inhibition * (np.ones((n, n)) - circuit.spared * np.eye(n))
    stages = {name: np.zeros_like(s) for name in ("v", "u_on", "u_off", "y", "D")}
    v, on, off, y, d = stages.values()
    if seen is not None and len(s):
        v[0] = seen
    for now in range(1, len(s)):
        before = now - 1
        apart = s[before] - v[before]
        v[now] = v[before] + apart / circuit.tau_v
        on[now] = on[before] + (np.maximum(apart, 0.0) - on[before]) / circuit.tau_u
        off[now] = off[before] + (np.maximum(-apart, 0.0) - off[before]) / circuit.tau_u
        y[now] = y[before] + (on[before] + off[before] - y[before]) / circuit.tau_y
        d[now] = np.maximum(d[before] + (y[before] - d[before] - d[before] @ weights) / circuit.tau_d, 0.0)
    return {name: np.moveaxis(stage, 0, -2) for name, stage in stages.items()}


def peak_after_step(circuit: Circuit) -> float:
    """Return the peak of D when the activity of one neuron steps from 0 to 1 and stays, the others being silent."""
    slowest = max(circuit.tau_u, circuit.tau_v, circuit.tau_y, circuit.tau_d)
    steps = int(np.ceil(_SETTLED * slowest)) + 4
    return float(run(np.ones((steps, 1)), circuit)["D"].max())
