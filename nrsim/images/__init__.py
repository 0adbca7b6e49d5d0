"""Images: a user's own pictures, and low-level properties matched over a set."""

from nrsim.images.folder import load_folder as load_folder
from nrsim.images.matching import match_images as match_images
from nrsim.images.measuring import measure_images as measure_images
