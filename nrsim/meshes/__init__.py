"""Meshes: surfaces, a camera and a z-buffer renderer, in plain NumPy; what every drawn stimulus is made with."""
