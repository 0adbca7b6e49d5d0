"""Tuning: firing rates in a window, curves along a label, fits and slopes, and what gratings are used to measure."""

from nrsim.tuning.curves import tuning_curves as tuning_curves
from nrsim.tuning.fits import fit_intensity_response as fit_intensity_response
from nrsim.tuning.gratings import harmonics as harmonics
from nrsim.tuning.gratings import measure_tuning as measure_tuning
from nrsim.tuning.slopes import preferred_slopes as preferred_slopes
from nrsim.tuning.slopes import summarise_slopes as summarise_slopes
from nrsim.tuning.windows import window_rates as window_rates
