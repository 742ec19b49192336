"""What storages share that keep each file as one object in a bucket."""
