"""Terms of the combined commodities of a risk parameter file, as rows of span_parameters.

Belongs here: scan ranges, extreme moves, tiers, spread, delivery and minimum charges, credits. Not here: contracts (`span_contracts`).

What the rows cannot say (spreads of three legs, charges by month, credits that are not by price risk, tiers of credits) is refused with
a reason: a charge that is left out is seen in the rejected rows, never silently.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from margin_pipeline.landing.span_contracts import Contract
from margin_pipeline.landing.span_document import Element, at_rate, in_words, number_of, text_of

Row = dict[str, str]
FLAT, BY_PRICE_RISK = ("F", "FLAT", ""), ("W", "WPR", "")


@dataclass(frozen=True)
class Found:
    """Rows that a record gave, why they cannot be used ('': they can), and the record in words."""

    rows: list[Row]
    reason: str
    raw: str


class Expiries:
    """Last days of the futures of combined commodities, by contract month."""

    def __init__(self, contracts: Iterable[Contract], commodity_of: Mapping[tuple[str, str], str]) -> None:
        self.of: dict[str, dict[str, dt.date]] = {}
        for contract in contracts:
            commodity = commodity_of.get(contract.family)
            if commodity and contract.expiry and "future" in contract.classes:
                self.of.setdefault(commodity, {})[contract.period] = contract.expiry

    def window(self, commodity: str, first: str, last: str) -> Row | None:
        """Cells expiry_from and expiry_to of the months from one to another; None where no future of them is in the file."""
        days = [
            expiry for period, expiry in self.of.get(commodity, {}).items() if first <= period[: len(first)] and period[: len(last)] <= last
        ]
        return {"expiry_from": min(days).isoformat(), "expiry_to": max(days).isoformat()} if days else None


def commodity_terms(element: Element, expiries: Expiries) -> list[Found]:
    """Tiers, spread charges, delivery charges and short option minimum of an element `ccDef`."""
    commodity = text_of(element, "cc")
    base = {"class_group": commodity, "currency": text_of(element, "currency")}
    found = [_tier(tier, base, commodity, expiries) for tier in element.findall("intraTiers/tier")]
    found += [_charge(spread, base) for spread in element.findall("dSpread")]
    found += [_delivery(spot, base, commodity, expiries) for spot in element.findall("spotRate")]
    minimums = element.findall("somTiers/tier")
    found += [_minimum(tier, base, commodity, expiries, len(minimums) > 1) for tier in minimums]
    return found


def _tier(tier: Element, base: Row, commodity: str, expiries: Expiries) -> Found:
    window = expiries.window(commodity, text_of(tier, "sPe"), text_of(tier, "ePe"))
    if window is None:
        return _refused(tier, {**base, "term": "intra_spread_charge"}, "no future of the file expires in this tier")
    return Found([{**base, "term": "tier", "tier_1": text_of(tier, "tn"), **window}], "", _words(tier, commodity))


def _charge(spread: Element, base: Row) -> Found:
    """One charge of spreads within a combined commodity."""
    commodity, legs, rate = base["class_group"], spread.findall("tLeg"), at_rate(spread, "rate")
    if len(legs) != 2 or spread.findall("pLeg"):
        return _refused(spread, {**base, "term": "intra_spread_charge"}, "only spreads between two tiers are read")
    if text_of(spread, "chargeMeth") not in FLAT:
        return _refused(
            spread, {**base, "term": "intra_spread_charge"}, f"charge method {text_of(spread, 'chargeMeth')} is not read, only a flat one"
        )
    if any(text_of(leg, "cc") not in ("", commodity) for leg in legs):
        return _refused(spread, {**base, "term": "intra_spread_charge"}, "a leg is of another combined commodity")
    row = {**base, **_legs(legs), "term": "intra_spread_charge", "priority": text_of(spread, "spread"), "value": text_of(rate, "val")}
    return Found([{**row, "tier_1": text_of(legs[0], "tn"), "tier_2": text_of(legs[1], "tn")}], "", _words(spread, commodity))


def _legs(legs: Sequence[Element]) -> Row:
    cells: Row = {}
    for number, leg in enumerate(legs, 1):
        cells |= {f"delta_{number}": text_of(leg, "i"), f"side_{number}": text_of(leg, "rs")}
    return cells


def _delivery(spot: Element, base: Row, commodity: str, expiries: Expiries) -> Found:
    """Charges of one delivery month, outright and in spreads."""
    period = text_of(spot, "pe")
    window = expiries.window(commodity, period, period)
    if window is None:
        return _refused(spot, {**base, "term": "delivery_charge"}, "no future of the file expires in this delivery month")
    terms = (("delivery_charge", "outr"), ("delivery_spread_charge", "sprd"))
    rows = [{**base, "term": term, "value": text_of(spot, tag), **window} for term, tag in terms if text_of(spot, tag)]
    if not rows:
        return _refused(spot, {**base, "term": "delivery_charge"}, "neither an outright nor a spread charge")
    return Found(rows, "", _words(spot, commodity))


def _minimum(tier: Element, base: Row, commodity: str, expiries: Expiries, several: bool) -> Found:
    window: Row | None = {}
    if several:
        window = expiries.window(commodity, text_of(tier, "sPe"), text_of(tier, "ePe"))
    if window is None:
        return _refused(tier, {**base, "term": "short_option_minimum"}, "no future of the file expires in this tier")
    row = {**base, "term": "short_option_minimum", "value": text_of(at_rate(tier, "rate"), "val"), **window}
    return Found([row], "", _words(tier, commodity))


def credit_terms(spreads: Sequence[Element], currencies: Mapping[str, str], tiered: frozenset[str]) -> list[Found]:
    """Credits between combined commodities.

    Parameters
    ----------
    spreads : elements `dSpread` of `interSpreads`.
    currencies : currency by combined commodity.
    tiered : combined commodities with several tiers for credits.

    Notes
    -----
    Rates are fractions where all are at most 1, else percentages: files of both kinds are in use.
    """
    rates = [number_of(at_rate(spread, "rate"), "val") for spread in spreads]
    unit = 100.0 if any(rate is not None and rate > 1 for rate in rates) else 1.0
    return [_credit(spread, rate, unit, currencies, tiered) for spread, rate in zip(spreads, rates, strict=True)]


def _credit(spread: Element, rate: float | None, unit: float, currencies: Mapping[str, str], tiered: frozenset[str]) -> Found:
    legs = spread.findall("tLeg")
    names = [text_of(leg, "cc") for leg in legs]
    words = " and ".join(names)
    base = {
        "class_group": names[0] if names else "",
        "term": "inter_commodity_credit",
        "currency": currencies.get(names[0], "") if names else "",
    }
    if len(legs) != 2 or spread.findall("pLeg") or spread.findall("rpLeg"):
        return _refused(spread, base, "only credits of two legs are read")
    if text_of(spread, "chargeMeth") not in BY_PRICE_RISK:
        return _refused(spread, base, f"charge method {text_of(spread, 'chargeMeth')} is not read, only credits by weighted price risk")
    if tiered & set(names):
        return _refused(spread, base, "a leg has tiers of its own for credits, which are not read")
    row = {
        **base,
        **_legs(legs),
        "class_group_2": names[1],
        "priority": text_of(spread, "spread"),
        "value": "" if rate is None else repr(rate / unit),
    }
    return Found([row], "", _words(spread, words))


def range_terms(contracts: Sequence[Contract], commodity_of: Mapping[tuple[str, str], str], currencies: Mapping[str, str]) -> list[Found]:
    """Scan ranges of each combined commodity, by expiry where they differ.

    A price range is of the contract with `cvf` units. Where several products of one commodity and expiry have a range, the greatest a
    unit counts, and so does the greatest volatility range.
    """
    prices: dict[str, dict[dt.date, tuple[float, float, float]]] = {}
    volatilities: dict[str, dict[dt.date, float]] = {}
    for contract in contracts:
        commodity, expiry = commodity_of.get(contract.family), contract.expiry
        if commodity is None or expiry is None:
            continue
        if contract.price_range and contract.units and "future" in contract.classes:
            own = (contract.price_range / contract.units, contract.price_range, contract.units)
            known = prices.setdefault(commodity, {})
            known[expiry] = max(known.get(expiry, own), own)
        if contract.volatility_range:
            by_day = volatilities.setdefault(commodity, {})
            by_day[expiry] = max(by_day.get(expiry, 0.0), contract.volatility_range)
    found = []
    for commodity in sorted({*prices, *volatilities}):
        base = {"class_group": commodity, "currency": currencies.get(commodity, "")}
        money = {day: {"value": repr(v[1]), "contract_multiplier": repr(v[2])} for day, v in prices.get(commodity, {}).items()}
        # A volatility belongs to the expiry of an option; the row is of the whole group, so the greatest counts.
        greatest = max(volatilities.get(commodity, {}).values(), default=None)
        rows = _by_expiry({**base, "term": "price_scan_range"}, money)
        rows += [{**base, "term": "volatility_scan_range", "value": repr(greatest)}] if greatest is not None else []
        found.append(Found(rows, "", f"{commodity}: scan ranges of its contracts"))
    return found


def _by_expiry(base: Row, cells: Mapping[dt.date, Row]) -> list[Row]:
    """One row where all days have the same cells, else one a day."""
    if len({tuple(sorted(row.items())) for row in cells.values()}) == 1:
        return [{**base, **next(iter(cells.values()))}]
    return [{**base, **row, "expiry_from": day.isoformat(), "expiry_to": day.isoformat()} for day, row in sorted(cells.items())]


def extreme_terms(points: Element, currencies: Mapping[str, str]) -> list[Found]:
    """Multiple and fraction of the extreme moves, for every combined commodity; points 15 and 16 of an element `pointDef`."""
    for point in points.findall("scanPointDef"):
        if text_of(point, "point") not in ("15", "16"):
            continue
        mult, above, below, weight = (
            number_of(point, path) for path in ("priceScanDef/mult", "priceScanDef/numerator", "priceScanDef/denominator", "weight")
        )
        if above is None or not below or weight is None:
            reason = "the extreme point has no numerator, denominator or weight"
            return [_refused(point, {"class_group": c, "currency": m, "term": "extreme_multiple"}, reason) for c, m in currencies.items()]
        multiple = abs((1.0 if mult is None else mult) * above / below)
        rows = [
            {"class_group": commodity, "currency": currency, "term": term, "value": repr(value)}
            for commodity, currency in sorted(currencies.items())
            for term, value in (("extreme_multiple", multiple), ("extreme_fraction", weight))
        ]
        return [Found(rows, "", _words(point, "all"))]
    return []


def _refused(element: Element, row: Row, reason: str) -> Found:
    """A record that cannot be used; its row says what it would have been about."""
    return Found([row], reason, _words(element, row["class_group"]))


def _words(element: Element, commodity: str) -> str:
    return f"{commodity} {in_words(element)}"
