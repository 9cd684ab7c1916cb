"""Settings: from the environment, else the file, else the default; each wrong one gets a sentence."""

import os
from pathlib import Path

import pytest
from pydantic import SecretStr

from domain.errors import UserError
from engine.settings import Settings, list_settings, load_settings, settings_file


@pytest.fixture(autouse=True)
def _clean(monkeypatch, tmp_path):
    """No setting of whoever runs the tests, and a current folder of our own."""
    for name in [name for name in os.environ if name.startswith("NAVETTE_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def write(text: str, path: str = ".navette/settings.toml") -> Path:
    file = Path(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return file


def test_without_anything_the_defaults_hold():
    settings = load_settings()
    assert settings.data_folder == Path(".navette")
    assert settings.database_address == f"sqlite:///{Path.cwd() / '.navette' / 'navette.db'}"
    assert settings.key_file == Path(".navette/secret.key")
    assert settings.redis_url == ""
    assert (settings.lease_seconds, settings.sweep_seconds) == (30, 10)
    assert settings.allow_private_addresses is False


def test_the_file_stands_above_the_default_and_the_environment_above_the_file(monkeypatch):
    write("worker_threads = 3\nlog_level = 'debug'\n")
    monkeypatch.setenv("NAVETTE_WORKER_THREADS", "5")
    settings = load_settings()
    assert (settings.worker_threads, settings.log_level) == (5, "debug")
    origins = {setting.name: (setting.value, setting.origin) for setting in list_settings(settings)}
    assert origins["worker_threads"] == ("5", "environment")
    assert origins["log_level"] == ("debug", "file")
    assert origins["log_format"] == ("auto", "default")


def test_the_file_can_be_elsewhere(monkeypatch, tmp_path):
    file = write("tick_seconds = 2.5", str(tmp_path / "etc" / "shop.toml"))
    monkeypatch.setenv("NAVETTE_SETTINGS_FILE", str(file))
    assert settings_file() == file
    assert load_settings().tick_seconds == 2.5


def test_a_file_that_is_named_must_be_there(monkeypatch):
    monkeypatch.setenv("NAVETTE_SETTINGS_FILE", "nowhere.toml")
    with pytest.raises(UserError, match=r"nowhere\.toml"):
        load_settings()


def test_secrets_and_passwords_are_masked_in_the_list_and_in_the_settings_themselves(monkeypatch):
    monkeypatch.setenv("NAVETTE_SECRET_KEYS", "canary")
    monkeypatch.setenv("NAVETTE_DATABASE_URL", "postgresql://navette:canary@host:5432/db?sslmode=require")
    monkeypatch.setenv("NAVETTE_REDIS_URL", "redis://:canary@host:6379/0")
    settings = load_settings()
    shown = {setting.name: setting.value for setting in list_settings(settings)}
    assert shown["secret_keys"] == "***"
    assert shown["database_url"] == "postgresql://navette:***@host:5432/db?sslmode=require"
    assert shown["redis_url"] == "redis://:***@host:6379/0"
    assert "canary" not in repr(settings) + str(settings) + str(shown)
    assert settings.secret_keys == SecretStr("canary")
    assert settings.database_address.startswith("postgresql://navette:canary@")


def test_each_wrong_value_gets_a_sentence_that_does_not_show_it(monkeypatch):
    monkeypatch.setenv("NAVETTE_WORKER_THREADS", "canary")
    monkeypatch.setenv("NAVETTE_LOG_FORMAT", "canary")
    monkeypatch.setenv("NAVETTE_HEARTBEAT_SECONDS", "20")
    monkeypatch.setenv("NAVETTE_BODY_CAP_MEGABYTES", "0")
    with pytest.raises(UserError) as caught:
        load_settings()
    sentences = caught.value.message.splitlines()
    assert len(sentences) == 4
    assert all(sentence.endswith(".") for sentence in sentences)
    for name in ("WORKER_THREADS", "LOG_FORMAT", "HEARTBEAT_SECONDS", "BODY_CAP_MEGABYTES"):
        assert sum(f"NAVETTE_{name}" in sentence for sentence in sentences) == 1
    assert "at most half of lease_seconds" in caught.value.message
    assert "canary" not in caught.value.message


def test_a_wrong_lease_is_one_sentence_not_two(monkeypatch):
    monkeypatch.setenv("NAVETTE_LEASE_SECONDS", "never")
    with pytest.raises(UserError) as caught:
        load_settings()
    assert len(caught.value.message.splitlines()) == 1


def test_a_setting_that_does_not_exist_is_told_with_what_may_be_meant(monkeypatch):
    monkeypatch.setenv("NAVETTE_WORKER_THREAD", "4")
    monkeypatch.setenv("NAVETTE_QQQ", "4")
    with pytest.raises(UserError) as caught:
        load_settings()
    assert "did you mean NAVETTE_WORKER_THREADS?" in caught.value.message
    assert "NAVETTE_QQQ is not a setting of Navette." in caught.value.message


def test_a_setting_in_the_file_that_does_not_exist_is_told_too():
    write("worker_thread = 3\nqqq = 1\n")
    with pytest.raises(UserError) as caught:
        load_settings()
    assert "did you mean worker_threads?" in caught.value.message
    assert "qqq in .navette/settings.toml is not a setting" in caught.value.message


def test_a_file_that_is_not_toml_is_told():
    write("worker_threads: 3")
    with pytest.raises(UserError, match="not valid TOML"):
        load_settings()


def test_a_file_that_cannot_be_read_is_told():
    write("x = 1").unlink()
    Path(".navette/settings.toml").mkdir()
    assert load_settings().worker_threads == 8
    Path(".navette/settings.toml").rmdir()
    Path(".navette/settings.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(UserError, match="UTF-8"):
        load_settings()


def test_every_setting_has_a_meaning_that_is_a_sentence():
    for setting in list_settings(load_settings()):
        assert setting.description.endswith(".")
        assert setting.name in Settings.model_fields


def test_settings_do_not_change_under_way():
    with pytest.raises(ValueError, match="frozen"):
        load_settings().worker_threads = 3
