"""Plots: one function for each noun or result. Each draws into Axes, returns them, and shows nothing."""

from nrsim.plot.channels import receptive_field as receptive_field
from nrsim.plot.channels import v1_bank as v1_bank
from nrsim.plot.curves import intensity_response as intensity_response
from nrsim.plot.curves import intensity_response_grid as intensity_response_grid
from nrsim.plot.curves import tuning_curves as tuning_curves
from nrsim.plot.domains import cross_domain as cross_domain
from nrsim.plot.effects import curve_overlay as curve_overlay
from nrsim.plot.effects import curve_overlay_grid as curve_overlay_grid
from nrsim.plot.effects import slopes as slopes
from nrsim.plot.energy import v1_response as v1_response
from nrsim.plot.faces_aligned import displacement as displacement
from nrsim.plot.faces_aligned import face_grid as face_grid
from nrsim.plot.matching import image_statistics as image_statistics
from nrsim.plot.overlays import landmarks as landmarks
from nrsim.plot.overlays import pools as pools
from nrsim.plot.overlays import v1_orientation as v1_orientation
from nrsim.plot.published import beside_published as beside_published
from nrsim.plot.readout import confusion as confusion
from nrsim.plot.readout import readout_over_time as readout_over_time
from nrsim.plot.spikes import population as population
from nrsim.plot.spikes import raster as raster
from nrsim.plot.stimuli import stimulus_sheet as stimulus_sheet
