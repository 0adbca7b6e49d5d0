"""Recordings and measured curves: reading them, and choosing parts of them."""

from nrsim.recordings.cortex import published_v1 as published_v1
from nrsim.recordings.measured import published_curves as published_curves
from nrsim.recordings.measured import read_curves as read_curves
from nrsim.recordings.selection import select as select
