"""Resources a shop has that no feed needs: they exist, may be granted to a key, and are empty here."""

from connectors.prestashop.simulator.schema import Resource

DESCRIPTIONS = {
    "attachments": "The product Attachments",
    "cart_rules": "Cart rules management",
    "contacts": "Shop contacts",
    "content_management_system": "Content management system",
    "customer_messages": "Customer services messages",
    "customer_threads": "Customer services threads",
    "customizations": "Customization values",
    "deliveries": "Product delivery",
    "employees": "The Employees",
    "groups": "The customer's groups",
    "guests": "The guests",
    "images": "The images",
    "messages": "The Messages",
    "order_cart_rules": "The Order cart rules",
    "price_ranges": "Price ranges",
    "product_customization_fields": "Customization Field",
    "product_feature_values": "The product feature values",
    "product_features": "The product features",
    "search": "Search",
    "specific_price_rules": "Specific price management",
    "specific_prices": "Specific price management",
    "stock_movement_reasons": "Stock movement reason",
    "stock_movements": "Stock movements",
    "stocks": "Stocks",
    "stores": "The stores",
    "supply_order_details": "Supply Order Details",
    "supply_order_histories": "Supply Order Histories",
    "supply_order_receipt_histories": "Supply Order Receipt Histories",
    "supply_order_states": "Supply Order Statuses",
    "supply_orders": "Supply Orders",
    "tags": "The Products tags",
    "translated_configurations": "Shop configuration",
    "warehouse_product_locations": "Location of products in warehouses",
    "warehouses": "Warehouses",
    "weight_ranges": "Weight ranges",
    "zones": "The Countries zones",
}
LIST_NODES = {"stock_movements": "stock_mvts", "content_management_system": "content_management_system"}
WITHOUT_SCHEMA = frozenset({"attachments", "images", "search"})
GONE_IN_9 = ("supply_order", "warehouse_product_locations")
SINCE = {"attachments": (1, 7, 8), "order_returns": (9,)}


def _node(name: str) -> str:
    """The entity's node name."""
    if name.endswith("ies"):
        return name[:-3] + "y"
    return name.removesuffix("s")


OTHERS = tuple(
    Resource(
        name,
        _node(LIST_NODES.get(name, name)),
        "".join(word.title() for word in _node(name).split("_")),
        description,
        list_node=LIST_NODES.get(name, ""),
        has_schema=name not in WITHOUT_SCHEMA,
        since=SINCE.get(name, ()),
        until=(9,) if name.startswith(GONE_IN_9) else (),
    )
    for name, description in {**DESCRIPTIONS, "order_returns": "The order returns"}.items()
)
