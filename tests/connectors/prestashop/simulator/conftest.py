"""The sample shop, served."""

from collections.abc import Iterator

import pytest

from connectors.prestashop.simulator import build_sample_shop
from tests.connectors.prestashop.simulator.talking import Talk, talking


@pytest.fixture
def talk() -> Iterator[Talk]:
    """A fresh sample shop and a client with every right."""
    with talking(build_sample_shop()) as talk:
        yield talk
