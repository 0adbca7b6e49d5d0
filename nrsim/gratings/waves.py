"""Gratings as plain NumPy: waves, windows and what one stimulus consists of. No labels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

APERTURES = ("full", "disc", "gaussian")


def wave(
    x: np.ndarray, y: np.ndarray, frequency: float, orientation: float, phase: float, turned: float | np.ndarray = 0.0
) -> np.ndarray:
    """Return cos(2π f (x cos θ + y sin θ) + φ − 2π turned), in −1..1.

    ``x`` and ``y`` (up) in degrees of visual angle, ``frequency`` in cycles/degree, ``orientation`` and ``phase`` in
    degrees, ``turned`` the cycles it has drifted, which broadcasts in front of ``x`` and ``y``.
    """
    angle = np.deg2rad(orientation)
    along = 2 * np.pi * frequency * (x * np.cos(angle) + y * np.sin(angle)) + np.deg2rad(phase)
    return np.cos(along - 2 * np.pi * np.asarray(turned))


def window(radius: np.ndarray, aperture: str, diameter: float, edge: float) -> np.ndarray:
    """Return the aperture's weight, 0..1, at distances ``radius`` from its middle; ½ at half the ``diameter``.

    ``"disc"``: 1 inside, 0 outside, and between them half a period of a raised cosine, ``edge`` wide.
    ``"gaussian"``: exp(−4 ln 2 r²/diameter²). ``"full"``: 1 everywhere. All in degrees of visual angle.
    """
    if aperture == "full":
        return np.ones_like(radius)
    if aperture == "gaussian":
        return np.exp(-4 * np.log(2) * (radius / diameter) ** 2)
    if edge == 0:
        return (radius <= diameter / 2).astype(float)
    outwards = np.clip((radius - diameter / 2) / edge + 0.5, 0, 1)
    return 0.5 + 0.5 * np.cos(np.pi * outwards)


@dataclass(frozen=True)
class Grating:
    """One stimulus; what it has not is None. The names are those of the labels."""

    grating_orientation: float | None
    grating_frequency: float | None
    grating_phase: float | None
    grating_contrast: float
    grating_diameter: float | None
    grating_x: float | None
    grating_y: float | None
    mask_orientation: float | None
    mask_frequency: float | None
    mask_contrast: float
    surround_orientation: float | None
    surround_frequency: float | None
    surround_contrast: float
    temporal_frequency: float | None

    def name(self) -> str:
        """Return the stimulus_id: everything that this stimulus has."""
        if self.grating_phase is None:
            return "grating-blank"
        text = "grating"
        if self.grating_contrast:
            text += f"-or{self.grating_orientation:g}-sf{self.grating_frequency:g}"
        text += f"-ph{self.grating_phase:g}-c{self.grating_contrast:g}"
        if self.grating_diameter is not None:
            text += f"-d{self.grating_diameter:g}"
        if self.grating_x or self.grating_y:
            text += f"-x{self.grating_x:g}-y{self.grating_y:g}"
        for part in ("mask", "surround"):
            if contrast := getattr(self, f"{part}_contrast"):
                orientation, frequency = getattr(self, f"{part}_orientation"), getattr(self, f"{part}_frequency")
                text += f"-{part}-or{orientation:g}-sf{frequency:g}-c{contrast:g}"
        return text if self.temporal_frequency is None else f"{text}-tf{self.temporal_frequency:g}"


def draw(
    row: Grating,
    place: np.ndarray,
    times: np.ndarray | None,
    aperture: str,
    edge: float,
    gap: float,
    outer: float | None,
    luminance: float,
) -> np.ndarray:
    """Return one picture ``(y, x)`` or ``(frame, y, x)``, luminance 0..1."""
    x, y = place[None] - (row.grating_x or 0.0), place[::-1][:, None] - (row.grating_y or 0.0)
    radius = np.hypot(x, y)
    shape = radius.shape if times is None else (len(times), *radius.shape)
    turned = 0.0 if times is None else (times * (row.temporal_frequency or 0.0))[:, None, None]
    signal = np.zeros(shape)
    inner = window(radius, aperture, row.grating_diameter or 1.0, edge)
    for part, weight in (("grating", inner), ("mask", inner), ("surround", None)):
        contrast = getattr(row, f"{part}_contrast")
        if not contrast:
            continue
        if weight is None:  # the annulus
            weight = 1 - window(radius, "disc", (row.grating_diameter or 0.0) + 2 * gap, edge)
            weight = weight * (1.0 if outer is None else window(radius, "disc", outer, edge))
        orientation, frequency = getattr(row, f"{part}_orientation"), getattr(row, f"{part}_frequency")
        signal += contrast * weight * wave(x, y, frequency, orientation, row.grating_phase or 0.0, turned)
    return np.clip(luminance * (1 + signal), 0, 1)
