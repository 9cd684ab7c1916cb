"""PrestaShop 1.6 to 9, through its webservice."""
