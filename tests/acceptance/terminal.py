"""A terminal to type ``navette`` commands into: in this process for speed, in one of its own where processes matter."""

import json
import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from console.terminal.app import app

PROGRAM = [sys.executable, "-c", "from cli import main; main()"]
AT_A_TERMINAL = [sys.executable, "-c", "import os; os.login_tty(0); from cli import main; main()"]
"""With a terminal of its own, which Ctrl-C and questions for a key go through."""


@dataclass(frozen=True)
class Said:
    """What a command printed, and its exit status."""

    status: int
    out: str
    err: str


@dataclass
class Terminal:
    """Commands typed here work on a data folder of their own."""

    folder: Path
    variables: dict[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        """What the command sees."""
        return {
            "NAVETTE_DATA_FOLDER": str(self.folder),
            "NAVETTE_ALLOW_PRIVATE_ADDRESSES": "true",
            "NAVETTE_PERSON": "ada",
            "COLUMNS": "200",
            **self.variables,
        }

    def __call__(self, *words: str | int, types: str | None = None) -> Said:
        """Type a command; ``types`` is what follows on standard input."""
        result = CliRunner().invoke(app, [str(word) for word in words], input=types, env=self.environment)
        return Said(result.exit_code, result.stdout, result.stderr)

    def ok(self, *words: str | int, types: str | None = None) -> str:
        """A command that works; what it printed."""
        said = self(*words, types=types)
        assert said.status == 0, said
        return said.out

    def fails(self, *words: str | int, types: str | None = None, status: int = 1) -> str:
        """A command that is refused in words, with nothing technical in them; what it said on standard error."""
        said = self(*words, types=types)
        assert said.status == status, said
        assert "Traceback" not in said.out + said.err
        return said.err

    def list(self, *words: str | int) -> Any:
        """A list as JSON."""
        return json.loads(self.ok(*words, "--json"))

    def start(self, *words: str, **more: Any) -> subprocess.Popen[str]:
        """A command in a process of its own."""
        return subprocess.Popen(
            [*PROGRAM, *words],
            env={**os.environ, **self.environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **more,
        )

    @contextmanager
    def typing(self, *words: str) -> Iterator["Screen"]:
        """A command in a process of its own, at a real terminal."""
        ours, theirs = pty.openpty()
        process = subprocess.Popen(
            [*AT_A_TERMINAL, *words],
            env={**os.environ, **self.environment, "TERM": "xterm", "LINES": "40"},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
        )
        os.close(theirs)
        try:
            yield Screen(process, ours)
        finally:
            process.kill()
            process.wait()
            os.close(ours)


@dataclass
class Screen:
    """What a command at a terminal shows."""

    process: subprocess.Popen[bytes]
    terminal: int
    shown: str = ""

    def until(self, words: str) -> str:
        """Wait for words to be shown; the test's own time limit is the end of that."""
        while words not in self.shown:
            part = self._read()
            assert part, f"The command ended without showing “{words}”: {self.shown[-2000:]}"
            self.shown += part
        return self.shown

    def type(self, text: str) -> None:
        """Type."""
        os.write(self.terminal, text.encode())

    def end(self) -> int:
        """Read to the end; the exit status."""
        while part := self._read():
            self.shown += part
        return self.process.wait()

    def _read(self) -> str:
        with suppress(OSError):  # how a terminal says that the other side closed it
            return os.read(self.terminal, 65_536).decode(errors="replace")
        return ""
