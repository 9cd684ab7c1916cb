"""Stock rows: the sum, the shop they belong to, and what may not be done to them."""

import pytest

from tests.connectors.prestashop.simulator.talking import Talk, codes

FULL_ROW = (
    "<s><id>{id}</id><id_product>1</id_product><id_product_attribute>{attribute}</id_product_attribute>{shop}"
    "<quantity>{quantity}</quantity><depends_on_stock>0</depends_on_stock><out_of_stock>2</out_of_stock></s>"
)


def test_saving_a_combination_row_sums_up_the_product(talk: Talk) -> None:
    talk.send("PATCH", "stock_availables", "<s><id>20</id><quantity>112</quantity></s>")

    assert talk.shop.stock_of(1) == 1322


def test_writing_the_sum_is_accepted_and_undone_by_the_next_combination_change(talk: Talk) -> None:
    talk.send("PATCH", "stock_availables", "<s><id>1</id><quantity>5</quantity></s>")
    assert talk.shop.stock_of(1) == 5

    talk.send("PATCH", "stock_availables", "<s><id>20</id><quantity>12</quantity></s>")
    assert talk.shop.stock_of(1) == 1222


def test_a_put_without_a_shop_detaches_the_row_and_takes_it_out_of_the_sum(talk: Talk) -> None:
    talk.send("PUT", "stock_availables", FULL_ROW.format(id=24, attribute=5, shop="", quantity=300))

    assert codes(talk.get("stock_availables/24")) == [131]
    assert talk.shop.stock_of(1) == 922
    assert talk.row("stock_availables", **{"filter[id]": "24"})["id_shop"] == "0"


def test_stock_under_advanced_management_is_refused_with_two_codes(talk: Talk) -> None:
    talk.shop.update("stock_availables", 6, {"depends_on_stock": 1})

    answer = talk.send("PATCH", "stock_availables", "<s><id>6</id><quantity>3</quantity></s>")

    assert (answer.status_code, codes(answer)) == (500, [133, 46])
    assert talk.shop.stock_of(6) == 18


def test_a_row_cannot_be_moved_onto_another(talk: Talk) -> None:
    answer = talk.send("PATCH", "stock_availables", "<s><id>6</id><id_product>7</id_product></s>")

    assert (answer.status_code, answer.content) == (500, b"")


def test_a_row_that_moves_to_another_product_changes_both_sums(talk: Talk) -> None:
    talk.send("PATCH", "stock_availables", "<s><id>24</id><id_product>2</id_product></s>")

    assert talk.shop.stock_of(1) == 922
    assert talk.shop.stock_of(2) == 2400


def test_quantities_may_be_negative(talk: Talk) -> None:
    talk.send("PATCH", "stock_availables", "<s><id>6</id><quantity>-3</quantity></s>")

    assert talk.row("stock_availables", **{"filter[id]": "6"})["quantity"] == "-3"


def test_writing_stock_leaves_the_products_date_alone(talk: Talk) -> None:
    before = talk.shop.row("products", 1)["date_upd"]

    talk.send("PATCH", "stock_availables", "<s><id>20</id><quantity>17</quantity></s>")

    assert talk.shop.row("products", 1)["date_upd"] == before


def test_a_merchant_can_read_write_and_sell_stock_outside_the_webservice(talk: Talk) -> None:
    talk.shop.set_stock(1, 40, attribute=1)
    talk.shop.sell(1, 3, attribute=1)
    talk.shop.sell(999)

    assert talk.shop.stock_of(1, attribute=1) == 37
    assert talk.shop.stock_of(1) == 1247
    with pytest.raises(KeyError):
        talk.shop.set_stock(999, 1)
    with pytest.raises(KeyError):
        talk.shop.stock_of(6, shop=2)
