"""Cartoon faces: the 19 independent features of Freiwald, Tsao & Livingstone 2009, drawn as vector graphics."""

from nrsim.cartoons.features import CARTOON_FEATURES as CARTOON_FEATURES
from nrsim.cartoons.features import PARTS as PARTS
from nrsim.cartoons.render import render_cartoons as render_cartoons
from nrsim.cartoons.sets import cartoon_faces as cartoon_faces
