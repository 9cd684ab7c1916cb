"""What PrestaShop's errors mean: by code, in both formats, whatever the status says."""

import pytest

from connectors.prestashop.client.refusals import errors_in, interpret
from domain.errors import (
    CredentialsRejected,
    NotFound,
    PermissionMissing,
    PlatformError,
    RequestRefused,
    SettingsInvalid,
    Unavailable,
)
from engine.connector import Answer

WARNING = (
    3,
    "[PHP Warning #2] Trying to access array offset on value of type bool (/var/www/html/classes/x.php, line 1333)",
)


def as_json(*errors: tuple[int, str]) -> bytes:
    """An error list."""
    parts = ",".join(f'{{"code":{code},"message":"{message}"}}' for code, message in errors)
    return f'{{"errors":[{parts}]}}'.encode()


def as_xml(*errors: tuple[int, str]) -> bytes:
    """An error list."""
    parts = "".join(
        f"<error>\n<code><![CDATA[{code}]]></code>\n<message><![CDATA[{message}]]></message>\n</error>\n"
        for code, message in errors
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<prestashop xmlns:xlink="http://www.w3.org/1999/xlink">\n'
        f"<errors>\n{parts}</errors>\n</prestashop>\n"
    ).encode()


def answer(status: int, body: bytes = b"", content_type: str = "text/html; charset=utf-8") -> Answer:
    """As the door hands it over."""
    return Answer(status=status, headers={"content-type": content_type}, body=body)


@pytest.mark.parametrize("write", [as_json, as_xml])
@pytest.mark.parametrize(
    ("status", "errors", "expected", "told"),
    [
        (401, [(17, "Authentication key is empty")], CredentialsRejected, "form of a webservice key"),
        (401, [(18, "Invalid authentication key format")], CredentialsRejected, "form of a webservice key"),
        (401, [(20, "Authentification key is not active"), (21, "No permission")], CredentialsRejected, "unknown"),
        (401, [(21, "No permission for this authentication key")], PermissionMissing, "no rights at all"),
        (401, [(26, "Resource of type customers is not allowed")], PermissionMissing, "customers"),
        (403, [(132, "No permission for this key on this shop")], PermissionMissing, "for this shop"),
        (503, [(22, "The PrestaShop webservice is disabled.")], SettingsInvalid, "switched off"),
        (405, [(25, "Method PUT is not allowed for the resource")], PermissionMissing, "Method PUT"),
        (405, [(23, "Method PATCH is not valid")], RequestRefused, "PATCH"),
        (405, [(101, "Method POST is not allowed for the resource")], RequestRefused, "POST"),
        (400, [(27, "Resource of type product does not exists")], RequestRefused, "product"),
        (404, [(92, "Invalid ID")], NotFound, "Invalid ID"),
        (404, [(87, "Id(s) not exists: 999")], NotFound, "999"),
        (404, [(131, "This Product (6) does not exists on this shop")], NotFound, "Product (6)"),
        (400, [(85, "Validation error: Property Product-&gt;ean13 is not valid")], RequestRefused, "Product->ean13"),
        (400, [(41, "parameter id_product required")], RequestRefused, "id_product"),
        (500, [(32, "This filter does not exist."), WARNING, WARNING], RequestRefused, "This filter does not exist."),
        (500, [(39, "The limit value has to be formed"), WARNING], RequestRefused, "The limit value"),
        (400, [(81, "No such language"), (79, "form")], SettingsInvalid, "language"),
        (
            500,
            [(133, "depends on stock"), (46, "Unable to save resource")],
            RequestRefused,
            "advanced stock management",
        ),
        (500, [(127, "XML error : String could not be parsed as XML")], RequestRefused, "XML error"),
        (500, [(999, "shop group without shops")], SettingsInvalid, "holds no shop"),
        (500, [WARNING], Unavailable, "PHP Warning"),
    ],
)
def test_an_error_means_what_its_code_says(
    write: object, status: int, errors: list[tuple[int, str]], expected: type[PlatformError], told: str
) -> None:
    """Equal in JSON and XML."""
    assert callable(write)
    error = interpret(answer(status, write(*errors), "application/json"))
    assert type(error) is expected
    assert told in error.message


def test_a_permanent_refusal_keeps_status_and_code() -> None:
    """For whoever has to ask the shop's host."""
    error = interpret(answer(500, as_xml((38, "Unable to filter by this field."), WARNING)))
    assert isinstance(error, RequestRefused)
    assert (error.status, error.remote_code) == (500, "38")


def test_any_redirect_is_a_wrong_address() -> None:
    """Following it would lose the key, or bring a page of the shop."""
    for status in (301, 302, 307, 308):
        error = interpret(answer(status))
        assert isinstance(error, SettingsInvalid)
        assert "main address" in error.remedy


def test_a_host_that_drops_the_sign_in_is_recognised() -> None:
    """The remedy is what the host has to write into its configuration."""
    error = interpret(answer(401, b"401 Unauthorized"))
    assert isinstance(error, CredentialsRejected)
    assert "CGIPassAuth On" in error.remedy


def test_a_page_not_found_is_an_address_without_a_webservice() -> None:
    """URL rewriting is off, or it is no PrestaShop."""
    error = interpret(answer(404, b"<!DOCTYPE html><html></html>"))
    assert isinstance(error, SettingsInvalid)
    assert "friendly URLs" in error.remedy


def test_an_empty_404_is_a_record_that_is_gone_and_an_empty_500_may_pass() -> None:
    """Neither has a code."""
    assert type(interpret(answer(404))) is NotFound
    assert type(interpret(answer(500))) is Unavailable


def test_what_is_not_prestashop_s_is_left_to_the_door() -> None:
    """A proxy's page, a firewall, a broken list."""
    for status, body in (
        (502, b"<html>Bad gateway</html>"),
        (403, b"<html>Forbidden</html>"),
        (500, b'{"errors":"no"}'),
        (500, b'{"errors":[{"code":"x","message":"m"}]}'),
        (503, b"<error><code>abc</code><message>m</message></error>"),
        (404, b"plain words"),
    ):
        assert interpret(answer(status, body)) is None


def test_a_list_of_errors_with_trouble_inside_is_still_read() -> None:
    """Codes as text, without CDATA, too long to be one."""
    assert errors_in(b'{"errors":[{"code":"27","message":"a\\u0000b"},{"code":99999999,"message":"m"}]}') == [
        (27, "ab")
    ]
    assert errors_in(b"<error><code>27</code><message>a &amp;amp; b</message></error>") == [(27, "a &amp; b")]
