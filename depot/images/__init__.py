"""Renditions of images: made on demand by a recipe, kept under their original."""
