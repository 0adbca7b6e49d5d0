"""The Gabor channel: its envelope from two bandwidths, its transfer function and its receptive field. Plain NumPy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

HALF = np.log(2) / (2 * np.pi**2)  # (σ Δf)² of a Gaussian transfer function at half its height


def across_from_bandwidth(bandwidth: float) -> float:
    """Return σ·f across the bars for a bandwidth in octaves, full width at half height of the amplitude.

    σ f = √(ln 2 / 2) / π · (2^b + 1) / (2^b − 1).
    """
    ratio = 2.0**bandwidth
    return float(np.sqrt(HALF) * (ratio + 1) / (ratio - 1))


def along_from_orientation(across: float, orientation_bandwidth: float) -> float:
    """Return σ·f along the bars for an orientation bandwidth in degrees, full width at half height of the amplitude.

    A grating of the preferred frequency turned by δ = bandwidth / 2 gives half the amplitude:
    (across (1 − cos δ))² + (along sin δ)² = ln 2 / 2π².  NaN where even a receptive field of no length is narrower.
    """
    delta = np.deg2rad(orientation_bandwidth / 2)
    rest = HALF - (across * (1 - np.cos(delta))) ** 2
    return float(np.sqrt(rest) / np.sin(delta)) if rest > 0 else float("nan")


def bandwidth_from_across(across: float) -> float:
    """Return the bandwidth in octaves, the inverse of :func:`across_from_bandwidth`; NaN if the channel is low-pass."""
    half = np.sqrt(HALF) / across
    return float(np.log2((1 + half) / (1 - half))) if half < 1 else float("nan")


def orientation_from_along(across: float, along: float) -> float:
    """Return the orientation bandwidth in degrees; NaN if no orientation gives half the response."""
    # along² (1 − c²) + across² (1 − c)² = HALF, in c = cos δ
    a, b, c = across**2 - along**2, -2 * across**2, across**2 + along**2 - HALF
    roots = np.roots([a, b, c]) if abs(a) > 1e-12 else np.array([-c / b])
    real = [float(r.real) for r in roots if abs(r.imag) < 1e-12 and 0 <= r.real < 1]
    return float(2 * np.degrees(np.arccos(max(real)))) if real else float("nan")


def widest_orientation(across: float) -> float:
    """Return the orientation bandwidth, degree, that an envelope of no length would have: none is broader."""
    gap = np.sqrt(HALF) / across
    return float(2 * np.degrees(np.arccos(1 - gap))) if gap < 1 else 180.0


@dataclass(frozen=True)
class Gabor:
    """One channel, in the picture's own unit of length (pixels) and cycles per that unit.

    The complex kernel is g(r) = envelope(r) · (exp(2πi f p) − leak), p being the coordinate across the bars and leak
    the constant that takes away the mean, so that uniform luminance gives nothing. Its even (real) and odd (imaginary)
    part are each scaled to answer a full-contrast grating about luminance ½ at f with amplitude 1.
    """

    frequency: float
    orientation: float
    across: float
    along: float

    @property
    def leak(self) -> float:
        """The share of the envelope that is taken away, exp(−2π²σ²f²)."""
        return float(np.exp(-2 * (np.pi * self.across * self.frequency) ** 2))

    @property
    def gains(self) -> tuple[float, float]:
        """Factors of the even and the odd part."""
        leak = self.leak
        back = leak**4  # the envelope's transfer function at −f
        return 4 / (1 + back - 2 * leak**2), 4 / (1 - back)

    def spread(self, axis: int) -> float:
        """Return the standard deviation of the transfer function's projection on an axis (0 = y), cycles/px."""
        c, s = np.cos(np.deg2rad(self.orientation)), np.sin(np.deg2rad(self.orientation))
        across, along = (s, c) if axis == 0 else (c, s)
        return float(np.hypot(across / self.across, along / self.along) / (2 * np.pi))

    def reach(self, axis: int, small: float) -> float:
        """Return the frequency along an axis (0 = y) beyond which |H| is below ``small`` of its largest, cycles/px."""
        turn = np.deg2rad(self.orientation)
        centre = self.frequency * abs(np.sin(turn) if axis == 0 else np.cos(turn))
        return float(centre + np.sqrt(-2 * np.log(small)) * self.spread(axis))

    def parts(self, v: np.ndarray, u: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the transfer functions (even, odd) at ``v`` (cycles/px up) and ``u`` (to the right), broadcast.

        The response to exp(2πi(ux + vy)) is even + i·odd, both real; even is symmetric about 0 and odd antisymmetric.
        """
        angle = np.deg2rad(self.orientation)
        p = u * np.cos(angle) + v * np.sin(angle)
        q = v * np.cos(angle) - u * np.sin(angle)
        spread = 2 * np.pi**2
        wide = np.exp(-spread * (self.along * q) ** 2)
        ahead = np.exp(-spread * (self.across * (p - self.frequency)) ** 2)
        back = np.exp(-spread * (self.across * (p + self.frequency)) ** 2)
        centre = self.leak * np.exp(-spread * (self.across * p) ** 2)
        even, odd = self.gains
        return even * wide * ((ahead + back) / 2 - centre), odd * wide * (ahead - back) / 2

    def transfer(self, v: np.ndarray, u: np.ndarray) -> np.ndarray:
        """Return the transfer function of even + i·odd at frequencies ``v`` (up) and ``u`` (right), real."""
        even, odd = self.parts(v, u)
        return even + odd

    def receptive_field(self, y: np.ndarray, x: np.ndarray, phase: float) -> np.ndarray:
        """Return the weights of a picture's pixels at ``y`` (up) and ``x`` (right) of the centre, broadcast.

        The response is the sum of weight times luminance: cos(phase)·even + sin(phase)·odd.
        """
        angle, turn = np.deg2rad(self.orientation), np.deg2rad(phase)
        p = x * np.cos(angle) + y * np.sin(angle)
        q = y * np.cos(angle) - x * np.sin(angle)
        gauss = np.exp(-(p**2) / (2 * self.across**2) - q**2 / (2 * self.along**2))
        gauss /= 2 * np.pi * self.across * self.along
        wave = 2 * np.pi * self.frequency * p
        even, odd = self.gains
        return gauss * (np.cos(turn) * even * (np.cos(wave) - self.leak) - np.sin(turn) * odd * np.sin(wave))


Channels = tuple[tuple[Gabor, ...], ...]  # channels[frequency][orientation]
