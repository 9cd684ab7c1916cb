"""What each way of failing means: from HTTP statuses and from the network library's exceptions to the platform's errors."""

import ssl
from collections.abc import Iterator
from datetime import timedelta

import httpcore
import httpx

from domain.errors import (
    AddressRefused,
    AttentionError,
    BrokenInvariant,
    CredentialsRejected,
    LeaseLost,
    NotFound,
    OutcomeUnknown,
    PermissionMissing,
    PlatformError,
    RateLimited,
    RecordProblem,
    RequestRefused,
    SettingsInvalid,
    TimedOut,
    Truncated,
    Unavailable,
    UnexpectedFormat,
    Withheld,
)
from engine.http.passage import Passage

NETWORK_ERRORS = (
    OSError,
    httpx.HTTPError,
    httpx.InvalidURL,
    httpx.StreamError,
    httpcore.ConnectionNotAvailable,
    httpcore.NetworkError,
    httpcore.ProtocolError,
    httpcore.ProxyError,
    httpcore.TimeoutException,
    httpcore.UnsupportedProtocol,
)
"""Everything that can come out of sending and reading; ``translate`` knows an error for each."""

_REFUSALS = (RequestRefused, AttentionError, RateLimited, RecordProblem, OutcomeUnknown, Withheld, LeaseLost)
_SLOW = {408, 504}
_LIMITED = {425, 429}
_MAYBE_APPLIED = {302, 303}  # what servers answer after a form was accepted


def from_status(status: int, *, host: str, does: str, retry_after: timedelta | None) -> PlatformError:
    """The error for a status that is neither 2xx nor 304 and that the connector left to the door."""
    where = f"{host} answered {status} to '{does}'"
    if status in _SLOW:
        return TimedOut(f"{where}: it took too long.", retry_after=retry_after)
    if status in _LIMITED:
        return RateLimited(f"{where}: it asked us to slow down.", retry_after=retry_after)
    if status >= 500:
        return Unavailable(f"{where}: it is out of order at the moment.", retry_after=retry_after)
    if status >= 400:
        return _refusal(status, where)
    if status >= 300:
        return AddressRefused(
            f"{where}: it redirects to another address.",
            remedy="Use the shop's exact main address, with https:// and with or without www, as its own settings show it.",
        )
    return UnexpectedFormat(f"{where}, which is no answer to it.")


def _refusal(status: int, where: str) -> PlatformError:
    match status:
        case 401:
            return CredentialsRejected(
                f"{where}: the key or password was refused.", remedy="Enter a valid key or password."
            )
        case 403:
            return PermissionMissing(
                f"{where}: this is not allowed.",
                remedy="Give the key the missing right; if it has it, ask whether a firewall in front of the shop blocks us.",
            )
        case 404 | 410:
            return NotFound(f"{where}: there is no such thing.", status=status)
        case _:
            return RequestRefused(f"{where}: it refused the request.", status=status)


def translate(error: Exception, passage: Passage, *, host: str, does: str) -> PlatformError:
    """The error for an exception of the network library, of which nothing is kept but the class name."""
    kind = type(error).__name__
    match error:
        case httpcore.TimeoutException() | httpx.TimeoutException() | TimeoutError():
            what = "answer" if passage.is_sent else "accept a connection"
            return TimedOut(f"{host} did not {what} in time for '{does}'.", detail=kind)
        case httpcore.LocalProtocolError() | httpx.LocalProtocolError():
            return SettingsInvalid(
                f"'{does}' could not be sent to {host}: a setting holds characters that cannot be part of a request.",
                remedy="Enter the key and the address again, without line breaks or spaces.",
                detail=kind,
            )
        case (
            httpcore.UnsupportedProtocol() | httpx.UnsupportedProtocol() | httpx.InvalidURL() | httpx.TooManyRedirects()
        ):
            return AddressRefused(f"'{does}' was not sent: {host} does not make a web address.", detail=kind)
        case httpx.StreamError():
            return BrokenInvariant(f"'{does}' at {host} failed by a mistake of ours.", detail=kind)
        case httpx.DecodingError():
            return UnexpectedFormat(f"The answer of {host} to '{does}' is packed wrongly.", detail=kind)
        case _:
            return _broken_connection(error, passage, host=host, does=does)


def _broken_connection(error: Exception, passage: Passage, *, host: str, does: str) -> PlatformError:
    kind = type(error).__name__
    certificate = next((cause for cause in _causes(error) if isinstance(cause, ssl.SSLCertVerificationError)), None)
    if certificate is not None:
        return AddressRefused(
            f"{host} could not prove who it is: {certificate.verify_message}.",
            remedy="Have the shop's certificate renewed or corrected, or use the address the certificate is for.",
            detail=kind,
        )
    if passage.received == 0:
        what = "closed the connection without an answer to" if passage.is_sent else "could not be reached for"
        return Unavailable(f"{host} {what} '{does}'.", detail=kind)
    if isinstance(error, httpcore.RemoteProtocolError | httpx.RemoteProtocolError) and not passage.is_cut:
        return UnexpectedFormat(f"The answer of {host} to '{does}' is not HTTP.", detail=kind)
    return Truncated(f"The answer of {host} to '{does}' was cut.", detail=kind)


def _causes(error: BaseException) -> Iterator[BaseException]:
    following: BaseException | None = error
    while following is not None:
        yield following
        following = following.__cause__ or following.__context__


def as_outcome(error: PlatformError, *, is_sent: bool, status: int | None, host: str, does: str) -> PlatformError:
    """What a failed writing request amounts to: the error itself where it proves that nothing was done, else unknown."""
    if not is_sent or (isinstance(error, _REFUSALS) and status not in _MAYBE_APPLIED):
        return error
    return OutcomeUnknown(
        f"'{does}' was sent to {host}, but no clear answer came back; whether it was done is looked up before it is sent again.",
        detail=f"{error.code}: {error.message} {error.detail}".strip(),
    )
