"""Objects in a bucket, on AWS or whatever speaks its protocol."""

from storage.objects.s3.settings import S3Settings
from storage.objects.s3.store import S3Store

__all__ = ["S3Settings", "S3Store"]
