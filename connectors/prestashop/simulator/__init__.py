"""A small working PrestaShop webservice with a memory."""

from connectors.prestashop.simulator.app import PrestashopSimulator
from connectors.prestashop.simulator.sample import SAMPLE_KEY, build_sample_shop
from connectors.prestashop.simulator.shop import Shop

__all__ = ["SAMPLE_KEY", "PrestashopSimulator", "Shop", "build_sample_shop"]
