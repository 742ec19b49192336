"""Files as values of a model's attributes."""
