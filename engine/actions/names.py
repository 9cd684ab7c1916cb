"""What people name, found: an integration by its name, a feed as ``integration/flow``."""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

from domain.errors import UserError
from storage.database import Unit
from storage.queries import feeds, integrations
from storage.rows import Feed, Integration


@dataclass(frozen=True, slots=True)
class NamedFeed:
    """A feed and the integration it belongs to. ``name`` is how people write it."""

    integration: Integration
    feed: Feed

    @property
    def name(self) -> str:
        """``integration/flow``."""
        return f"{self.integration.name}/{self.feed.flow}"


def integration_named(unit: Unit, name: str) -> Integration:
    """The integration of that name. Raises ``UserError`` that names those there are."""
    found = integrations.find(unit, name)
    if found is None:
        known = [row.name for row in integrations.listed(unit)]
        if not known:
            raise UserError(
                "No integration exists yet. Add one with: navette integrations add <connector> --name <name>"
            )
        raise UserError(f"There is no integration called “{name}”. {suggest(name, known)}")
    return found


def feed_named(unit: Unit, name: str) -> NamedFeed:
    """The feed written as ``integration/flow``. Raises ``UserError`` that names those there are."""
    first, slash, flow = name.partition("/")
    if not slash:
        raise UserError(
            f"A flow of an integration is written as integration/flow, such as {name or 'shop'}/import_stock."
        )
    integration = integration_named(unit, first)
    feed = feeds.find(unit, integration.id, flow=flow)
    if feed is None:
        known = [row.flow for row in feeds.listed(unit, integration_id=integration.id)]
        raise UserError(f"{integration.name} has no flow called “{flow}”. {suggest(flow, known)}")
    return NamedFeed(integration, feed)


def feed_of(unit: Unit, feed_id: int) -> NamedFeed:
    """The feed of this id, which exists."""
    feed = feeds.get(unit, feed_id)
    assert feed is not None, "feeds are only removed with everything that points to them"
    integration = integrations.get(unit, feed.integration_id)
    assert integration is not None, "a foreign key"
    return NamedFeed(integration, feed)


def suggest(wrong: str, known: Iterable[str]) -> str:
    """The nearest name, or all of them."""
    names = sorted(known)
    near = get_close_matches(wrong, names, n=1)
    return f"Did you mean “{near[0]}”?" if near else f"There are: {', '.join(names)}."
