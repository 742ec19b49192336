"""The formats of images, each by its outer structure."""
