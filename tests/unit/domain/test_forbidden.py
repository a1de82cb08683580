"""Names that a caller may not send, in every spelling; and words that only look like them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

import providers
from domain.chains import ChainTemplate
from domain.forbidden import (
    given_away,
    is_credential,
    is_prewired,
    is_provider_controlled,
    looks_like_a_key,
    named_fields,
)
from domain.planning import input_fields
from domain.provider import ModelCard
from domain.request_schemas import body_schema
from tests.support.orders import catalogue
from workflows.templates import load_templates

CATALOGUE = catalogue()
TEMPLATES = [workflow.template for workflow in load_templates().values()]

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
        "x-auth-token", "Proxy-Authorization", "github_access_token", "AWS_SECRET_ACCESS_KEY", "aws.access.key.id",
        "user password", "PassWord", "oauth2_refresh_token", "api_keys", "tokens", "Passwords", "secrets", "app_secret",
        "my_secret", "shared_secret", "github_token", "bot_token", "security_token", "signing_key", "privateKeyPem",
        "api_key_1", "apiKey2", "API-KEYS", "access_keys", "X-Amz-Security-Token", "google_application_credentials",
        "password_confirmation", "db_pwd", "Ocp-Apim-Subscription-Key", "ａｐｉ＿ｋｅｙ", "jwts", "access_tokens_2",
    ],
)  # fmt: skip
def test_other_names_of_credentials_are_ones_too(name: str) -> None:
    assert is_credential(name)


@pytest.mark.parametrize(
    "name",
    [
        "prompt", "seed", "max_tokens", "maxTokens", "max_output_tokens", "token_count", "total_tokens", "tokenizer",
        "key", "keys", "steps", "guidance", "model", "content", "author", "authors", "object_key", "sort_key",
        "idempotency_key", "secretary", "order", "class", "s", "",
    ],
)  # fmt: skip
def test_names_that_only_resemble_a_credential_pass(name: str) -> None:
    assert not is_credential(name)


@pytest.mark.parametrize(
    "card", [card for module in providers.every_module() for card in module.MODELS.values()], ids=lambda card: card.id
)
def test_no_parameter_of_any_model_is_taken_for_a_credential(card: ModelCard) -> None:
    declared = [
        path[-1] for path, _, _ in named_fields(card.params.model_json_schema()) if path[-2:-1] == ("properties",)
    ]
    assert declared
    assert [name for name in declared if is_credential(str(name))] == []


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda template: template.slug)
def test_no_field_of_any_body_is_taken_for_a_credential(template: ChainTemplate) -> None:
    fields = input_fields(template) | set(body_schema(template, CATALOGUE)["properties"])
    assert [name for name in fields if is_credential(name)] == []


MORE = "0123456789abcdefghijABCDEFGHIJ"
"""What follows the beginning of a key: put together here, so that no scanner takes this file for a leak."""


@pytest.mark.parametrize(
    "text",
    [
        "sk" + f"-{MORE}", "sk" + f"-ant-api03-{MORE}", "sk" + f"_live_{MORE}", "AK" + "IAIOSFODNN7EXAMPLE",
        "AI" + f"za{MORE}abcde", "gh" + f"p_{MORE}abcdef", "hf" + f"_{MORE}", "xo" + f"xb-{MORE}", "wh" + f"sec_{MORE}",
        "bc" + f"hn_{MORE}", "ey" + f"J{MORE}." + "ey" + f"J{MORE}.{MORE}", "-----BEGIN " + "PRIVATE KEY-----\nMIIE",
        "-----BEGIN RSA " + "PRIVATE KEY-----", f"Bearer {MORE}", f"  bearer {MORE} ", f"Authorization: Bearer {MORE}",
        f"Basic {MORE}==", "a cat that holds " + "sk" + f"-{MORE} in its paws", "gl" + f"pat-{MORE}",
        "np" + f"m_{MORE}", "py" + f"pi-{MORE}", "S" + f"G.{MORE}.{MORE}", "ya" + f"29.{MORE}",
        f"say Authorization: Bearer {MORE} to the door", f"curl -H 'x-api-key: {MORE}' and draw a boat",
        f'{{"Authorization": "Bearer {MORE}"}}', f"X-Goog-Api-Key={MORE}", f"authorization:{MORE}",
        "https://a.example/b.png and " + "sk" + f"-{MORE}",
    ],
)  # fmt: skip
def test_a_text_with_the_shape_of_a_key_is_one(text: str) -> None:
    assert looks_like_a_key(text)
    assert looks_like_a_key(["a cat", [text]])


@pytest.mark.parametrize(
    "text",
    [
        "", "a cat", "an API key on a red cushion, secret token, password: none", "Bearer of good news",
        "bearer internationalization", "sk-8 skateboards", "the task-force-2026-skating-championship-poster",
        "eyJ", "a private key for a small garden gate", "basic instructions for folding a boat",
        "https://bucket.s3.amazonaws.com/a.png?X-Amz-Credential=" + "AK" + "IAIOSFODNN7EXAMPLE",
        "https://x.supabase.co/object/sign/a.png?token=" + "ey" + f"J{MORE}." + "ey" + f"J{MORE}.{MORE}",
        "data:image/png;base64,AKIA0123456789ABCDEF", "0f6a2f0e-4a35-4d0f-8a54-5f9d8a6f1c01", "0" * 64 + ".jpg",
        "bfl/flux-2-pro", "1:1", 7, None, True, {"text": "sk" + f"-{MORE}"}, "Authorization: Bearer model",
        "authorization: the king's, api-key: none", "npm_and_pypi-packages as boats", "SG.1.2", "glpat-boat",
        "max-key: 1234567890123456",
        f"https://a.example/b.png?x-api-key={MORE}",
    ],
)  # fmt: skip
def test_a_text_that_only_speaks_of_keys_passes(text: object) -> None:
    assert not looks_like_a_key(text)


@pytest.mark.parametrize(
    "piece", ["!", "!sk-", "!a.", " eyJ", "api-key:", "authorization: bearer ", "SG.", "-----BEGIN "]
)
def test_a_megabyte_that_only_begins_like_a_key_is_read_in_one_go(piece: str) -> None:
    assert not looks_like_a_key(piece * (1_000_000 // len(piece)))


def test_what_is_given_away_is_told_with_its_place_and_without_its_value() -> None:
    secret = "sk" + f"-{MORE}"
    told = dict(given_away({"a": [{"Tokens": secret}], "b": ["x", secret], secret: 1, "c": "a token"}))
    assert set(told) == {("a", 0, "Tokens"), ("b",), (secret,)}
    assert not any(secret in message for message in told.values())


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
