"""`GET /files/{token}`: a signed address gives bytes to whoever has it, for a while."""

from datetime import timedelta
from typing import Any

import pytest
from tests.server.v1.files.house import House

from fireside.blobs.signing import DownloadClaims, UploadClaims

CONTENT = b"\x89PNG\r\n\x1a\n" + bytes(range(92))


async def claims(house: House, content: bytes = CONTENT, **more: Any) -> DownloadClaims:
    await house.ada.upload(content, "a.bin")
    asset = await house.input_of(house.ada, "a.bin")
    assert asset is not None
    values: dict[str, Any] = {
        "filename": "a.png",
        "content_type": "image/png",
        "expires_at": house.services.clock() + timedelta(hours=1),
    }
    return DownloadClaims(hash=asset.hash, **(values | more))


def address(house: House, claims: DownloadClaims) -> str:
    return f"/files/{house.services.signer.sign(claims)}"


async def test_the_bytes_come_whole_and_may_be_kept_for_good(house: House) -> None:
    answer = await house.stranger.get(address(house, await claims(house)))

    assert (answer.status_code, answer.content) == (200, CONTENT)
    assert answer.headers["cache-control"] == "private, max-age=31536000, immutable"
    assert answer.headers["content-disposition"] == 'inline; filename="a.png"'
    assert "set-cookie" not in answer.headers


async def test_a_credential_that_is_not_known_does_no_harm(house: House) -> None:
    url = address(house, await claims(house))

    for headers in ({"X-API-Key": "nonsense"}, {"Authorization": "Bearer x"}, {"Cookie": "fireside_session=x"}):
        assert (await house.stranger.get(url, headers=headers)).status_code == 200


@pytest.mark.statement(139)
async def test_a_range_a_head_and_a_tag_are_answered(house: House) -> None:
    url = address(house, await claims(house))

    part = await house.stranger.get(url, headers={"Range": "bytes=4-7"})
    assert (part.status_code, part.content) == (206, CONTENT[4:8])
    assert part.headers["content-range"] == "bytes 4-7/100"
    outside = await house.stranger.get(url, headers={"Range": "bytes=100-"})
    assert (outside.status_code, outside.headers["content-range"]) == (416, "bytes */100")
    head = await house.stranger.head(url)
    assert (head.status_code, head.content, head.headers["content-length"]) == (200, b"", "100")
    known = await house.stranger.get(url, headers={"If-None-Match": head.headers["etag"]})
    assert (known.status_code, known.content) == (304, b"")


async def test_a_large_file_comes_as_it_was_sent(house: House) -> None:
    content = bytes(range(256)) * 12_000

    answer = await house.stranger.get(address(house, await claims(house, content)))

    assert answer.content == content


async def test_an_address_can_ask_for_saving(house: House) -> None:
    answer = await house.stranger.get(address(house, await claims(house, disposition="attachment")))

    assert answer.headers["content-disposition"] == 'attachment; filename="a.png"'


async def test_an_address_whose_time_is_over_is_refused(house: House) -> None:
    now = house.services.clock()

    for expires_at in (now, now - timedelta(days=1)):
        answer = await house.stranger.get(address(house, await claims(house, expires_at=expires_at)))
        assert answer.status_code == 401
        assert "expired" in answer.json()["message"]


async def test_an_address_lives_as_long_as_the_setting_says(house: House, picture: bytes) -> None:
    await house.ada.upload(picture, "a.png")
    before = house.services.clock()

    answer = await house.ada.program.get("/api/view", params={"filename": "a.png [input]"})

    token = answer.headers["location"].rpartition("/")[2]
    expires_at = house.services.signer.verify(token, before).expires_at
    span = timedelta(seconds=house.services.config.signed_url_seconds)
    assert before + span <= expires_at <= house.services.clock() + span


async def test_an_address_that_was_altered_is_refused(house: House) -> None:
    body, _, signature = address(house, await claims(house)).removeprefix("/files/").partition(".")
    other = address(house, await claims(house, filename="b.png")).removeprefix("/files/").partition(".")[0]

    for token in (
        f"{other}.{signature}",
        f"{body}.",
        body,
        f"{body}.{signature}=",
        f"{body}.{signature}.x",
        "x",
        "%00",
        "é",
    ):
        answer = await house.stranger.get(f"/files/{token}")
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated"), token


async def test_an_address_for_sending_gives_nothing(house: House) -> None:
    right = UploadClaims(
        user_id=house.ada.user.id,
        filename="a",
        content_type="image/png",
        limit_bytes=9,
        expires_at=house.services.clock() + timedelta(hours=1),
    )

    assert (await house.stranger.get(f"/files/{house.services.signer.sign(right)}")).status_code == 401


async def test_bytes_that_were_removed_are_not_found(house: House) -> None:
    wanted = await claims(house)
    await house.services.blobs.delete(wanted.hash)

    answer = await house.stranger.get(address(house, wanted))

    assert answer.status_code == 404


@pytest.mark.parametrize(
    "content_type", ["text/html", "image/svg+xml", "application/javascript", "x\r\nSet-Cookie: a=b"]
)
async def test_a_type_that_is_not_on_the_list_is_bytes_to_save(house: House, content_type: str) -> None:
    answer = await house.stranger.get(address(house, await claims(house, content_type=content_type)))

    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"].startswith("attachment;")
