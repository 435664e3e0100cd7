"""Structures declared as data: their legs, the conditions between the legs, the requirement that applies, and the rule that says so.

Belongs here: one entry for each structure. Not here: how a requirement is computed, how a place for the structure is found.
"""

from __future__ import annotations

from dataclasses import dataclass

STOCK, CALL, PUT, CONVERTIBLE, WARRANT, UNKNOWN = range(6)
"""Kinds of legs; UNKNOWN is an option whose contract terms are incomplete."""

SECURITIES = (STOCK, CONVERTIBLE, WARRANT)
"""Kinds that are no options; they come first in a structure and cover what they deliver or convert into."""

LONG, SHORT = 1, -1


@dataclass(frozen=True)
class Leg:
    """One leg: kind, side (1 long, -1 short), contracts of it in one unit (security: what makes the shares of one contract)."""

    kind: int
    side: int
    ratio: int = 1


@dataclass(frozen=True)
class Structure:
    """One structure.

    Attributes
    ----------
    name : name in ``strategy_groups.structure``.
    legs : legs of one unit.
    conditions : (field, leg, comparison, leg) on ``strike`` or ``expiry``, or ("american", leg, "", leg).
    requirement : name of the function that computes it (see ``requirements``).
    reference : rule and paragraph.
    in_cash_account : "never" admitted, "paid" (nothing more is needed), or "limited_risk" (see ``requirements.maximum_loss``).
    """

    name: str
    legs: tuple[Leg, ...]
    conditions: tuple[tuple[str, int, str, int], ...]
    requirement: str
    reference: str
    in_cash_account: str = "never"

    @property
    def option_legs(self) -> int:
        """How many of the legs are options."""
        return sum(leg.kind not in SECURITIES for leg in self.legs)


SINGLES = {
    (STOCK, LONG): "long_stock",
    (STOCK, SHORT): "short_stock",
    (CALL, LONG): "long_option",
    (PUT, LONG): "long_option",
    (CALL, SHORT): "naked_call",
    (PUT, SHORT): "naked_put",
    (CONVERTIBLE, LONG): "long_convertible",
    (CONVERTIBLE, SHORT): "short_convertible",
    (WARRANT, LONG): "long_warrant",
    (WARRANT, SHORT): "short_warrant",
    (UNKNOWN, LONG): "unknown_option",
    (UNKNOWN, SHORT): "unknown_option",
}
"""What a leg on its own is called."""

_SPREAD = "FINRA 4210(f)(2)(H)(i); Cboe 10.3(c)(5)(C)(4)"
_BOTH_SHORT = "FINRA 4210(f)(2)(G)(i)"
_LONG_OPTIONS = "FINRA 4210(f)(2)(D)"
_STOCK_COVER = "FINRA 4210(f)(2)(H)(iv)"
_HEDGED_STOCK = "FINRA 4210(f)(2)(H)(v)"


def _one_expiry(option_legs: range) -> tuple[tuple[str, int, str, int], ...]:
    return tuple(("expiry", a, "==", a + 1) for a in option_legs[:-1])


def _stock_structures() -> tuple[Structure, ...]:
    stock, short_stock = Leg(STOCK, LONG), Leg(STOCK, SHORT)
    long_call, short_call, long_put, short_put = Leg(CALL, LONG), Leg(CALL, SHORT), Leg(PUT, LONG), Leg(PUT, SHORT)
    american_1, american_2 = ("american", 1, "", 1), ("american", 2, "", 2)
    same_expiry = ("expiry", 1, "==", 2)
    same_strike = ("strike", 1, "==", 2)
    both = (same_expiry, american_1, american_2)
    return (
        Structure("covered_call", (stock, short_call), (), "covered_call", _STOCK_COVER, "paid"),
        # The right to convert must not end before the call does.
        Structure(
            "convertible_covered_call",
            (Leg(CONVERTIBLE, LONG), short_call),
            (("expiry", 0, ">=", 1),),
            "covered_call",
            _STOCK_COVER,
            "paid",
        ),
        Structure("covered_put", (short_stock, short_put), (), "covered_put", _STOCK_COVER),
        Structure("protective_put", (stock, long_put), (american_1,), "protective_put", _HEDGED_STOCK + "a", "paid"),
        Structure("protective_call", (short_stock, long_call), (american_1,), "protective_call", _HEDGED_STOCK + "a"),
        Structure("conversion", (stock, long_put, short_call), (same_strike, *both), "conversion", _HEDGED_STOCK + "b", "paid"),
        Structure(
            "reverse_conversion",
            (short_stock, long_call, short_put),
            (same_strike, *both),
            "reverse_conversion",
            _HEDGED_STOCK + "c",
        ),
        Structure("collar", (stock, long_put, short_call), (("strike", 1, "<", 2), *both), "collar", _HEDGED_STOCK + "d", "paid"),
    )


