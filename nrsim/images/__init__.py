"""Images: a user's own pictures, their landmarks, morphs, alignment, and low-level properties matched over a set."""

from nrsim.images.align import align as align
from nrsim.images.arrays import stimuli_from_arrays as stimuli_from_arrays
from nrsim.images.ferg import load_ferg as load_ferg
from nrsim.images.folder import load_folder as load_folder
from nrsim.images.landmarks import read_landmarks as read_landmarks
from nrsim.images.matching import match_images as match_images
from nrsim.images.measuring import measure_images as measure_images
from nrsim.images.morph import morph as morph
from nrsim.images.templates import write_tem as write_tem
