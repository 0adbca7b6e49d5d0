"""Faces: a face space of head shapes, identities and expressions, rendered with landmarks and labels."""

from nrsim.faces.courses import time_course as time_course
from nrsim.faces.domains import DOMAINS as DOMAINS
from nrsim.faces.expressions import EXPRESSIONS as EXPRESSIONS
from nrsim.faces.headfile import load_head as load_head
from nrsim.faces.identities import identity_axes as identity_axes
from nrsim.faces.identities import named_identities as named_identities
from nrsim.faces.identities import random_identities as random_identities
from nrsim.faces.landmarks import STETTLER as STETTLER
from nrsim.faces.render import render_faces as render_faces
from nrsim.faces.variants import render_expression_variants as render_expression_variants
