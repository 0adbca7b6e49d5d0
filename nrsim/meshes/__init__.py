"""Meshes: surfaces, a camera and a z-buffer renderer (NumPy, or Numba); what every drawn stimulus is made with."""
