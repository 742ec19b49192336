"""Files that commit and roll back with their database rows."""
