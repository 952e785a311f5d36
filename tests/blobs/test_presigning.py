"""The signature in the query, against the example of AWS's own documentation, and what it is made from."""

from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

from fireside.blobs.presigning import AccessKey, Presigner

KEY = AccessKey(id="AKIAIOSFODNN7EXAMPLE", secret="wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
HOST = "https://examplebucket.s3.amazonaws.com"
NOON = datetime(2013, 5, 24, tzinfo=UTC)


def presigner(**more: str) -> Presigner:
    return Presigner(**{"key": KEY, "region": "us-east-1", "address": HOST, "bucket": "examplebucket"} | more)  # pyright: ignore[reportArgumentType] - of the right kinds


def test_the_example_of_the_documentation_has_its_signature() -> None:
    url = presigner().sign("GET", "test.txt", NOON, 86400)

    assert url == (
        "https://examplebucket.s3.amazonaws.com/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256"
        "&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"
        "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
        "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
    )


def test_a_bucket_is_learned_from_an_address_that_somebody_else_signed() -> None:
    other = presigner(address="http://minio:9000/box", prefix="pre fix", region="eu-central-1").sign(
        "GET", "0", NOON, 9
    )

    learned = Presigner.like(other, KEY, "box", "pre fix", "0")

    assert (learned.address, learned.region) == ("http://minio:9000/box", "eu-central-1")
    assert learned.sign("GET", "0", NOON, 9) == other
    assert learned.source("a/b c") == "/box/pre%20fix/a/b%20c"


def test_at_another_address_the_place_is_the_same() -> None:
    here = presigner(address="http://minio:9000/box", prefix="files")

    assert (
        here.at("https://files.example.org/")
        .sign("GET", "a", NOON, 60)
        .startswith("https://files.example.org/box/files/a?")
    )


def test_no_link_lasts_longer_than_the_store_signs() -> None:
    query = parse_qs(urlsplit(presigner().sign("GET", "a", NOON, 10**9)).query)

    assert query["X-Amz-Expires"] == ["604800"]


def test_a_key_for_a_while_says_so_and_no_secret_is_shown() -> None:
    key = AccessKey(id="ASIA", secret="secret", token="session token")

    assert "X-Amz-Security-Token=session%20token" in Presigner(
        key=key, region="r", address="http://h", bucket="b"
    ).sign("GET", "a", NOON, 60)
    assert "secret" not in repr(key)
    assert "session" not in repr(key)
