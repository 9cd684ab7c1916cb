"""Images of products."""

from connectors.prestashop.client.images import ImageRaw
from domain.errors import NeedsAttention, Skip
from domain.records import Blob, ProductImage


def image(raw: ImageRaw) -> ProductImage:
    """An image with its bytes. One deleted in the shop meanwhile is skipped."""
    if raw.is_gone:
        raise Skip(f"The shop no longer has image {raw.id} of product {raw.product_id}.", cause="image_gone")
    if raw.problem:
        raise NeedsAttention(
            f"Image {raw.id} of product {raw.product_id} cannot be read: {raw.problem}",
            cause="unreadable_image",
            remedy="Upload the image again in the back office of the shop.",
            field="content",
        )
    return ProductImage(
        remote_id=raw.remote_id,
        product_remote_id=raw.product_id,
        position=raw.position,
        content=Blob(raw.content, media_type=raw.media_type),
    )


def identify(raw: ImageRaw) -> tuple[str, str]:
    """The id of the image."""
    return raw.remote_id, f"image {raw.remote_id}"
