"""Tuning: firing rates in a window, curves along a label, fits to them and slopes, each with its uncertainty."""

from nrsim.tuning.curves import tuning_curves as tuning_curves
from nrsim.tuning.fits import fit_intensity_response as fit_intensity_response
from nrsim.tuning.slopes import preferred_slopes as preferred_slopes
from nrsim.tuning.slopes import summarise_slopes as summarise_slopes
from nrsim.tuning.windows import window_rates as window_rates
