"""``kill -9`` in the middle of an upload of each kind."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from depot.io.boto3 import S3Storage
from depot.io.local import LocalFileStorage

from ..io.wires import PART, SMALL, gcs_wire, gridfs_wire, s3_wire
from ..services.seaweedfs import SeaweedFS
from .uploads import Uploads, run_local, run_remote

KILLS = 10

Tell = Callable[[object], None]


def check(result: Uploads, tell: Tell, leaves: bool) -> None:
    tell(result)
    assert result.kills >= KILLS
    assert not result.visible
    assert not result.left
    assert bool(result.unfinished) == leaves, 'were they in the middle?'


def test_uploads_to_a_folder(tmp_path: Path, rounds: int, tell: Tell) -> None:
    check(run_local(tmp_path, 1_000_000, KILLS * rounds), tell, leaves=True)


def test_uploads_to_s3_by_one_request(seaweedfs: SeaweedFS, rounds: int, tell: Tell) -> None:
    with s3_wire(seaweedfs) as wire:
        check(run_remote(wire, 200_000, KILLS * rounds), tell, leaves=False)


def test_uploads_to_s3_in_parts(seaweedfs: SeaweedFS, rounds: int, tell: Tell) -> None:
    with s3_wire(seaweedfs) as wire:
        check(run_remote(wire, 2 * PART + SMALL, KILLS * rounds), tell, leaves=True)


def test_uploads_to_google_in_pieces(fakegcs: str, rounds: int, tell: Tell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr('depot.io.googlecloud.uploads.ONE_REQUEST', SMALL)
    with gcs_wire() as wire:
        check(run_remote(wire, wire.large, KILLS * rounds), tell, leaves=False)


def test_uploads_to_gridfs(mongo_url: str, rounds: int, tell: Tell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr('depot.io.mongodb.writing.BATCH', 1)
    with gridfs_wire(mongo_url) as wire:
        check(run_remote(wire, wire.large, KILLS * rounds), tell, leaves=True)


def test_the_harness_finds_a_folder_that_is_not_hidden(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr('depot.io.disk.places.Places.unfinished', lambda self, file_id: self.folder(file_id))
    monkeypatch.setattr('depot.io.local.has_metadata', lambda *_: True)
    assert run_local(tmp_path, 100_000, 3).visible


def test_the_harness_finds_a_clean_that_does_nothing(
    seaweedfs: SeaweedFS, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for storage in (LocalFileStorage, S3Storage):
        monkeypatch.setattr(storage, 'clean', lambda *_: ())
    assert run_local(tmp_path, 100_000, 3).left
    with s3_wire(seaweedfs) as wire:
        assert run_remote(wire, 2 * PART, 3).left
