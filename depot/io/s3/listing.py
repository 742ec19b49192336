"""What is in a bucket below a prefix: files, a page at a time, and uploads that never ended."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timezone

from ...errors import StorageFailure
from ..objects.keys import Keys
from .failures import S3Failure
from .multipart import abort, unfinished
from .requests import Requests


def listed(requests: Requests, keys: Keys, after: str | None) -> Iterator[str]:
    """The ids of all files, from the first one above ``after``; S3 lists keys in ascending order."""
    place = {'StartAfter': f'{keys.prefix}{after}'} if after else {}
    while True:
        page = requests('list_objects_v2', Prefix=keys.prefix, **place)
        for each in page.get('Contents', ()):
            file_id = keys.file_id(each['Key'])
            if file_id is not None and file_id > (after or ''):
                yield file_id
        if page.get('IsTruncated') is not True:  # anything, where boto3 is patched
            return
        place = {'ContinuationToken': page['NextContinuationToken']}


def abort_unfinished(requests: Requests, keys: Keys, before: datetime, dry_run: bool) -> list[str]:
    """Aborts the uploads of files that were begun before an instant; returns their names."""
    if before.tzinfo is None:
        before = before.replace(tzinfo=timezone.utc)
    names, failures = [], []
    for each in [*unfinished(requests, keys.prefix)]:
        if keys.file_id(each['Key']) is None or each['Initiated'] >= before:
            continue
        try:
            if not dry_run:
                abort(requests, each['Key'], each['UploadId'])
        except S3Failure as error:
            failures.append(error)
        else:
            names.append(f'{each["Key"]}?uploadId={each["UploadId"]}')
    if failures:
        message = f'{len(failures)} uploads could not be aborted; the first one: {failures[0]}'
        raise StorageFailure(message) from failures[0]
    return names
