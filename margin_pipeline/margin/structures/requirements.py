"""What one unit of a structure requires, as the manual prints it and as it is compared with margin equity.

Belongs here: one function a rule, on columns of legs. Not here: which structure a leg joins, sums over a book, exchange rates.

All amounts are in instrument currency. NaN says that an input is missing or that the structure is not admissible in the account.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from margin_pipeline.margin.models.option import short_requirement
from margin_pipeline.margin.models.stock import initial_margin, maintenance_margin
from margin_pipeline.margin.structures.catalogue import CALL, CONVERTIBLE, LONG, PUT, SHORT, STOCK, UNKNOWN, WARRANT, Structure
from margin_pipeline.margin.structures.leg_table import Array, LegTable


@dataclass(frozen=True)
class Amounts:
    """Amounts of one unit each, (n,) arrays, instrument currency.

    Attributes
    ----------
    maintenance, initial : compared with margin equity.
    gross : initial requirement as the Cboe margin manual prints it, short stock with 100 % of its proceeds.
    proceeds : premium of the short options, which may be applied to it.
    maintenance_gross : maintenance as the manual prints it.
    """

    maintenance: Array
    initial: Array
    gross: Array
    proceeds: Array
    maintenance_gross: Array

    def where(self, condition: Array, other: Amounts) -> Amounts:
        """These amounts where the condition holds, the others elsewhere."""
        return Amounts(*(np.where(condition, getattr(self, f), getattr(other, f)) for f in self.__dataclass_fields__))


@dataclass(frozen=True)
class _Legs:
    """Columns of the legs of n candidates: arrays of shape (n, k)."""

    table: LegTable
    index: Array

    def __getitem__(self, field: str) -> Array:
        return getattr(self.table, field)[self.index]


def short_option_requirement(legs: _Legs) -> Array:
    """Requirement of one short option contract, premium included; FINRA 4210(f)(2)(E), or what the house asks if that is more."""
    options = legs.table.options
    a_unit = short_requirement(
        legs["price"], legs["spot"], legs["strike"], legs["kind"] == CALL, legs["rate"], options.minimum_rate, legs["leverage"]
    )
    return np.maximum(legs["multiplier"] * a_unit, legs["house_maintenance"])


def single_amounts(table: LegTable) -> Amounts:
    """Amounts of one unit of every leg on its own: (n,) arrays over the whole table."""
    legs = _Legs(table, np.arange(len(table)))
    premium = table.price * table.multiplier
    share = np.isin(table.kind, (STOCK, CONVERTIBLE, WARRANT))
    long_option = np.isin(table.kind, (CALL, PUT)) & (table.side == LONG)
    short_option = np.isin(table.kind, (CALL, PUT)) & (table.side == SHORT)
    zero, nothing = np.zeros(len(table)), np.full(len(table), np.nan)
    securities = _single_security(table)
    long_rate = np.where(table.long_dated, table.options.long_dated_rate, 1.0)
    loan = np.where(table.long_dated, long_rate * premium, 0.0)
    long = Amounts(loan, long_rate * premium, long_rate * premium, zero, loan)
    naked = short_option_requirement(legs)
    opened = np.maximum(naked, table.house_initial)
    short = Amounts(naked, opened, opened, premium, naked)
    unknown = Amounts(nothing, nothing, nothing, nothing, nothing)
    margin_account = securities.where(share, long.where(long_option, short.where(short_option, unknown)))
    return _single_in_cash_account(table, premium).where(table.cash_account, margin_account)


def _single_security(table: LegTable) -> Amounts:
    maintenance = maintenance_margin(table.side, table.price, table.stock, table.leverage, table.dollars)
    maintenance = np.maximum(maintenance, table.house_maintenance)
    initial = np.maximum(initial_margin(table.side, table.price, maintenance, table.stock), table.house_initial)
    proceeds = np.where(table.side == SHORT, table.price, 0.0)
    zero = np.zeros(len(table))
    return Amounts(maintenance, initial, initial + proceeds, zero, maintenance + proceeds)


def _single_in_cash_account(table: LegTable, premium: Array) -> Amounts:
    """A cash account: what is long is paid, a short put is secured by its exercise price, other shorts are not admissible (NaN)."""
    zero, nothing = np.zeros(len(table)), np.full(len(table), np.nan)
    known = table.kind != UNKNOWN
    long = (table.side == LONG) & known
    short_put = (table.side == SHORT) & (table.kind == PUT)
    secured = table.strike * table.multiplier
    paid = Amounts(zero, zero, premium, zero, zero)
    put = Amounts(secured, secured, secured, premium, secured)
    return paid.where(long, put.where(short_put, Amounts(nothing, nothing, nothing, nothing, nothing)))


def greatest_intrinsic_loss(legs: _Legs, structure: Structure) -> Array:
    """Greatest net intrinsic loss of one unit over all prices of the underlying, premiums apart; Cboe SR-CBOE-2012-043.

    The pay-off is piecewise linear with kinks at the strikes and does not fall beyond the highest (structures have no net short call), so
    the greatest loss stands at zero or at a strike.
    """
    strike, call = legs["strike"], legs["kind"] == CALL
    held = np.array([leg.side * leg.ratio for leg in structure.legs])
    worst = np.zeros(len(strike))
    for price in (np.zeros(len(strike)), *strike.T):
        above = price[:, None] - strike
        value = (np.maximum(np.where(call, above, -above), 0.0) * held).sum(axis=1)
        worst = np.maximum(worst, 0.0 - value)
    return worst * legs["multiplier"][:, 0] + 0.0


def maximum_loss(legs: _Legs, structure: Structure) -> Amounts:
    """Options that limit each other's loss: the greatest loss without premiums; printed with the long premiums, which must be paid.

    In a cash account admitted when nothing can be lost beyond the price paid, or when all legs are European, cash-settled and expire
    together (FINRA 4210(f)(2)(M)(ii)-(iii)); NaN otherwise.
    """
    loss = greatest_intrinsic_loss(legs, structure)
    premium = legs["price"] * legs["multiplier"]
    held = np.array([leg.side * leg.ratio for leg in structure.legs])
    paid, received = (premium * np.maximum(held, 0)), (premium * np.maximum(-held, 0))
    gross = loss + paid[:, held > 0].sum(axis=1)
    expiry = legs["expiry"]
    secured = legs["european"].all(axis=1) & legs["cash_settled"].all(axis=1) & (expiry == expiry[:, :1]).all(axis=1)
    admitted = ~legs["cash_account"][:, 0] | (loss == 0.0) | secured
    margin = np.where(admitted, loss, np.nan)
    return Amounts(margin, margin, gross, received[:, held < 0].sum(axis=1), gross)


def box(legs: _Legs, structure: Structure) -> Amounts:
    """Box spread: the greatest loss without premiums; the manual prints half the width for a long European box settled in cash.

    FINRA 4210(f)(2)(F)(iii): such a box lends against half of what it will surely pay; nothing else is asked of it.
    """
    amounts = maximum_loss(legs, structure)
    width = np.abs(legs["strike"][:, 2] - legs["strike"][:, 0]) * legs["multiplier"][:, 0]
    lends = legs["european"].all(axis=1) & legs["cash_settled"].all(axis=1) & ~legs["cash_account"][:, 0]
    lends &= structure.legs[0].side == LONG
    half = legs.table.options.long_box_rate * width
    zero = np.zeros(len(width))
    return Amounts(amounts.maintenance, amounts.initial, half, zero, half).where(lends, amounts)


def universal_loss(table: LegTable, leg: Array, quantity: Array) -> tuple[Array, Array]:
    """Money lost on options of one kind of contract at every kink of their pay-off, premiums apart.

    Parameters
    ----------
    table : legs.
    leg : (k,) rows of options of one multiplier.
    quantity : (k,) signed contracts.

    Returns
    -------
    Prices (zero and every strike, ascending) and the loss at each, instrument currency, negative where money is made.
    """
    price = np.unique(np.concatenate([[0.0], table.strike[leg]]))
    above = price[:, None] - table.strike[leg]
    intrinsic = np.maximum(np.where(table.kind[leg] == CALL, above, -above), 0.0)
    return price, 0.0 - intrinsic @ (quantity * table.multiplier[leg])


def universal_amounts(table: LegTable, leg: Array, quantity: Array) -> tuple[float, float, float]:
    """Margin, printed requirement and proceeds of options that are margined together at their maximum loss; see `maximum_loss`."""
    loss = float(np.maximum(universal_loss(table, leg, quantity)[1].max(), 0.0))
    premium = table.price[leg] * table.multiplier[leg] * quantity
    return loss, loss + float(premium[quantity > 0].sum()), -float(premium[quantity < 0].sum())


def short_put_and_call(legs: _Legs, structure: Structure) -> Amounts:
    """Short put and short call: the greater of the two requirements plus the premium of the other side; FINRA 4210(f)(2)(G)(i)."""
    premium = legs["price"] * legs["multiplier"]
    each = short_option_requirement(legs)
    opened = np.maximum(each, legs["house_initial"])
    total, initial = (np.where(a[:, 0] >= a[:, 1], a[:, 0] + premium[:, 1], a[:, 1] + premium[:, 0]) for a in (each, opened))
    return Amounts(total, initial, initial, premium.sum(axis=1), total)


def long_options(legs: _Legs, structure: Structure) -> Amounts:
    """Long options side by side: each as on its own."""
    alone = single_amounts(legs.table)
    return Amounts(*(getattr(alone, f)[legs.index].sum(axis=1) for f in alone.__dataclass_fields__))


@dataclass(frozen=True)
class _StockUnit:
    """The stock of one unit: what makes the shares that one contract delivers; money for the whole unit."""

    shares: Array
    value: Array
    maintenance: Array
    initial: Array


def _units(legs: _Legs) -> Array:
    """Units of the security that stand for what one contract delivers."""
    return legs.table.units_of_security(legs.index[:, 0], legs.index[:, 1])


def _stock_unit(legs: _Legs) -> _StockUnit:
    shares, price, side = _units(legs), legs["price"][:, 0], legs["side"][:, 0]
    maintenance = maintenance_margin(side * shares, price, legs.table.stock, legs["leverage"][:, 0], legs["dollars"][:, 0])
    maintenance = np.maximum(maintenance, shares * legs["house_maintenance"][:, 0])
    initial = initial_margin(side * shares, price, maintenance, legs.table.stock)
    return _StockUnit(shares, shares * price, maintenance, np.maximum(initial, shares * legs["house_initial"][:, 0]))


def _in_the_money(legs: _Legs, leg: int) -> Array:
    call = legs["kind"][:, leg] == CALL
    distance = legs["spot"][:, leg] - legs["strike"][:, leg]
    return legs["size"][:, leg] * np.maximum(np.where(call, distance, -distance), 0.0)


def _out_of_the_money(legs: _Legs, leg: int) -> Array:
    call = legs["kind"][:, leg] == CALL
    distance = legs["spot"][:, leg] - legs["strike"][:, leg]
    return legs["size"][:, leg] * np.maximum(np.where(call, -distance, distance), 0.0)


def _premium(legs: _Legs, leg: int) -> Array:
    return legs["price"][:, leg] * legs["multiplier"][:, leg]


def _exercise(legs: _Legs, leg: int) -> Array:
    return legs["strike"][:, leg] * legs["size"][:, leg]


def _paid_in_cash_account(legs: _Legs, amounts: Amounts) -> Amounts:
    """In a cash account nothing more is needed: the stock and the long options are paid for, the stock covers the short call."""
    long = np.where(legs["side"] == LONG, legs["price"], 0.0)
    shares = np.concatenate([_units(legs)[:, None], legs["multiplier"][:, 1:]], axis=1)
    zero = np.zeros(len(long))
    paid = Amounts(zero, zero, (long * shares).sum(axis=1), amounts.proceeds, zero)
    return paid.where(legs["cash_account"][:, 0], amounts)


def covered_call(legs: _Legs, structure: Structure) -> Amounts:
    """Long stock covers a short call: the stock's requirement at no more than K, plus max(S - K, 0), which the stock will not bring.

    A convertible covers like the stock, at its own price. FINRA 4210(f)(2)(H)(iv): what covers counts for no more than the exercise price.
    The manual prints the stock's requirement alone, without the excess over K, and initial margin on the whole value of the stock.
    """
    stock = _stock_unit(legs)
    cap = np.minimum(1.0, _exercise(legs, 1) / stock.value)
    printed = stock.maintenance * cap
    maintenance = printed + _in_the_money(legs, 1)
    amounts = Amounts(maintenance, np.maximum(stock.initial, maintenance), stock.initial, _premium(legs, 1), printed)
    return _paid_in_cash_account(legs, amounts)


def warrant_covered_call(legs: _Legs, structure: Structure) -> Amounts:
    """Long warrants cover a short call: the warrants in full, plus what their exercise price exceeds the call's by.

    FINRA 4210(f)(2)(H)(iv): warrants that ask for a payment have no loan value here. The manual prints maintenance with the warrants
    at no more than the call's exercise price.
    """
    warrants = _units(legs)
    value = warrants * legs["price"][:, 0]
    payment = np.maximum(legs["strike"][:, 0] - legs["strike"][:, 1], 0.0) * legs["size"][:, 1]
    needed = value + payment
    printed = np.minimum(value, _exercise(legs, 1)) + payment
    return Amounts(needed, needed, needed, _premium(legs, 1), printed)


def covered_put(legs: _Legs, structure: Structure) -> Amounts:
    """Short stock covers a short put: the stock's requirement plus what the put is in the money."""
    stock = _stock_unit(legs)
    excess = _in_the_money(legs, 1)
    maintenance, initial = stock.maintenance + excess, stock.initial + excess
    return Amounts(maintenance, initial, stock.value + initial, _premium(legs, 1), stock.value + maintenance)


