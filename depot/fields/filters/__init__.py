"""What a column can do to the files that it is given."""
