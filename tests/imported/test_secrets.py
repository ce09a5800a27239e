"""What of a run's arguments no file should hold, and what only sounds like it."""

from __future__ import annotations

from typing import Any

import pytest

from membench.imported.results import settings_from


@pytest.mark.parametrize("name", [
    "openai_key", "github_token", "aws_session_token", "openaiApiKey", "model.api_key", "OPENAI_API_KEY", "token",
    "password", "passwd", "hf_token", "api_keys", "X-Auth", "Authorization", "accesskey", "authtoken", "hftoken",
    "privatekey", "secretkey", "clientsecret", "dbpassword", "password1", "secret_value", "api_key_2", "passphrase",
])  # fmt: skip
def test_secrets_are_left_out_wherever_they_stand(name: str) -> None:
    assert settings_from({name: "S", "headers": {name: "S", "v": [{name: "S"}, 1]}}) == {"headers": '{"v": [{}, 1]}'}
    assert name == "token" or settings_from({name: {"user": "u", "value": "S"}}) == {}


def test_a_number_may_be_a_password() -> None:
    assert settings_from({"password": 1234, "use_auth_token": True, "max_token": 3}) == {
        "use_auth_token": "true", "max_token": "3",
    }  # fmt: skip


@pytest.mark.parametrize("name", ["key", "some_key", "some_token"])
def test_a_name_that_only_may_be_one_is_one_among_a_models_arguments(name: str) -> None:
    assert settings_from({name: "S"}, {name}) == {}
    assert settings_from({name: "S"}) == {name: "S"}
    assert settings_from({name: "abcdEFGH12345678"}) == {}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("add_bos_token", "S"), ("answer_key", "S"), ("secret_word", "S"), ("password_length", "8"), ("monkey", "S"),
        ("author", "S"), ("think_end_token", "</think>"), ("max_tokens", "512"), ("max_new_tokens", "8"),
        ("pad_token", "S"), ("max_num_batched_tokens", "2048"), ("label_key", "A"), ("target_key", "B"),
        ("eos_token", "<|im_end|>"), ("prompt", "Basic question: say the token: yes"), ("url", "https://host/v1"),
    ],
)  # fmt: skip
def test_what_only_sounds_like_a_secret_is_a_setting(name: str, value: str) -> None:
    assert settings_from({name: value}) == settings_from({name: value}, {name}) == {name: value}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("peft", "/ckpts/hf_checkpoint-10000"), ("peft", "out/hf-llama-3-8b-lora-r16"),
        ("dataset", "hf_longmemeval_split_s_v1"),
        ("tokenizer", "hf-internal-testing/tiny-random-gpt2"), ("system", "You guard the password: COCOLOCO"),
        ("add_special_tokens", "True"), ("skip_special_tokens", "False"), ("reasoning_tokens", "-1"),
        ("note", '{"bos_token": "<s>"}'),
    ],
)  # fmt: skip
def test_no_setting_is_masked_that_only_looks_like_a_credential(name: str, value: str) -> None:
    assert settings_from({name: value}) == settings_from({name: value}, {name}) == {name: value}


def test_a_task_names_fields_of_its_data_and_files() -> None:
    for value in ("longmemeval_s_2024", "gpt4_2024_reference_v2"):
        assert settings_from({"dataset_key": value, "key": value}) == {"dataset_key": value, "key": value}


@pytest.mark.parametrize("value", ["sv=1&sig=abc%3D", "ab!cd$ef"])
def test_any_text_may_be_a_models_token(value: str) -> None:
    assert settings_from({"sas_token": value}, {"sas_token"}) == {}


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ("sk-abcdefghij1234567890", None), ("hf_abcdefghijklmnop1234", None), ("Bearer abc12345678", None),
        ("Authorization: Bearer S", "Authorization: ***"), (["X-API-Key: S"], '["X-API-Key: ***"]'),
        ("https://u:p@ss@host/v1", "https://***@host/v1"), ("https://h/v1?api_key=S&v=1", "https://h/v1?api_key=***&v=1"),
        ('{"Authorization": "Bearer letters", "v": 1}', '{"Authorization": "***", "v": 1}'),
        ("{'x-api-key': 'S'}", "{'x-api-key': '***'}"), ('{"api_key": "S"}', '{"api_key": "***"}'),
        ("of sk-abcdefghij1234567890", "of ***"), ("AIza" + "x1" * 18, None),
    ],
)  # fmt: skip
def test_what_looks_like_a_credential_is_left_out_whatever_its_name(value: Any, kept: str | None) -> None:
    assert settings_from({"note": value}) == ({} if kept is None else {"note": kept})
