"""Which resources there are, and what each holds. Field order is the order of the answers (8.2.1)."""

from connectors.prestashop.simulator.resources import catalogue, installation, papers, people, places, sales, stock
from connectors.prestashop.simulator.resources.others import OTHERS
from connectors.prestashop.simulator.schema import Resource

ROOMS = (catalogue, stock, sales, papers, people, places, installation)
RESOURCES: dict[str, Resource] = {
    resource.name: resource
    for resource in sorted(
        tuple(one for room in ROOMS for one in room.RESOURCES) + OTHERS,
        key=lambda resource: resource.name,
    )
}


def resources_at(version: tuple[int, ...]) -> dict[str, Resource]:
    """The resources this version of PrestaShop has, by name, in alphabetical order."""
    return {
        name: resource.at(version)
        for name, resource in RESOURCES.items()
        if resource.since <= version and (not resource.until or version < resource.until)
    }