def _two_option_structures() -> tuple[Structure, ...]:
    entries = []
    for kind, name, low_long in ((CALL, "call", "bull"), (PUT, "put", "bull")):
        pair = (Leg(kind, LONG), Leg(kind, SHORT))
        one_date, later = ("expiry", 0, "==", 1), ("expiry", 0, ">", 1)
        high_long = "bear"
        for conditions, label in (
            ((("strike", 0, "<", 1), one_date), f"{low_long}_{name}_spread"),
            ((("strike", 0, ">", 1), one_date), f"{high_long}_{name}_spread"),
            ((("strike", 0, "==", 1), later), f"{name}_calendar_spread"),
            ((("strike", 0, "!=", 1), later), f"{name}_diagonal_spread"),
        ):
            entries.append(Structure(label, pair, conditions, "maximum_loss", _SPREAD, "limited_risk"))
    shorts, longs = (Leg(PUT, SHORT), Leg(CALL, SHORT)), (Leg(PUT, LONG), Leg(CALL, LONG))
    same_date, other_date = ("expiry", 0, "==", 1), ("expiry", 0, "!=", 1)
    entries += [
        Structure("short_straddle", shorts, (("strike", 0, "==", 1), same_date), "short_put_and_call", _BOTH_SHORT),
        Structure("short_strangle", shorts, (("strike", 0, "<", 1), same_date), "short_put_and_call", _BOTH_SHORT),
        Structure("short_guts", shorts, (("strike", 0, ">", 1), same_date), "short_put_and_call", _BOTH_SHORT),
        Structure("short_combination", shorts, (other_date,), "short_put_and_call", _BOTH_SHORT),
        Structure("long_straddle", longs, (("strike", 0, "==", 1), same_date), "long_options", _LONG_OPTIONS, "paid"),
        Structure("long_strangle", longs, (("strike", 0, "<", 1), same_date), "long_options", _LONG_OPTIONS, "paid"),
    ]
    return tuple(entries)


def _strikes(*relations: str) -> tuple[tuple[str, int, str, int], ...]:
    return tuple(("strike", k, relation, k + 1) for k, relation in enumerate(relations))


def _limited_risk(name: str, legs: tuple[Leg, ...], strikes: tuple[tuple[str, int, str, int], ...]) -> Structure:
    conditions = (*strikes, *_one_expiry(range(len(legs))))
    return Structure(name, legs, conditions, "maximum_loss", _SPREAD, "limited_risk")


def _wing_structures() -> tuple[Structure, ...]:
    entries = []
    for kind, name in ((CALL, "call"), (PUT, "put")):
        for side, label in ((LONG, "long"), (SHORT, "short")):
            outer, inner = Leg(kind, side), Leg(kind, -side)
            body = Leg(kind, -side, 2)
            entries.append(_limited_risk(f"{label}_{name}_butterfly", (outer, body, outer), _strikes("<", "<")))
            entries.append(_limited_risk(f"{label}_{name}_condor", (outer, inner, inner, outer), _strikes("<", "<", "<")))
    for prefix, side in (("", LONG), ("short_", SHORT)):
        iron = (Leg(PUT, side), Leg(PUT, -side), Leg(CALL, -side), Leg(CALL, side))
        entries.append(_limited_risk(f"{prefix}iron_condor", iron, _strikes("<", "<", "<")))
        entries.append(_limited_risk(f"{prefix}iron_butterfly", iron, _strikes("<", "==", "<")))
    for label, side in (("long", LONG), ("short", SHORT)):
        box = (Leg(CALL, side), Leg(PUT, -side), Leg(CALL, -side), Leg(PUT, side))
        entries.append(_limited_risk(f"{label}_box", box, _strikes("==", "<", "==")))
    return tuple(entries)


STRUCTURES: tuple[Structure, ...] = (*_stock_structures(), *_two_option_structures(), *_wing_structures())
"""Every structure of two or more legs."""
