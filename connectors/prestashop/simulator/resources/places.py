"""What a shop is set up with: states of orders, carriers, currencies, countries, languages, taxes."""

from connectors.prestashop.simulator.schema import Field, Resource, decimal, flag, key, moment, number, text, words

ORDER_STATES = Resource(
    "order_states",
    "order_state",
    "OrderState",
    "The Order statuses",
    fields=(
        flag("unremovable"),
        flag("delivery"),
        flag("hidden"),
        flag("send_email"),
        text("module_name", check="isModuleName"),
        flag("invoice"),
        text("color", check="isColor"),
        flag("logable"),
        flag("shipped"),
        flag("paid"),
        flag("pdf_delivery"),
        flag("pdf_invoice"),
        flag("deleted"),
        words("name", 64, required=True),
        words("template", 64, check="isTplName"),
    ),
    natural=("module_name",),
)

CARRIERS = Resource(
    "carriers",
    "carrier",
    "Carrier",
    "The Carriers",
    fields=(
        flag("deleted"),
        flag("is_module"),
        Field("id_tax_rules_group", "int", 1, link="tax_rule_groups", number=True),
        number("id_reference"),
        text("name", 64, check="isCarrierName", required=True),
        flag("active", required=True),
        flag("is_free"),
        text("url", check="isAbsoluteUrl"),
        flag("shipping_handling", default=1),
        flag("shipping_external"),
        flag("range_behavior"),
        Field("shipping_method", "mixed", 1, "isUnsignedInt"),
        number("max_width"),
        number("max_height"),
        number("max_depth"),
        decimal("max_weight", check="isFloat"),
        number("grade"),
        text("external_module_name", 64),
        flag("need_range"),
        number("position"),
        words("delay", 512, required=True),
    ),
)

CURRENCIES = Resource(
    "currencies",
    "currency",
    "Currency",
    "The currencies",
    fields=(
        words("names", 255, since=(1, 7, 6)),
        text("name", 255, check="isGenericName"),
        words("symbol", 255, since=(1, 7, 6)),
        text("iso_code", 3, check="isLanguageIsoCode", required=True),
        text("numeric_iso_code", 3, since=(1, 7, 6)),
        number("precision", default=2),
        Field("conversion_rate", "decimal", "1.000000", "isUnsignedFloat", required=True),
        flag("deleted"),
        flag("active", default=1),
        flag("unofficial"),
        flag("modified"),
        words("pattern"),
    ),
)

LANGUAGES = Resource(
    "languages",
    "language",
    "Language",
    "Shop languages",
    fields=(
        text("name", 32, check="isGenericName", required=True),
        text("iso_code", 2, required=True),
        text("locale", 5, since=(1, 7, 0)),
        text("language_code", 5),
        flag("active"),
        flag("is_rtl"),
        text("date_format_lite", 32, required=True),
        text("date_format_full", 32, required=True),
    ),
)

COUNTRIES = Resource(
    "countries",
    "country",
    "Country",
    "The countries",
    fields=(
        key("id_zone", "zones", required=True),
        key("id_currency"),
        number("call_prefix"),
        text("iso_code", 3, required=True),
        flag("active"),
        flag("contains_states", required=True),
        flag("need_identification_number", required=True),
        flag("need_zip_code"),
        text("zip_code_format"),
        flag("display_tax_label", required=True),
        words("name", 64, required=True),
    ),
)

STATES = Resource(
    "states",
    "state",
    "State",
    "The available states of countries",
    fields=(
        key("id_zone", "zones", required=True),
        key("id_country", "countries", required=True),
        text("iso_code", 7, required=True),
        text("name", 80, check="isGenericName", required=True),
        flag("active"),
    ),
    natural=("id_country",),
)

TAXES = Resource(
    "taxes",
    "tax",
    "Tax",
    "The tax rate",
    fields=(
        decimal("rate", kind="rate", check="isFloat", required=True),
        flag("active"),
        flag("deleted"),
        words("name", 32, required=True),
    ),
)

TAX_RULE_GROUPS = Resource(
    "tax_rule_groups",
    "tax_rule_group",
    "TaxRulesGroup",
    "Tax rule groups",
    fields=(
        text("name", 64, check="isGenericName", required=True),
        flag("active"),
        flag("deleted"),
        moment("date_add"),
        moment("date_upd"),
    ),
)

TAX_RULES = Resource(
    "tax_rules",
    "tax_rule",
    "TaxRule",
    "Tax rules entity",
    fields=(
        key("id_tax_rules_group", "tax_rule_groups", required=True),
        key("id_state", "states"),
        key("id_country", "countries", required=True),
        text("zipcode_from", default="0"),
        text("zipcode_to", default="0"),
        key("id_tax", "taxes", required=True),
        number("behavior", check="isUnsignedInt"),
        text("description"),
    ),
)

RESOURCES = (ORDER_STATES, CARRIERS, CURRENCIES, LANGUAGES, COUNTRIES, STATES, TAXES, TAX_RULE_GROUPS, TAX_RULES)
