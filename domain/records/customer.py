"""Customers and their addresses, as orders show them."""

import msgspec


class Customer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Who ordered. ``remote_id`` may be empty for guests of systems that keep none."""

    remote_id: str = ""
    email: str = ""
    first_name: str = ""
    last_name: str = ""
    company: str = ""
    language: str = ""
    is_guest: bool = False


class Address(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where to send or bill. ``country`` is an ISO 3166 alpha-2 code, ``region`` the system's code of a state or province."""

    first_name: str = ""
    last_name: str = ""
    company: str = ""
    vat_number: str = ""
    line1: str = ""
    line2: str = ""
    postcode: str = ""
    city: str = ""
    region: str = ""
    country: str = ""
    phone: str = ""
    mobile: str = ""
    note: str = ""
