"""Names that a caller may not send, in every spelling; and words that only look like them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.forbidden import is_credential, is_prewired, is_provider_controlled, named_fields

CONTRACT = [
    "apikey", "authorization", "authtoken", "accesstoken", "bearertoken", "dashscopeapikey", "secret", "secretkey",
    "accesskeyid", "accesskeysecret", "token", "xapikey", "xkey",
]  # fmt: skip


@pytest.mark.parametrize("name", CONTRACT)
def test_a_credential_of_the_contract_is_one_in_every_spelling(name: str) -> None:
    for spelled in (name, name.upper(), "-".join(name), f"{name[:2]}_{name[2:]}", f" {name} ", f"{name[0]}.{name[1:]}"):
        assert is_credential(spelled), spelled


@pytest.mark.parametrize(
    "name",
    [
        "x-api-key", "API_KEY", "myApiKey", "bfl_api_key", "aws-secret-key", "alibabaAccessKeySecret",
        "X-BabyChain-Provider-Key", "xbabychainproviderbfl", "password", "db_password", "client_secret",
        "clientSecret", "refresh_token", "private-key", "Set-Cookie", "webhook_secret", "Bearer", "idToken",
    ],
)  # fmt: skip
def test_other_names_of_credentials_are_ones_too(name: str) -> None:
    assert is_credential(name)


@pytest.mark.parametrize(
    "name",
    [
        "prompt",
        "seed",
        "tokens",
        "max_tokens",
        "secrets",
        "key",
        "keys",
        "steps",
        "guidance",
        "model",
        "content",
        "author",
    ],
)
def test_names_that_only_resemble_a_credential_pass(name: str) -> None:
    assert not is_credential(name)


@pytest.mark.parametrize(
    "name", ["model", "callback_url", "callbackUrl", "generation_model", "GENERATION-CALLBACK-URL"]
)
def test_fields_of_the_server_are_known_in_every_spelling(name: str) -> None:
    assert is_provider_controlled(name)


@pytest.mark.parametrize(
    "name",
    [
        "generation_input_file", "generation_input_file_last_content", "image", "images", "image_url", "image_prompt",
        "input_image", "input_image_2", "input_image_17", "input_images", "input_image_blob_path", "media",
        "character", "promptImage", "referenceImages", "fileData", "inlineData", "video_url", "videoUri", "contents",
        "instances",
    ],
)  # fmt: skip
def test_every_field_that_would_wire_a_picture_is_known(name: str) -> None:
    assert is_prewired(name)


@pytest.mark.parametrize("name", ["content", "text", "role", "image_size", "input_image_", "Image"])
def test_fields_beside_them_are_free(name: str) -> None:
    assert not is_prewired(name)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=20,
)


@given(_JSON)
def test_every_field_at_any_depth_is_found_at_its_path(value: object) -> None:
    for path, name, child in named_fields(value):
        assert path[-1] == name
        found = value
        for part in path:
            found = found[part]  # type: ignore[index]
        assert found is child


def test_a_hundred_thousand_levels_are_walked() -> None:
    value: object = 1
    for _ in range(100_000):
        value = {"a": value}
    count = 0
    for count, (path, _, _) in enumerate(named_fields(value), start=1):  # noqa: B007  # the count is what is asked
        if count == 300:
            break
    assert len(path) == 300
