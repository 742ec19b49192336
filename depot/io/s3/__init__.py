"""What the S3 storage is made of: options, requests, the bucket, uploads, reading, deleting, URLs."""
