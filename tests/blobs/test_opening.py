"""Which URLs name a place for blobs, and what is said of those that do not."""

from pathlib import Path

import pytest

from fireside.blobs.local import LocalBlobs
from fireside.blobs.objects import ObjectBlobs
from fireside.blobs.opening import open_blobs
from fireside.config import Config, ConfigError


def test_without_a_url_they_are_in_the_data_folder(tmp_path: Path) -> None:
    assert isinstance(open_blobs(Config(), tmp_path), LocalBlobs)
    assert (tmp_path / "blobs").is_dir()


def test_a_file_url_names_a_folder(tmp_path: Path) -> None:
    shared = tmp_path / "shared files"
    url = shared.as_uri()

    assert isinstance(open_blobs(Config(blobs_url=url), tmp_path), LocalBlobs)
    assert (shared / "unfinished").is_dir()


@pytest.mark.parametrize("url", ["s3://bucket/some/prefix", "gs://bucket", "az://container/prefix"])
def test_a_bucket_is_opened_without_asking_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_NAME", "account")

    assert isinstance(open_blobs(Config(blobs_url=url), tmp_path), ObjectBlobs)


@pytest.mark.parametrize(
    ("url", "endpoint", "words"),
    [
        ("bucket", "", "names no place; it looks like s3://BUCKET/PREFIX"),
        ("s3:///prefix", "", "names no place"),
        ("ftp://host/folder", "", "names no place"),
        ("file://folder", "", "three slashes"),
        ("az://container", "", "Account must be specified"),
        ("", "http://minio:9000", "of no use without a blobs_url"),
        ("s3://bucket", "minio:9000", "no http:// or https:// URL"),
        ("gs://bucket", "http://minio:9000", "use s3:// with its endpoint"),
    ],
)
def test_what_names_no_place_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str, endpoint: str, words: str
) -> None:
    monkeypatch.delenv("AZURE_STORAGE_ACCOUNT_NAME", raising=False)

    with pytest.raises(ConfigError, match=words):
        open_blobs(Config(blobs_url=url, blobs_endpoint=endpoint), tmp_path)


@pytest.mark.parametrize(
    ("url", "endpoint", "words"),
    [
        ("", "http://files:9000", "of no use without a blobs_url"),
        ("gs://bucket", "http://files:9000", "signed for s3:// alone"),
        ("s3://bucket", "files:9000", "no http:// or https:// URL"),
        ("s3://bucket", "http://files:9000/s3", "of a host alone"),
        ("s3://bucket", "https://fireside.example.org:443", "another host or port than public_url"),
    ],
)
def test_where_people_cannot_be_sent_to_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str, endpoint: str, words: str
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "id")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    config = Config(blobs_url=url, blobs_public_endpoint=endpoint, public_url="https://fireside.example.org")

    with pytest.raises(ConfigError, match=words):
        open_blobs(config, tmp_path)


def test_without_a_key_in_the_environment_nobody_is_sent_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID", raising=False)
    assert open_blobs(Config(blobs_url="s3://bucket"), tmp_path).direct is None

    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "id")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    assert open_blobs(Config(blobs_url="s3://bucket"), tmp_path).direct is not None
    assert open_blobs(Config(blobs_url="s3://bucket", blobs_direct=False), tmp_path).direct is None
