"""What the local storage is made of."""
