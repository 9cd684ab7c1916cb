"""Money: an amount and its currency, never one without the other."""

from decimal import Decimal

import msgspec

# ISO 4217 currencies whose minor unit is not a hundredth. Others have two decimals.
_MINOR_DIGITS = {
    **dict.fromkeys(
        (
            "BIF",
            "CLP",
            "DJF",
            "GNF",
            "ISK",
            "JPY",
            "KMF",
            "KRW",
            "PYG",
            "RWF",
            "UGX",
            "VND",
            "VUV",
            "XAF",
            "XOF",
            "XPF",
        ),
        0,
    ),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
}


class Money(msgspec.Struct, frozen=True):
    """``amount`` in units of ``currency`` (an ISO 4217 code, upper case)."""

    amount: Decimal
    currency: str

    @property
    def minor_unit(self) -> Decimal:
        """The smallest coin: 0.01 for EUR, 1 for JPY. Totals may differ by one of these per line."""
        return minor_unit(self.currency)

    def __str__(self) -> str:
        """As a person reads it: ``23.90 EUR``."""
        return f"{self.amount:.{minor_digits(self.currency)}f} {self.currency}"


def minor_unit(currency: str) -> Decimal:
    """The smallest coin of a currency."""
    return Decimal(1).scaleb(-minor_digits(currency))


def minor_digits(currency: str) -> int:
    """How many digits after the point amounts of a currency have."""
    return _MINOR_DIGITS.get(currency, 2)
