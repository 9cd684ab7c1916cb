"""Every setting of the platform, with its meaning: the only place that reads the environment.

A setting comes from the environment (``NAVETTE_`` and its name in capitals), else from a TOML file, else it has its default.
The file is the one ``NAVETTE_SETTINGS_FILE`` names, or ``settings.toml`` in the folder ``.navette``.
"""

import os
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit, urlunsplit

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from domain.errors import UserError

_PREFIX = "NAVETTE_"
_FILE_VARIABLE = f"{_PREFIX}SETTINGS_FILE"
_DEFAULT_FOLDER = Path(".navette")
_OF_COMMANDS = (f"{_PREFIX}PERSON", f"{_PREFIX}KEY")
"""Read by single commands of the command line: who asks, and a key to connect with."""


class Settings(BaseSettings):
    """What the operator can set. Durations are in seconds."""

    model_config = SettingsConfigDict(env_prefix=_PREFIX, extra="forbid", frozen=True, hide_input_in_errors=True)

    data_folder: Path = Field(default=_DEFAULT_FOLDER, description="Folder for everything Navette keeps on disk.")
    database_url: str = Field(
        default="",
        repr=False,
        description="Address of the database, such as postgresql://user@host/name; empty: SQLite in the data folder.",
    )
    redis_url: str = Field(
        default="",
        repr=False,
        description="Address of Redis, such as redis://host:6379/0; empty: one is run within Navette.",
    )
    secret_keys: SecretStr = Field(
        default=SecretStr(""),
        description="Keys for secrets at rest, 32 bytes each in base64, separated by commas; the first encrypts, all decrypt. "
        "Empty: a key file in the data folder, made at the first start.",
    )
    allow_private_addresses: bool = Field(
        default=False, description="Whether integrations may be on private networks or on this machine."
    )
    ca_file: Path | None = Field(
        default=None, description="File of further certificate authorities that shops are trusted by (PEM)."
    )
    log_format: Literal["auto", "lines", "json"] = Field(
        default="auto",
        description="How the log is written: lines for people, json for programs; auto: lines on a terminal, else json.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="The least important events logged."
    )
    worker_threads: int = Field(
        default=8, ge=1, le=256, description="Executions worked on at the same time by one worker process."
    )
    lease_seconds: float = Field(
        default=30, ge=2, le=3600, description="How long an execution belongs to a worker that shows no life."
    )
    heartbeat_seconds: float = Field(
        default=10, gt=0, le=1200, description="How often a worker shows life; at most half a lease."
    )
    sweep_seconds: float = Field(
        default=10, gt=0, le=3600, description="How often work left lying by a crash is looked for."
    )
    tick_seconds: float = Field(default=1, gt=0, le=60, description="How often the scheduler looks for what is due.")
    grace_seconds: float = Field(
        default=25, ge=0, le=3600, description="How long a stopping worker may take to finish its page."
    )
    connect_timeout_seconds: float = Field(
        default=5, gt=0, le=120, description="How long connecting to a shop may take."
    )
    read_timeout_seconds: float = Field(
        default=30, gt=0, le=600, description="How long a shop may be silent within an answer."
    )
    total_timeout_seconds: float = Field(
        default=120, gt=0, le=3600, description="How long one request may take from first to last byte."
    )
    body_cap_megabytes: int = Field(
        default=64, ge=1, le=1024, description="The largest answer let in, in megabytes after unpacking."
    )

    @property
    def database_address(self) -> str:
        """The address of the database, also where it is SQLite in the data folder."""
        return self.database_url or f"sqlite:///{self.data_folder.resolve() / 'navette.db'}"

    @property
    def key_file(self) -> Path:
        """Where the keys for secrets are kept unless they are set."""
        return self.data_folder / "secret.key"

    @field_validator("heartbeat_seconds")
    @classmethod
    def _beats_twice_a_lease(cls, value: float, info: ValidationInfo) -> float:
        lease = info.data.get("lease_seconds")
        if lease is not None and value > lease / 2:
            raise ValueError("must be at most half of lease_seconds")
        return value

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the library's signature
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment stands above the file; there is nothing else."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, settings_file())


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting as shown to people: ``value`` has its secrets masked; ``origin`` is environment, file or default."""

    name: str
    value: str
    origin: str
    description: str


def settings_file() -> Path:
    """The settings file in use, whether or not it is there."""
    return Path(os.environ.get(_FILE_VARIABLE) or _DEFAULT_FOLDER / "settings.toml")


def load_settings() -> Settings:
    """The settings in force. Raises ``UserError`` with one sentence for each thing that is wrong, showing no values."""
    named = os.environ.get(_FILE_VARIABLE)
    if named and not Path(named).is_file():
        raise UserError(f"{_FILE_VARIABLE} names {named}, which is not a file.")
    unknown = [_unknown(name) for name in _unknown_variables()]
    if unknown:
        raise UserError("\n".join(unknown))
    try:
        return Settings()
    except ValidationError as error:
        raise UserError("\n".join(_sentences(error))) from None
    except tomllib.TOMLDecodeError as error:
        raise UserError(f"{settings_file()} is not valid TOML: {error}.") from None
    except UnicodeDecodeError:
        raise UserError(f"{settings_file()} is not written in UTF-8.") from None
    except OSError as error:
        raise UserError(f"{settings_file()} cannot be read: {error.strerror}.") from None


def list_settings(settings: Settings) -> list[Setting]:
    """Every setting with its value, where that comes from, and what it means; secrets and passwords masked."""
    from_file = TomlConfigSettingsSource(Settings, settings_file())()
    return [
        Setting(
            name=name,
            value=_shown(getattr(settings, name)),
            origin=_origin(name, from_file),
            description=field.description or "",
        )
        for name, field in Settings.model_fields.items()
    ]


def _origin(name: str, from_file: Mapping[str, object]) -> str:
    if _variable(name) in {variable.upper() for variable in os.environ}:
        return "environment"
    return "file" if name in from_file else "default"


def _shown(value: object) -> str:
    if isinstance(value, SecretStr):
        return "***" if value.get_secret_value() else ""
    text = "" if value is None else str(value)
    parts = urlsplit(text) if "://" in text else None
    if parts is None or parts.password is None:
        return text
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{parts.username}:***@{host}"))


def _variable(name: str) -> str:
    return f"{_PREFIX}{name.upper()}"


def _unknown_variables() -> list[str]:
    known = {_variable(name) for name in Settings.model_fields} | {_FILE_VARIABLE, *_OF_COMMANDS}
    return sorted(name for name in os.environ if name.upper().startswith(_PREFIX) and name.upper() not in known)


def _unknown(variable: str) -> str:
    near = get_close_matches(variable.upper(), map(_variable, Settings.model_fields), n=1, cutoff=0.75)
    advice = f"; did you mean {near[0]}?" if near else "."
    return f"{variable} is not a setting of Navette{advice}"


def _sentences(error: ValidationError) -> Iterator[str]:
    for problem in error.errors(include_input=False, include_url=False, include_context=False):
        name = str(problem["loc"][0])
        if problem["type"] == "extra_forbidden":
            near = get_close_matches(name, Settings.model_fields, n=1, cutoff=0.75)
            advice = f"; did you mean {near[0]}?" if near else "."
            yield f"{name} in {settings_file()} is not a setting of Navette{advice}"
        else:
            reason = problem["msg"].removeprefix("Value error, ").removeprefix("Input ")
            yield f"{name} ({_variable(name)}) {reason[:1].lower()}{reason[1:]}."
