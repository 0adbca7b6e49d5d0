"""Images: a user's own pictures."""

from nrsim.images.folder import load_folder as load_folder
