"""Recordings and measured curves: reading them, and choosing parts of them."""

from nrsim.recordings.measured import published_curves as published_curves
from nrsim.recordings.measured import read_curves as read_curves
from nrsim.recordings.selection import select as select