def _hedge(legs: _Legs, stock: _StockUnit) -> Array:
    """Least of 10 % of the exercise price plus the out-of-the-money amount, and the stock's own maintenance."""
    return np.minimum(legs.table.options.hedge_rate * _exercise(legs, 1) + _out_of_the_money(legs, 1), stock.maintenance)


def protective_put(legs: _Legs, structure: Structure) -> Amounts:
    """Long put protects long stock: min(10 % K + out-of-the-money amount, the stock's maintenance)."""
    stock = _stock_unit(legs)
    maintenance = _hedge(legs, stock)
    initial = stock.initial + _premium(legs, 1)
    return _paid_in_cash_account(legs, Amounts(maintenance, initial, initial, np.zeros(len(initial)), maintenance))


def protective_call(legs: _Legs, structure: Structure) -> Amounts:
    """Long call protects short stock: min(10 % K + out-of-the-money amount, the stock's maintenance) beyond its proceeds."""
    stock = _stock_unit(legs)
    maintenance = _hedge(legs, stock)
    initial = stock.initial + _premium(legs, 1)
    return Amounts(maintenance, initial, stock.value + initial, np.zeros(len(initial)), stock.value + maintenance)


def conversion(legs: _Legs, structure: Structure) -> Amounts:
    """Long stock, long put, short call at one strike: 10 % of the exercise price; the stock counts for no more than K."""
    stock = _stock_unit(legs)
    excess = _in_the_money(legs, 2)
    printed = legs.table.options.hedge_rate * _exercise(legs, 1)
    initial = stock.initial + _premium(legs, 1)
    amounts = Amounts(printed + excess, np.maximum(initial, printed) + excess, initial, _premium(legs, 2), printed)
    return _paid_in_cash_account(legs, amounts)


