"""Stock rows, and who supplies what."""

from connectors.prestashop.simulator.schema import Resource, decimal, flag, key, moment, number, text, words

STOCK_AVAILABLES = Resource(
    "stock_availables",
    "stock_available",
    "StockAvailable",
    "Available quantities",
    fields=(
        key("id_product", "products", required=True),
        key("id_product_attribute", "combinations", required=True),
        key("id_shop", "shops"),
        key("id_shop_group"),
        number("quantity", required=True),
        flag("depends_on_stock", required=True),
        number("out_of_stock", required=True),
        text("location", 255, check="isString", since=(1, 7, 5)),
    ),
    never=frozenset({"POST", "DELETE"}),
    indexes=("id_product", "id_product_attribute"),
)

SUPPLIERS = Resource(
    "suppliers",
    "supplier",
    "Supplier",
    "The product suppliers",
    fields=(
        text("link_rewrite"),
        text("name", 64, check="isCatalogName", required=True),
        flag("active"),
        moment("date_add"),
        moment("date_upd"),
        words("description", check="isCleanHtml"),
        words("meta_title", 255),
        words("meta_description", 512),
        words("meta_keywords"),
    ),
)

PRODUCT_SUPPLIERS = Resource(
    "product_suppliers",
    "product_supplier",
    "ProductSupplier",
    "Product Suppliers",
    fields=(
        key("id_product", "products", required=True),
        key("id_product_attribute", "combinations", required=True),
        key("id_supplier", "suppliers", required=True),
        key("id_currency", "currencies"),
        text("product_supplier_reference", 64, check="isReference"),
        decimal("product_supplier_price_te"),
    ),
    natural=("id_supplier", "id_product", "id_product_attribute"),
    indexes=("id_product", "id_supplier"),
)

RESOURCES = (STOCK_AVAILABLES, SUPPLIERS, PRODUCT_SUPPLIERS)
