"""``/api/``: the resources a key may touch, with its rights."""

from connectors.prestashop.simulator import xml_writer
from connectors.prestashop.simulator.keys import METHODS, AccessKey
from connectors.prestashop.simulator.memory import Memory
from connectors.prestashop.simulator.refusals import Fatal

SHOWN_METHODS = ("GET", "PUT", "POST", "PATCH", "DELETE", "HEAD")
IMAGE_KINDS = ("general", "products", "categories", "manufacturers", "suppliers", "stores", "customizations")
MIME_TYPES = "image/gif, image/jpg, image/jpeg, image/pjpeg, image/png, image/webp, image/x-png"


def rights(methods: frozenset[str], *, has_patch: bool) -> str:
    """The rights as attributes."""
    shown = [method for method in SHOWN_METHODS if has_patch or method != "PATCH"]
    return " ".join(f'{method.lower()}="{str(method in methods).lower()}"' for method in shown)


def resource_list(memory: Memory, key: AccessKey, base: str, *, is_json: bool) -> bytes:
    """The list in XML; in JSON it is a Fatal."""
    if is_json and memory.adds_warnings:
        raise Fatal
    parts = [f'<api shopName="{memory.name}">\n']
    for name, resource in memory.resources.items():
        methods = key.methods(name) & frozenset(METHODS)
        if not methods:
            continue
        allowed = f'xlink:href="{base}{name}" {rights(methods, has_patch=memory.has_patch)}'
        parts.append(f"<{name} {allowed}>\n<description {allowed}>\n{resource.description}</description>\n")
        if resource.has_schema:
            parts += [f'<schema xlink:href="{base}{name}?schema={kind}" type="{kind}"/>\n' for kind in KINDS]
        parts.append(f"</{name}>\n")
    parts.append("</api>\n")
    return xml_writer.document(*parts)


KINDS = ("blank", "synopsis")


def image_list(memory: Memory, base: str) -> bytes:
    """``/api/images``: the kinds of images, shown as readable only whatever the key may do."""
    allowed = rights(frozenset({"GET", "HEAD"}), has_patch=memory.has_patch)
    parts = [
        f'<{kind} xlink:href="{base}images/{kind}" {allowed} upload_allowed_mimetypes="{MIME_TYPES}"/>\n'
        for kind in IMAGE_KINDS
    ]
    return xml_writer.document("<image_types>\n", *parts, "</image_types>\n")
