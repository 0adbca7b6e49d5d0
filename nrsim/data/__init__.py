"""Small data files with their provenance: the head, published curves."""
