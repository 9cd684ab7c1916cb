"""The shops of an installation, its settings and its image sizes."""

from connectors.prestashop.simulator.schema import Field, Resource, flag, key, moment, number, text

SHOPS = Resource(
    "shops",
    "shop",
    "Shop",
    "Shops from multi-shop feature",
    fields=(
        key("id_shop_group", "shop_groups", required=True),
        key("id_category", required=True),
        flag("active"),
        flag("deleted"),
        text("name", 64, check="isGenericName", required=True),
        text("color", check="isColor", since=(1, 7, 7)),
        text("theme_name", check="isThemeName"),
    ),
)

SHOP_GROUPS = Resource(
    "shop_groups",
    "shop_group",
    "ShopGroup",
    "Shop groups from multi-shop feature",
    fields=(
        text("name", 64, check="isGenericName", required=True),
        text("color", check="isColor", since=(1, 7, 7)),
        flag("share_customer"),
        flag("share_order"),
        flag("share_stock"),
        flag("active"),
        flag("deleted"),
    ),
)

SHOP_URLS = Resource(
    "shop_urls",
    "shop_url",
    "ShopUrl",
    "Shop URLs from multi-shop feature",
    fields=(
        key("id_shop", "shops", required=True),
        flag("active"),
        flag("main"),
        text("domain", 255, check="isCleanHtml", required=True),
        text("domain_ssl", 255, check="isCleanHtml"),
        text("physical_uri", 64, check="isString"),
        text("virtual_uri", 64, check="isString"),
    ),
)

CONFIGURATIONS = Resource(
    "configurations",
    "configuration",
    "Configuration",
    "Shop configuration",
    fields=(
        text("value"),
        text("name", 254, check="isConfigName", required=True),
        Field("id_shop_group", "mixed", ""),
        Field("id_shop", "mixed", ""),
        moment("date_add"),
        moment("date_upd"),
    ),
    natural=("name",),
    indexes=("name",),
)

IMAGE_TYPES = Resource(
    "image_types",
    "image_type",
    "ImageType",
    "The image types",
    fields=(
        text("name", 64, required=True),
        number("width", required=True),
        number("height", required=True),
        flag("categories"),
        flag("products"),
        flag("manufacturers"),
        flag("suppliers"),
        flag("stores"),
    ),
    natural=("name",),
)

RESOURCES = (SHOPS, SHOP_GROUPS, SHOP_URLS, CONFIGURATIONS, IMAGE_TYPES)
