"""Faces: a head with graded expressions in several head shapes, rendered with landmarks and labels."""

from nrsim.faces.domains import DOMAINS as DOMAINS
from nrsim.faces.expressions import EXPRESSIONS as EXPRESSIONS
from nrsim.faces.head import load_head as load_head
from nrsim.faces.landmarks import STETTLER as STETTLER
from nrsim.faces.render import render_faces as render_faces
