"""Secrets at rest: unreadable without the key, useless in another row, and movable to a new key."""

import base64
import multiprocessing
import stat
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import UserError
from engine.security.secrets import KeyRing, open_key_ring, parse_keys

OLD, NEW = b"o" * 32, b"n" * 32
PLACE = "integration:12:key"


@given(st.text(), st.text())
def test_a_secret_comes_back_from_its_place(secret, place):
    ring = KeyRing([NEW])
    assert ring.decrypt(ring.encrypt(secret, place=place), place=place) == secret


def test_a_stored_secret_shows_nothing_and_is_never_the_same_twice():
    ring = KeyRing([NEW])
    stored = {ring.encrypt("canary", place=PLACE) for _ in range(50)}
    assert len(stored) == 50
    assert not any("canary" in one for one in stored)


def test_a_secret_moved_to_another_place_does_not_open():
    ring = KeyRing([NEW])
    stored = ring.encrypt("canary", place=PLACE)
    with pytest.raises(UserError, match="belongs to another place"):
        ring.decrypt(stored, place="integration:13:key")


@pytest.mark.parametrize("position", [0, 1, 5, 12, 30, -1])
def test_a_changed_secret_does_not_open(position):
    ring = KeyRing([NEW])
    head, _, text = ring.encrypt("canary", place=PLACE).rpartition(".")
    sealed = bytearray(base64.urlsafe_b64decode(text))
    sealed[position] ^= 1
    with pytest.raises(UserError):
        ring.decrypt(f"{head}.{base64.urlsafe_b64encode(sealed).decode()}", place=PLACE)


@pytest.mark.parametrize("stored", ["", "canary", "v1", "v1.", "v0.aaaaaaaa.AAAA", "v1.aaaaaaaa.AAAA", "..", "v1.é.é"])
def test_what_was_never_stored_does_not_open_and_is_not_shown(stored):
    with pytest.raises(UserError) as caught:
        KeyRing([NEW]).decrypt(stored, place=PLACE)
    assert "canary" not in caught.value.message


def test_garbage_behind_a_good_head_does_not_open():
    ring = KeyRing([NEW])
    head = ring.encrypt("canary", place=PLACE).rpartition(".")[0]
    for text in ("", "AAAA", "not base64!", "é"):
        with pytest.raises(UserError):
            ring.decrypt(f"{head}.{text}", place=PLACE)


def test_a_secret_under_another_key_says_which_setting_to_look_at():
    stored = KeyRing([OLD]).encrypt("canary", place=PLACE)
    with pytest.raises(UserError, match="NAVETTE_SECRET_KEYS") as caught:
        KeyRing([NEW]).decrypt(stored, place=PLACE)
    assert caught.value.__cause__ is None
    assert "canary" not in str(vars(caught.value))


def test_keys_rotate_without_a_moment_when_a_secret_cannot_be_read():
    stored = KeyRing([OLD]).encrypt("canary", place=PLACE)
    both = KeyRing([NEW, OLD])
    assert both.decrypt(stored, place=PLACE) == "canary"
    moved = both.rotate(stored, place=PLACE)
    assert moved != stored
    assert KeyRing([NEW]).decrypt(moved, place=PLACE) == "canary"
    assert both.rotate(moved, place=PLACE) == moved


def test_rotating_does_not_hide_a_broken_secret():
    ring = KeyRing([NEW])
    with pytest.raises(UserError):
        ring.rotate(ring.encrypt("canary", place="elsewhere"), place=PLACE)


@pytest.mark.parametrize("keys", [[], [b"short"], [NEW, b"x" * 16], [b"x" * 33]])
def test_keys_of_the_wrong_length_are_refused(keys):
    with pytest.raises(UserError, match="32 bytes"):
        KeyRing(keys)


def test_keys_are_written_in_base64_separated_by_commas_or_lines():
    text = f" {base64.b64encode(NEW).decode()}, {base64.b64encode(OLD).decode()}\n"
    assert parse_keys(text) == [NEW, OLD]
    for wrong in ("canary!", "é", "abc"):
        with pytest.raises(UserError) as caught:
            parse_keys(wrong)
        assert wrong not in caught.value.message


def test_a_ring_shows_no_key():
    text = repr(KeyRing([NEW]))
    assert text.startswith("KeyRing(")
    assert "nnnn" not in text


def test_configured_keys_need_no_file(tmp_path):
    ring = open_key_ring(base64.b64encode(NEW).decode(), key_file=tmp_path / "none" / "secret.key")
    assert KeyRing([NEW]).decrypt(ring.encrypt("x", place=PLACE), place=PLACE) == "x"
    assert list(tmp_path.iterdir()) == []


def test_the_first_start_makes_a_key_file_for_its_owner_only_and_later_ones_keep_it(tmp_path):
    path = tmp_path / "data" / "secret.key"
    stored = open_key_ring("", key_file=path).encrypt("canary", place=PLACE)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [file.name for file in path.parent.iterdir()] == ["secret.key"]
    assert open_key_ring("", key_file=path).decrypt(stored, place=PLACE) == "canary"


def test_a_key_file_that_others_may_read_refuses_to_start(tmp_path):
    path = tmp_path / "secret.key"
    open_key_ring("", key_file=path)
    path.chmod(0o640)
    with pytest.raises(UserError, match="chmod 600"):
        open_key_ring("", key_file=path)


def test_an_empty_key_file_refuses_to_start(tmp_path):
    path = tmp_path / "secret.key"
    path.touch(mode=0o600)
    with pytest.raises(UserError):
        open_key_ring("", key_file=path)


def _start(path, results):
    results.put(open_key_ring("", key_file=path).encrypt("canary", place=PLACE))


def test_processes_that_start_at_once_agree_on_the_key(tmp_path):
    context = multiprocessing.get_context("spawn")
    path, results = tmp_path / "data" / "secret.key", context.Queue()
    processes = [context.Process(target=_start, args=(path, results)) for _ in range(3)]
    for process in processes:
        process.start()
    stored = [results.get() for _ in processes]
    for process in processes:
        process.join()
    ring = open_key_ring("", key_file=path)
    assert {ring.decrypt(one, place=PLACE) for one in stored} == {"canary"}


def test_the_slower_of_two_starts_takes_the_key_of_the_faster(tmp_path):
    together = threading.Barrier(8)
    stored: list[str] = []

    def start():
        together.wait()
        stored.append(open_key_ring("", key_file=tmp_path / "secret.key").encrypt("canary", place=PLACE))

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ring = open_key_ring("", key_file=tmp_path / "secret.key")
    assert {ring.decrypt(one, place=PLACE) for one in stored} == {"canary"}
    assert [file.name for file in tmp_path.iterdir()] == ["secret.key"]