def collar(legs: _Legs, structure: Structure) -> Amounts:
    """Long stock between a long put and a short call: min(10 % of the put's K + its out-of-the-money amount, 25 % of the call's K)."""
    stock = _stock_unit(legs)
    excess = _in_the_money(legs, 2)
    rates = legs.table.options
    put_side = rates.hedge_rate * _exercise(legs, 1) + _out_of_the_money(legs, 1)
    printed = np.minimum(put_side, legs.table.stock.long_maintenance * _exercise(legs, 2))
    initial = stock.initial + _premium(legs, 1)
    amounts = Amounts(printed + excess, np.maximum(initial, printed) + excess, initial, _premium(legs, 2), printed)
    return _paid_in_cash_account(legs, amounts)


def reverse_conversion(legs: _Legs, structure: Structure) -> Amounts:
    """Short stock, long call, short put at one strike: 10 % of the exercise price plus what the put is in the money.

    The manual prints 110 % of the exercise price plus that amount, the short stock counted at the exercise price.
    """
    stock = _stock_unit(legs)
    excess = _in_the_money(legs, 2)
    exercise = _exercise(legs, 1)
    maintenance = legs.table.options.hedge_rate * exercise + excess
    initial = np.maximum(stock.initial, maintenance) + _premium(legs, 1)
    return Amounts(maintenance, initial, stock.value + initial, _premium(legs, 2), exercise + maintenance)


REQUIREMENTS: dict[str, Callable[[_Legs, Structure], Amounts]] = {
    f.__name__: f
    for f in (
        maximum_loss,
        box,
        short_put_and_call,
        long_options,
        covered_call,
        warrant_covered_call,
        covered_put,
        protective_put,
        protective_call,
        conversion,
        collar,
        reverse_conversion,
    )
}
"""Requirement functions by the name that structures declare."""


def requirement_of(structure: Structure, table: LegTable, index: Array) -> Amounts:
    """Amounts of one unit of a structure at n places.

    Parameters
    ----------
    structure : entry of the catalogue.
    table : legs.
    index : (n, k) rows of the table, one column a leg of the structure.

    Returns
    -------
    Amounts of (n,) arrays; maintenance and initial are NaN where an input is missing or a cash account does not admit the structure.
    """
    legs = _Legs(table, index)
    amounts = REQUIREMENTS[structure.requirement](legs, structure)
    if structure.in_cash_account != "never":
        return amounts
    barred = legs["cash_account"][:, 0]
    nothing = np.full(len(index), np.nan)
    return Amounts(nothing, nothing, nothing, nothing, nothing).where(barred, amounts)
