"""The errors of the platform: the type says what happens next.

    PlatformError
    ├─ RecordProblem          this record leaves the page with a severity; the page goes on
    │    Skip · Wait · NeedsAttention
    ├─ TransientError         the whole step is tried again later; nobody is called
    │    RateLimited · Unavailable · TimedOut
    ├─ AttentionError         the integration pauses until a person acts; others go on
    │    CredentialsRejected · AddressRefused · SettingsInvalid · PermissionMissing (only the feed pauses)
    ├─ RemoteContractError    the answer cannot be trusted; the page is refused, the cursor stays
    │    UnexpectedFormat · Truncated · TooLarge
    ├─ RequestRefused         the other side understood one request and said no
    ├─ OutcomeUnknown         sent, no answer; look before sending again
    ├─ Withheld               not sent: test mode, or production not enabled for this flow
    ├─ LeaseLost · Cancelled  this worker must stop; another, or nobody, goes on
    ├─ UserError              a person asked for something that cannot be done
    └─ BrokenInvariant        our own mistake; the execution stops at once

Every error carries ``message`` (for a person: what happened, where, what to do; no secrets) and ``detail`` (for the log,
already redacted).
"""

from datetime import timedelta
from typing import ClassVar


class PlatformError(Exception):
    """Anything Navette raises on purpose. ``code`` is a constant word that names the cause in lists and documents."""

    code: ClassVar[str] = "platform_error"

    def __init__(self, message: str, *, detail: str = "") -> None:
        """``message`` is shown to people; ``detail`` only reaches the log."""
        super().__init__(message)
        self.message = message
        self.detail = detail

    def __reduce__(self) -> tuple[object, ...]:
        """Errors cross process borders whole, whatever their constructor asks for."""
        return (_rebuild, (type(self), self.__dict__.copy()))


def _rebuild(kind: type[PlatformError], state: dict[str, object]) -> PlatformError:
    error = kind.__new__(kind)
    Exception.__init__(error, state["message"])
    error.__dict__.update(state)
    return error


class RecordProblem(PlatformError):
    """One record cannot pass. ``cause`` folds equal problems into one issue; ``remedy`` says what a person can do."""

    code: ClassVar[str] = "record_problem"
    severity: ClassVar[str] = "error"

    def __init__(self, message: str, *, cause: str, remedy: str = "", field: str = "", detail: str = "") -> None:
        """``cause`` is stable, such as ``unknown_shipping_method:UPS``; ``field`` names the place in the record."""
        super().__init__(message, detail=detail)
        self.cause = cause
        self.remedy = remedy
        self.field = field


class Skip(RecordProblem):
    """Info: a business rule keeps the record out, and there is nothing to do."""

    code: ClassVar[str] = "skip"
    severity: ClassVar[str] = "info"


class Wait(RecordProblem):
    """Retry: looked up again by itself until it passes, or until ``give_up_after`` has gone by since it was first seen."""

    code: ClassVar[str] = "wait"
    severity: ClassVar[str] = "retry"

    def __init__(
        self,
        message: str,
        *,
        cause: str,
        remedy: str = "",
        field: str = "",
        detail: str = "",
        give_up_after: timedelta | None = None,
        give_up_as: type[RecordProblem] | None = None,
    ) -> None:
        """``give_up_as`` is the severity that follows when the wait ends without success (default: Skip)."""
        super().__init__(message, cause=cause, remedy=remedy, field=field, detail=detail)
        self.give_up_after = give_up_after
        self.give_up_as = give_up_as or Skip


class NeedsAttention(RecordProblem):
    """Error: a person must correct something; the remedy says what and where."""

    code: ClassVar[str] = "needs_attention"
    severity: ClassVar[str] = "error"


class TransientError(PlatformError):
    """The step is tried again later by itself. ``retry_after`` is what the other side asked for, if it did."""

    code: ClassVar[str] = "transient"

    def __init__(self, message: str, *, retry_after: timedelta | None = None, detail: str = "") -> None:
        """``retry_after`` already went through the door's caps."""
        super().__init__(message, detail=detail)
        self.retry_after = retry_after


class RateLimited(TransientError):
    """The other side asked us to slow down."""

    code: ClassVar[str] = "rate_limited"


class Unavailable(TransientError):
    """The other side, or the way to it, is down."""

    code: ClassVar[str] = "unavailable"


class TimedOut(TransientError):
    """The other side did not answer in time."""

    code: ClassVar[str] = "timed_out"


class AttentionError(PlatformError):
    """The integration pauses until a person acts. ``remedy`` says what to do."""

    code: ClassVar[str] = "attention"

    def __init__(self, message: str, *, remedy: str = "", detail: str = "") -> None:
        """``remedy`` is one imperative sentence."""
        super().__init__(message, detail=detail)
        self.remedy = remedy


class CredentialsRejected(AttentionError):
    """The key or password was refused."""

    code: ClassVar[str] = "credentials_rejected"


class PermissionMissing(AttentionError):
    """The key is good, but lacks a right: the feed that needs it pauses, the others go on."""

    code: ClassVar[str] = "permission_missing"


class AddressRefused(AttentionError):
    """The address may not be connected to: private, redirected elsewhere, or not a web address."""

    code: ClassVar[str] = "address_refused"


class SettingsInvalid(AttentionError):
    """A setting does not fit what the other side is."""

    code: ClassVar[str] = "settings_invalid"


class RemoteContractError(PlatformError):
    """The answer cannot be trusted: nothing of it is used, and the cursor stays."""

    code: ClassVar[str] = "remote_contract"


class UnexpectedFormat(RemoteContractError):
    """The answer is not what this address is documented to answer."""

    code: ClassVar[str] = "unexpected_format"


class Truncated(RemoteContractError):
    """The answer was cut."""

    code: ClassVar[str] = "truncated"


class TooLarge(RemoteContractError):
    """The answer is larger than the door lets in."""

    code: ClassVar[str] = "too_large"


class RequestRefused(PlatformError):
    """The other side refused this one request for good; ``status`` and ``remote_code`` are its words for it."""

    code: ClassVar[str] = "request_refused"

    def __init__(self, message: str, *, status: int, remote_code: str = "", detail: str = "") -> None:
        """``status`` is the HTTP status, ``remote_code`` the system's own error code."""
        super().__init__(message, detail=detail)
        self.status = status
        self.remote_code = remote_code


class NotFound(RequestRefused):
    """The other side has no such thing."""

    code: ClassVar[str] = "not_found"


class OutcomeUnknown(PlatformError):
    """A change was sent and no trustworthy answer came back: look it up before sending it again."""

    code: ClassVar[str] = "outcome_unknown"


class Withheld(PlatformError):
    """The change was not sent, because the integration, or this flow of it, is in test mode."""

    code: ClassVar[str] = "withheld"


class LeaseLost(PlatformError):
    """Another worker holds this execution, or it ended: nothing more may be written or sent for it from here."""

    code: ClassVar[str] = "lease_lost"


class Cancelled(PlatformError):
    """A person cancelled the execution: stop between two records, keep what is saved."""

    code: ClassVar[str] = "cancelled"


class UserError(PlatformError):
    """What a person asked for cannot be done; the message says why and what to do instead."""

    code: ClassVar[str] = "user_error"


class BrokenInvariant(PlatformError):
    """Our own mistake."""

    code: ClassVar[str] = "broken_invariant"
