"""The parts of the documents that list what exists: ``python -m tests.documents`` writes them, a test compares them."""

import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from console.terminal.app import NOUNS, app
from domain.errors import PlatformError
from domain.schedule import describe
from engine.registry import Registry
from engine.settings import Settings

_EVERYWHERE = ("help", "as_json", "person", "install_completion", "show_completion")
DOCS = Path(__file__).parent.parent / "docs"


def commands() -> str:
    """Every command with its arguments and options."""
    lines = [
        "# Commands",
        "",
        "Lists take `--json`. Errors are one sentence on standard error with exit status 1; wrong usage exits with 2.",
        "A person is `--as NAME`, or `NAVETTE_PERSON`, or the user of the system.",
        "",
    ]
    group: Any = typer.main.get_command(app)
    with typer.Context(group) as context:
        for noun, about in NOUNS.items():
            _, command, _ = group.resolve_command(context, [noun])
            lines += [f"## navette {noun}", "", about.summary, ""]
            for path, found in _leaves(command, f"navette {noun}"):
                lines += [f"### `{' '.join([path, *_arguments(found)])}`", "", inspect.cleandoc(found.help or ""), ""]
                lines += [*_options(found), ""]
    return "\n".join(lines).replace("\n\n\n", "\n\n").rstrip() + "\n"


def _leaves(command: Any, path: str) -> Iterator[tuple[str, Any]]:
    children = getattr(command, "commands", None)
    if not children:
        yield path, command
        return
    for name, child in sorted(children.items()):
        yield from _leaves(child, f"{path} {name}")


def _arguments(command: Any) -> list[str]:
    return [p.metavar or p.name.upper() for p in command.params if p.param_type_name == "argument"]


def _options(command: Any) -> list[str]:
    return [
        f"- `{', '.join([*option.opts, *option.secondary_opts])}`: {option.help}"
        for option in command.params
        if option.param_type_name == "option" and option.name not in _EVERYWHERE
    ]


def command_paths() -> set[str]:
    """Every command as it is typed."""
    return {line.split("`")[1] for line in commands().splitlines() if line.startswith("### ")}


def settings() -> str:
    """Every setting of the operator."""
    lines = ["| setting | default | meaning |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        default = field.get_default()
        told = "" if name == "secret_keys" or default in ("", None) else f"`{default}`"
        lines.append(f"| `NAVETTE_{name.upper()}` | {told} | {field.description} |")
    return "\n".join(lines) + "\n"


def errors() -> str:
    """Every error by its code."""
    Registry.find().connector("prestashop")
    kinds = sorted({kind.code: kind for kind in _every(PlatformError)}.values(), key=lambda kind: kind.code)
    lines = [
        "# Errors",
        "",
        "The type of an error says what happens next. The code stands in lists, in the log and in an issue's cause.",
        "",
        "| code | severity, and what it means |",
        "|---|---|",
    ]
    lines += [
        f"| `{kind.code}` | {' '.join(inspect.cleandoc(kind.__doc__ or '').split()).replace('``', '`')} |"
        for kind in kinds
    ]
    return "\n".join(lines) + "\n"


def _every(kind: type[PlatformError]) -> Iterator[type[PlatformError]]:
    if "code" in vars(kind) and not kind.__module__.startswith("tests"):
        yield kind
    for child in kind.__subclasses__():
        yield from _every(child)


def flows() -> str:
    """Every flow with its direction and default schedule."""
    lines = ["| flow | direction | default schedule | what it does |", "|---|---|---|---|"]
    for flow in Registry.find().flows.values():
        schedule = describe(flow.schedule) if flow.schedule else "by hand"
        lines.append(f"| `{flow.name}` | {flow.direction} | {schedule} | {flow.description} |")
    return "\n".join(lines) + "\n"


def within(text: str, part: str, content: str) -> str:
    """``text`` with what stands between the marks of a part replaced."""
    begin, end = f"<!-- {part}: begin -->\n", f"<!-- {part}: end -->"
    before, _, rest = text.partition(begin)
    _, _, after = rest.partition(end)
    assert after, f"no marks for {part}"
    return f"{before}{begin}{content}{end}{after}"


def written() -> dict[Path, str]:
    """Every document that lists something, as it should be."""
    administrators, operators = DOCS / "administrators.md", DOCS / "operators.md"
    return {
        DOCS / "commands.md": commands(),
        DOCS / "errors.md": errors(),
        administrators: within(administrators.read_text(), "flows", flows()),
        operators: within(operators.read_text(), "settings", settings()),
    }


if __name__ == "__main__":
    for path, text in written().items():
        path.write_text(text)
