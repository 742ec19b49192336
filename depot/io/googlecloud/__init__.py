"""What the storage in Google Cloud Storage is made of; only it and this room know Google's packages."""
