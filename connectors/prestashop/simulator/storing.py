"""From what was sent to what is stored, and to what the answer shows."""

from decimal import Decimal, InvalidOperation

from connectors.prestashop.simulator.bodies import Posted, Words
from connectors.prestashop.simulator.compare import as_number
from connectors.prestashop.simulator.schema import NO_DAY, NO_MOMENT, Field, Resource, Row, Value

DIGITS = {"decimal": 6, "rate": 3, "percent": 2}


def blank(field: Field) -> Value:
    """What a PUT leaves in a field it does not send."""
    if field.kind == "int":
        return 0
    if field.kind in DIGITS:
        return f"{0:.{DIGITS[field.kind]}f}"
    return {"moment": NO_MOMENT, "day": NO_DAY}.get(field.kind, "")


def stored_value(field: Field, sent: Words, languages: tuple[int, ...]) -> Value:
    """A sent value as the database keeps it."""
    if field.translated:
        return _words(field, sent, languages)
    text = sent if isinstance(sent, str) else next(iter(sent.values()), "")
    if field.kind == "int":
        return int(as_number(text))
    if field.kind in DIGITS:
        return _fixed(text, DIGITS[field.kind])
    return text or blank(field)


def _fixed(text: str, digits: int) -> str:
    try:
        return f"{Decimal(text or '0'):.{digits}f}"
    except InvalidOperation:
        return f"{as_number(text):.{digits}f}"


def _words(field: Field, sent: Words, languages: tuple[int, ...]) -> Value:
    """Plain text goes to all languages; languages left out are blanked, unless the field is required."""
    if isinstance(sent, str):
        return sent
    missing = next(iter(sent.values()), "") if field.required else ""
    words = {language: sent.get(language, missing) for language in languages}
    return words if len(set(words.values())) > 1 else next(iter(words.values()), "")


def stored_associations(resource: Resource, posted: Posted) -> Row:
    """The associations that were sent and are kept as sent; each replaces the old set."""
    kept: Row = {}
    for association in resource.associations:
        items = posted.associations.get(association.name)
        if items is None or not association.stored:
            continue
        if len(association.parts) == 1:
            kept[f"@{association.name}"] = tuple(int(as_number(item.get("id", ""))) for item in items)
        else:
            kept[f"@{association.name}"] = items
    return kept


def echoed(resource: Resource, kept: Row, posted: Posted, *, is_patch: bool) -> Row:
    """What the answer shows: the values as sent, not as stored; for PATCH between the stored ones."""
    shown: Row = {"id": kept["id"]}
    shown.update({name: value for name, value in kept.items() if name.startswith("@")})
    for field in resource.fields:
        sent = posted.fields.get(field.name)
        if field.computed or field.name in {"date_add", "date_upd"} or (sent is None and is_patch):
            if field.name in kept:
                shown[field.name] = kept[field.name]
        elif sent is None:
            shown[field.name] = None if field.default is None else ""
        else:
            shown[field.name] = _echo(field, sent)
    return shown


def _echo(field: Field, sent: Words) -> Value:
    if field.translated or isinstance(sent, str):
        return sent
    return next(iter(sent.values()), "")
