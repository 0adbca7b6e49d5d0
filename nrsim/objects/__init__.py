"""Objects: things that are no faces, as rendered solids matched to a face in size, luminance and contrast."""

from nrsim.objects.render import NOVEL as NOVEL
from nrsim.objects.render import OBJECTS as OBJECTS
from nrsim.objects.render import render_objects as render_objects
