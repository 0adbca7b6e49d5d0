"""Gratings, the probes for V1: series of orientation, frequency, contrast and size, plaids, surrounds, drift."""

from nrsim.gratings.render import render_gratings as render_gratings
