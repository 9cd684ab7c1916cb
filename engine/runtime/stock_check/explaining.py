"""Why the level a shop shows is not the one the hub offers: pure, from what both sides are known to have done."""

from decimal import Decimal

from engine.connector import quantity_json
from storage.queries.differences import Explanation
from storage.queries.effects import UNSENT, UNSETTLED
from storage.queries.stock import Item
from storage.rows import EffectState

_OPEN = (*UNSENT, *UNSETTLED, EffectState.FAILED)
_WORDS = {
    EffectState.PENDING: "It waits to be sent.",
    EffectState.WITHHELD: "It is withheld.",
    EffectState.SENDING: "It is being sent.",
    EffectState.UNKNOWN: "It was sent, and nobody knows yet whether it arrived.",
    EffectState.FAILED: "The shop refused it; it is sent again with the next export.",
}


def may_be_sold(item: Item, remote: Decimal) -> bool:
    """Whether orders the hub has not seen could be why the shop shows this: it shows less than it was told to."""
    told = item.delivered if item.delivered is not None else item.available
    return told is not None and remote < told


def explain(item: Item, remote: Decimal, *, unseen: Decimal) -> tuple[Explanation, str]:
    """Why ``remote`` is not what is available; ``unseen`` is sold in the shop by orders the hub does not know yet.

    Two movements can add up to a gap: the shop's own, since it was last told a level, and the hub's, not told yet.
    """
    available, delivered = item.available, item.delivered
    if available is None:
        return Explanation.UNKNOWN, "The hub holds no level of this item in the warehouses that feed this shop."
    own = item.own_open + item.own_held
    if unseen and remote in (available - unseen, None if delivered is None else delivered - unseen):
        return Explanation.IN_FLIGHT, f"{_text(unseen)} sold in the shop by orders that are not imported yet."
    if delivered is None:
        return _explain_untold(item, remote - available, own)
    there, here = remote - delivered, available - delivered
    if there == 0:
        return Explanation.PENDING_EXPORT, f"The shop shows the {_text(delivered)} it was last told. {_waiting(item)}"
    if there < 0 and -there <= own + unseen:
        sold = f"{_text(-there)} sold there by orders of this shop"
        if here and not unseen:
            return Explanation.PENDING_EXPORT, f"{sold}, which are counted here too. {_waiting(item)}"
        if unseen or available == 0:
            return Explanation.IN_FLIGHT, f"{sold}."
    changed = f"It was told {_text(delivered)} and shows {_text(remote)}"
    if here:
        return Explanation.PENDING_EXPORT, f"{changed}: it changed there too. {_waiting(item)}"
    return Explanation.CHANGED_REMOTELY, f"{changed}: somebody or something changed it there."


def _explain_untold(item: Item, gap: Decimal, own: Decimal) -> tuple[Explanation, str]:
    """The shop was never told a level of this item."""
    if item.latest is not None and item.latest.state in _OPEN:
        return Explanation.PENDING_EXPORT, f"The shop was never told a level. {_waiting(item)}"
    if own and abs(gap) in (own, item.own_held, item.own_open):
        return Explanation.IN_FLIGHT, f"{_text(abs(gap))} taken by orders of this shop."
    return Explanation.UNKNOWN, "The shop was never told a level, and no order accounts for the difference."


def _waiting(item: Item) -> str:
    if item.latest is None or item.latest.state not in _WORDS:
        return "The new level goes with the next export."
    return _WORDS[item.latest.state]


def _text(quantity: Decimal) -> str:
    return quantity_json(quantity)
