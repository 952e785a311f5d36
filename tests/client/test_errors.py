"""Every shape of refusal becomes one line."""

import msgspec
import pytest

from fireside.client.errors import error_of_answer


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"code": "unauthenticated", "message": "no key"}', "no key"),
        (b'{"error": "Job not found"}', "Job not found"),
        (b'{"error": {"type": "no_prompt", "message": "No prompt", "details": "give one"}}', "No prompt; give one"),
        (b'{"message": "two\\nlines", "error": "two\\nlines"}', "two lines"),
        (b"<html>", "the server answered 418"),
        (b"", "the server answered 418"),
        (b"[]", "the server answered 418"),
        (b'{"error": {"message": 5}, "node_errors": [1]}', "the server answered 418"),
        (b"\xff\xfe", "the server answered 418"),
    ],
)
def test_a_refusal_is_one_line(body: bytes, message: str) -> None:
    error = error_of_answer(418, body)

    assert error.message == message
    assert error.status == 418


def test_the_code_is_kept() -> None:
    assert error_of_answer(404, b'{"code": "not_found", "message": "x"}').code == "not_found"
    assert error_of_answer(400, b'{"error": {"type": "no_prompt", "message": "x"}}').code == "no_prompt"


def test_what_is_wrong_with_each_node_is_said() -> None:
    error = {"type": "value_not_in_list", "message": "Value not in list", "details": "crop: 'x' not in ['a']"}
    body = {
        "error": {"type": "prompt_outputs_failed_validation", "message": "Prompt outputs failed validation"},
        "node_errors": {"3": {"errors": [error, "odd"], "class_type": "ImageScale"}},
    }

    message = error_of_answer(400, msgspec.json.encode(body)).message

    assert message.startswith(
        "Prompt outputs failed validation; node 3 (ImageScale): Value not in list: crop: 'x' not in ['a']"
    )
