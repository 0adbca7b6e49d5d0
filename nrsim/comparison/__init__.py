"""Comparison: models against neurons, curves against curves, heads against heads."""

from nrsim.comparison.aligned import aligned_features as aligned_features
from nrsim.comparison.curves import compare_curves as compare_curves
from nrsim.comparison.domains import cross_domain_accuracy as cross_domain_accuracy
from nrsim.comparison.norm_points import norm_landmarks as norm_landmarks
from nrsim.comparison.paired import compare_accuracy as compare_accuracy
