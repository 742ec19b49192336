"""What :class:`~depot.io.gridfs.GridFSStorage` is made of."""
