"""What is in a bucket below a prefix: files, a page at a time, derived ones, and uploads that never ended."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timezone

from ...errors import StorageFailure
from ..objects.derived import Listed
from ..objects.keys import Keys
from .failures import FORBIDDEN, S3Failure
from .multipart import abort, unfinished
from .requests import Requests


def listed(requests: Requests, keys: Keys, after: str | None) -> Iterator[str]:
    """The ids of all files, from the first one above ``after``; S3 lists keys in ascending order."""
    place = {'StartAfter': f'{keys.prefix}{after}'} if after else {}
    while True:
        # What is derived, and what other tools keep in folders, is passed over by the server.
        page = requests('list_objects_v2', Prefix=keys.prefix, Delimiter='/', **place)
        for each in page.get('Contents', ()):
            file_id = keys.file_id(each['Key'])
            if file_id is not None and file_id > (after or ''):
                yield file_id
        if page.get('IsTruncated') is not True:  # anything, where boto3 is patched
            return
        place = {'ContinuationToken': page['NextContinuationToken']}


def listed_page(requests: Requests, prefix: str, after: str, size: int) -> tuple[list[Listed], bool]:
    """One page of keys with a prefix, above a key; and whether it is the last."""
    place = {'StartAfter': after} if after else {}
    try:
        page = requests('list_objects_v2', Prefix=prefix, MaxKeys=size, **place)
    except S3Failure as error:
        if error.code in FORBIDDEN:  # who may not list can derive nothing, but shall be able to delete
            return [], True
        raise
    found = [Listed(each['Key'], each.get('ETag', ''), each['LastModified']) for each in page.get('Contents', ())]
    return found, page.get('IsTruncated') is not True or not found


def abort_unfinished(requests: Requests, keys: Keys, before: datetime, dry_run: bool) -> list[str]:
    """Aborts the uploads of files, derived ones too, that were begun before an instant; returns their names."""
    if before.tzinfo is None:
        before = before.replace(tzinfo=timezone.utc)
    names, failures = [], []
    for each in [*unfinished(requests, keys.prefix)]:
        is_ours = keys.file_id(each['Key']) or keys.derived_key(each['Key'])
        if not is_ours or each['Initiated'] >= before:
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
