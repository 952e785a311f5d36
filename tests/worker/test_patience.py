import httpx
import pytest

from fireside.worker.patience import ServerAway, patiently

REQUEST = httpx.Request("GET", "http://fireside.test/")


def answered(status: int) -> httpx.HTTPStatusError:
    return httpx.HTTPStatusError("no", request=REQUEST, response=httpx.Response(status, request=REQUEST))


class Server:
    """Answers with each of these, the last one for ever."""

    def __init__(self, *answers: Exception | str) -> None:
        self.answers = list(answers)
        self.asked = 0

    async def ask(self) -> str:
        self.asked += 1
        answer = self.answers[min(self.asked, len(self.answers)) - 1]
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.mark.parametrize("error", [httpx.ConnectError("gone"), answered(503), answered(500), answered(429)])
async def test_what_may_go_well_later_is_tried_again(error: Exception) -> None:
    server = Server(error, "done")
    assert await patiently(server.ask, patience_seconds=5) == "done"
    assert server.asked == 2


@pytest.mark.parametrize("status", [400, 401, 404, 413])
async def test_a_refusal_is_final(status: int) -> None:
    server = Server(answered(status), "done")
    with pytest.raises(httpx.HTTPStatusError):
        await patiently(server.ask, patience_seconds=5)
    assert server.asked == 1


async def test_a_signed_address_is_not_told() -> None:
    server = Server(answered(503))
    with pytest.raises(ServerAway, match="the server answered 503"):
        await patiently(server.ask, patience_seconds=0)


async def test_patience_ends() -> None:
    server = Server(httpx.ConnectError("gone"))
    with pytest.raises(ServerAway, match="gone"):
        await patiently(server.ask, patience_seconds=0.5)
    assert server.asked == 2
