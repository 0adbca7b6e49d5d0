"""V1: a bank of Gabor channels turns pictures into energy."""

from nrsim.v1.bank import V1Bank as V1Bank
from nrsim.v1.noise import ResponseNoise as ResponseNoise
from nrsim.v1.temporal import TemporalFilters as TemporalFilters
