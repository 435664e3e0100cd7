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

Condition = tuple[str, int, str, int]


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
    also_called : names that other systems and books use.
    follows_index : whether a fund on an index may stand for what an option on that index delivers.
    parts : ways in which smaller structures make up this one, each a tuple of (structure, legs of this one that it takes). Such a structure
        is a name for its parts: it needs what they need together, and is never looked for by itself.
    """

    name: str
    legs: tuple[Leg, ...]
    conditions: tuple[Condition, ...]
    requirement: str
    reference: str
    in_cash_account: str = "never"
    also_called: tuple[str, ...] = ()
    follows_index: bool = False
    parts: tuple[tuple[tuple[str, tuple[int, ...]], ...], ...] = ()

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

UNIVERSAL_SPREAD = "universal_spread"
"""What options are called that are margined together at their maximum loss and are no structure with a name."""

_SPREAD = "FINRA 4210(f)(2)(H)(i); Cboe 10.3(c)(5)(C)(4)"
_BOTH_SHORT = "FINRA 4210(f)(2)(G)(i)"
_LONG_OPTIONS = "FINRA 4210(f)(2)(D)"
_STOCK_COVER = "FINRA 4210(f)(2)(H)(iv)"
_HEDGED_STOCK = "FINRA 4210(f)(2)(H)(v)"
UNIVERSAL_REFERENCE = "Cboe SR-CBOE-2012-043, 77 FR 54626; FINRA Regulatory Notice 12-44"


def _one_expiry(option_legs: range) -> tuple[Condition, ...]:
    return tuple(("expiry", a, "==", a + 1) for a in option_legs[:-1])


def _stock_structures() -> tuple[Structure, ...]:
    stock, short_stock = Leg(STOCK, LONG), Leg(STOCK, SHORT)
    long_call, short_call, long_put, short_put = Leg(CALL, LONG), Leg(CALL, SHORT), Leg(PUT, LONG), Leg(PUT, SHORT)
    american_1, american_2 = ("american", 1, "", 1), ("american", 2, "", 2)
    same_expiry = ("expiry", 1, "==", 2)
    same_strike = ("strike", 1, "==", 2)
    both = (same_expiry, american_1, american_2)
    # A right to convert must not end before the call does.
    outlives = (("expiry", 0, ">=", 1),)
    return (
        Structure("covered_call", (stock, short_call), (), "covered_call", _STOCK_COVER, "paid", ("buy-write", "overwrite"), True),
        Structure("convertible_covered_call", (Leg(CONVERTIBLE, LONG), short_call), outlives, "covered_call", _STOCK_COVER, "paid"),
        Structure("warrant_covered_call", (Leg(WARRANT, LONG), short_call), outlives, "warrant_covered_call", _STOCK_COVER),
        Structure(
            "covered_put", (short_stock, short_put), (), "covered_put", _STOCK_COVER, also_called=("sell-write",), follows_index=True
        ),
        Structure(
            "protective_put",
            (stock, long_put),
            (american_1,),
            "protective_put",
            _HEDGED_STOCK + "a",
            "paid",
            ("married put", "synthetic call"),
        ),
        Structure(
            "protective_call",
            (short_stock, long_call),
            (american_1,),
            "protective_call",
            _HEDGED_STOCK + "a",
            also_called=("synthetic put", "married call"),
        ),
        Structure("conversion", (stock, long_put, short_call), (same_strike, *both), "conversion", _HEDGED_STOCK + "b", "paid"),
        Structure(
            "reverse_conversion",
            (short_stock, long_call, short_put),
            (same_strike, *both),
            "reverse_conversion",
            _HEDGED_STOCK + "c",
            also_called=("reversal",),
        ),
        Structure(
            "collar",
            (stock, long_put, short_call),
            (("strike", 1, "<", 2), *both),
            "collar",
            _HEDGED_STOCK + "d",
            "paid",
            ("protective collar", "fence", "hedge wrapper"),
        ),
    )


_PAIR_NAMES = {
    "bull_call_spread": ("long call spread", "debit call spread", "call vertical"),
    "bear_call_spread": ("short call spread", "credit call spread"),
    "bull_put_spread": ("short put spread", "credit put spread"),
    "bear_put_spread": ("long put spread", "debit put spread", "put vertical"),
    "call_calendar_spread": ("time spread", "horizontal spread"),
    "put_calendar_spread": ("time spread", "horizontal spread"),
    "call_diagonal_spread": ("poor man's covered call",),
    "put_diagonal_spread": (),
}


def _two_option_structures() -> tuple[Structure, ...]:
    entries = []
    for kind, name in ((CALL, "call"), (PUT, "put")):
        pair = (Leg(kind, LONG), Leg(kind, SHORT))
        one_date, later = ("expiry", 0, "==", 1), ("expiry", 0, ">", 1)
        for conditions, label in (
            ((("strike", 0, "<", 1), one_date), f"bull_{name}_spread"),
            ((("strike", 0, ">", 1), one_date), f"bear_{name}_spread"),
            ((("strike", 0, "==", 1), later), f"{name}_calendar_spread"),
            ((("strike", 0, "!=", 1), later), f"{name}_diagonal_spread"),
        ):
            entries.append(Structure(label, pair, conditions, "maximum_loss", _SPREAD, "limited_risk", _PAIR_NAMES[label]))
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


def _strikes(*relations: str) -> tuple[Condition, ...]:
    return tuple(("strike", k, relation, k + 1) for k, relation in enumerate(relations))


def _limited_risk(name: str, legs: tuple[Leg, ...], strikes: tuple[Condition, ...], *also_called: str) -> Structure:
    conditions = (*strikes, *_one_expiry(range(len(legs))))
    return Structure(name, legs, conditions, "maximum_loss", _SPREAD, "limited_risk", also_called)


def _wing_structures() -> tuple[Structure, ...]:
    entries = []
    for kind, name in ((CALL, "call"), (PUT, "put")):
        for side, label in ((LONG, "long"), (SHORT, "short")):
            outer, inner = Leg(kind, side), Leg(kind, -side)
            body = Leg(kind, -side, 2)
            broken = ("broken-wing butterfly",) if side == LONG else ()
            entries.append(_limited_risk(f"{label}_{name}_butterfly", (outer, body, outer), _strikes("<", "<"), *broken))
            entries.append(_limited_risk(f"{label}_{name}_condor", (outer, inner, inner, outer), _strikes("<", "<", "<")))
    for prefix, side, other in (("", LONG, "short iron"), ("short_", SHORT, "reverse iron")):
        iron = (Leg(PUT, side), Leg(PUT, -side), Leg(CALL, -side), Leg(CALL, side))
        entries.append(_limited_risk(f"{prefix}iron_condor", iron, _strikes("<", "<", "<"), f"{other} condor"))
        entries.append(_limited_risk(f"{prefix}iron_butterfly", iron, _strikes("<", "==", "<"), f"{other} butterfly", f"{other} fly"))
    for label, side in (("long", LONG), ("short", SHORT)):
        box = (Leg(CALL, side), Leg(PUT, -side), Leg(CALL, -side), Leg(PUT, side))
        entries.append(
            Structure(
                f"{label}_box",
                box,
                (*_strikes("==", "<", "=="), *_one_expiry(range(4))),
                "box",
                _SPREAD + "; (f)(2)(F)(iii)",
                "limited_risk",
                ("box spread",) if side == LONG else ("short box spread",),
            )
        )
    return tuple(entries)


STRUCTURES: tuple[Structure, ...] = (*_stock_structures(), *_two_option_structures(), *_wing_structures())
"""Every structure of two or more legs that has a requirement of its own."""


def _composite(name: str, legs: tuple[Leg, ...], conditions: tuple[Condition, ...], parts: tuple, *also_called: str) -> Structure:
    return Structure(
        name, legs, conditions, "sum_of_parts", f"as its parts: {_SPREAD}; {_LONG_OPTIONS}-(E)", "paid", also_called, parts=parts
    )


def _ladders() -> tuple[Structure, ...]:
    """Spreads with a further option of the same type; legs by ascending strike."""
    entries = []
    for kind, name in ((CALL, "call"), (PUT, "put")):
        # Of calls the outer leg that completes a spread is the lowest, of puts the highest.
        first = 0 if kind == CALL else 2
        inner = (1, 2) if kind == CALL else (1, 0)
        for side in (LONG, SHORT):
            single = "long_option" if side == SHORT else f"naked_{name}"
            direction = "bull" if (kind == CALL) == (side == LONG) else "bear"
            spread = f"{direction}_{name}_spread"
            legs = tuple(Leg(kind, side if leg == first else -side) for leg in range(3))
            pairs = [((first, other) if side == LONG else (other, first), rest) for other, rest in (inner, inner[::-1])]
            parts = tuple(((spread, pair), (single, (rest,))) for pair, rest in pairs)
            other = f"{'long' if side == LONG else 'short'} {name} ladder"
            conditions = (*_strikes("<", "<"), *_one_expiry(range(3)))
            entries.append(_composite(f"{direction}_{name}_ladder", legs, conditions, parts, other, f"{name} Christmas tree"))
            ratio = f"{name}_ratio_spread" if side == LONG else f"{name}_backspread"
            two = tuple(Leg(kind, side) if leg == first // 2 else Leg(kind, -side, 2) for leg in range(2))
            near, far = first // 2, 1 - first // 2
            pair = (near, far) if side == LONG else (far, near)
            called = ("front spread", "1 x 2 ratio") if side == LONG else ("reverse ratio spread", "volatility spread")
            entries.append(_composite(ratio, two, (*_strikes("<"), *_one_expiry(range(2))), (((spread, pair), (single, (far,))),), *called))
    return tuple(entries)


def _jelly_rolls() -> tuple[Structure, ...]:
    """Calendar spreads of calls and puts in opposite directions; legs: near call, near put, far call, far put."""
    conditions = (("strike", 0, "==", 1), ("strike", 1, "==", 2), ("strike", 2, "==", 3), ("expiry", 0, "==", 1), ("expiry", 1, "<", 2))
    entries = []
    for name, side in (("jelly_roll", LONG), ("short_jelly_roll", SHORT)):
        legs = (Leg(CALL, -side), Leg(PUT, side), Leg(CALL, side), Leg(PUT, -side))
        covered, naked = ("call", "put") if side == LONG else ("put", "call")
        pair, rest = ((2, 0), (3, 1)) if side == LONG else ((3, 1), (2, 0))
        parts = (((f"{covered}_calendar_spread", pair), (f"naked_{naked}", rest[:1]), ("long_option", rest[1:])),)
        entries.append(_composite(name, legs, (*conditions, ("expiry", 2, "==", 3)), parts, "roll"))
    return tuple(entries)


COMPOSITES: tuple[Structure, ...] = (*_jelly_rolls(), *_ladders())
"""Names for several groups that need together what they need apart; those of more legs come first."""
