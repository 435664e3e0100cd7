"""How the requirement of one group of stock and options came about, in plain text.

Belongs here: wording and layout of a group, down to its arithmetic. Not here: computing a requirement; figures are those of the table
strategy_groups, and sums are formed only where they show that these add up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from margin_pipeline.reports.layout import WIDTH, columns, figure, money, words, wrapped

SHOWN_APART = {
    "rule", "reference", "inputs", "loss_by_price", "maintenance_a_unit", "initial_a_unit", "currency", "fx_rate", "parameter_sets",
}  # fmt: skip
PREMIUM_AND_GREATER = ("premium", "percentage_less_out_of_the_money", "minimum", "rate", "out_of_the_money")
"""Figures of a short option that the arithmetic shows."""
PAY_OFF = {"type", "strike", "multiplier", "quantity"}
"""What the pay-off of a leg takes."""

IN_STEPS = {"sides", *PREMIUM_AND_GREATER}

LABEL = 14
AGREES = 1e-6


def group_lines(group: Mapping[str, Any], base_currency: str, in_full: bool) -> list[str]:
    """A group as lines: what it is, what it needs, and why.

    Parameters
    ----------
    group : row of strategy_groups with `strategies`, JSON read.
    base_currency : ISO 4217 code.
    in_full : whether to show who holds it, and the arithmetic step by step.
    """
    told = group["explanation"]
    title = f"{group['group_id']}  {words(group['structure'])}, {figure(group['units'])} {_units(group)}"
    needs = f"maintenance {money(group['maintenance_margin'])}, initial {money(group['initial_margin'])}"
    lines = ["", title.ljust(WIDTH - len(needs)) + needs if len(title) + len(needs) + 2 <= WIDTH else f"{title}: {needs}"]
    lines += _legs(group)
    for name in ("missing", "rule", "reference"):
        text = "; ".join(group["missing"] or []) if name == "missing" else told.get(name)
        lines += labelled(name, str(text)) if text else []
    steps = _arithmetic(group) if in_full else []
    if told.get("loss_by_price") and not steps:
        steps = labelled("loss", _losses(told["loss_by_price"], str(group["underlying"])))
    lines += [*steps, *(_held_by(group) if in_full else [])]
    rest = {name: value for name, value in told.items() if name not in SHOWN_APART and not (in_full and steps and name in IN_STEPS)}
    lines += labelled("figures", named(rest)) if rest else []
    if group["maintenance_margin"] is None:
        return lines
    lines += labelled("a unit", _a_unit(group, base_currency)) if told.get("maintenance_a_unit") is not None else []
    return lines + labelled("as printed", _printed(group))


def labelled(label: str, text: str) -> list[str]:
    """A text behind its label."""
    return wrapped(text, f"    {words(label):<{LABEL}}")


def named(values: Mapping[str, Any]) -> str:
    """Names and values as one sentence: "security value 12,567.4; short call in the money 0"."""
    return "; ".join(f"{words(name)} {_value(value)}" for name, value in values.items())


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return f"({named(value)})"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(_value(part) for part in value)
    return figure(value)


def _units(group: Mapping[str, Any]) -> str:
    if len(group["legs"]) > 1:
        return "unit" if group["units"] == 1 else "units"
    return "contracts" if group["explanation"].get("inputs") or "option" in group["structure"] else "units"


def _legs(group: Mapping[str, Any]) -> list[str]:
    inputs = {leg["symbol"]: leg for leg in group["explanation"].get("inputs") or []}
    rows = []
    for leg in group["legs"]:
        told = inputs.get(leg["symbol"], {})
        contract = [str(told.get("type", "")), *(figure(told[name]) if name in told else "" for name in ("strike", "expiry"))]
        price = figure(told["price"]) if "price" in told else ""
        rows.append((figure(leg["quantity"]), leg["symbol"], *contract, price))
    header = ("quantity", "symbol", "type", "strike", "expiry", "price")
    used = [place for place in range(len(header)) if any(row[place] for row in rows)]
    right = [at for at, place in enumerate(used) if place in (0, 3, 5)]
    return columns([[row[place] for place in used] for row in rows], right, [header[place] for place in used], indent=4)


def _losses(loss_by_price: Sequence[Sequence[float]], underlying: str) -> str:
    shown = "; ".join(f"{figure(loss)} at {figure(price)}" for price, loss in loss_by_price)
    return f"of a unit, by the price of {underlying} at expiry: {shown}; the greatest counts, and nothing where none is above 0"


def _arithmetic(group: Mapping[str, Any]) -> list[str]:
    told = group["explanation"]
    if told.get("loss_by_price"):
        # Legs that are no options have no strike: their part in the loss is not shown.
        options = all(leg.keys() >= PAY_OFF for leg in told.get("inputs") or [{}])
        return [*_pay_offs(told, str(group["underlying"])), *_wings(told)] if options else []
    terms = told.get("sides") or [told]
    return [line for side in terms for line in _premium_and_greater(side)]


def _pay_offs(told: Mapping[str, Any], underlying: str) -> list[str]:
    """What each leg of a unit is worth at expiry, by price, and the loss: the table's own, with the legs where they add up to it."""
    legs, losses = told["inputs"], told["loss_by_price"]
    rows = [[leg["quantity"] * leg["multiplier"] * _intrinsic(leg, price) for leg in legs] for price, _ in losses]
    add_up = all(abs(sum(row) + loss) <= AGREES * (1.0 + abs(loss)) for row, (_, loss) in zip(rows, losses, strict=True))
    header = [
        f"{underlying} at expiry",
        *(f"{figure(leg['quantity'])} {leg['type']} {figure(leg['strike'])}" for leg in legs),
        "loss of a unit",
    ]
    cells = [[figure(price), *map(figure, row), figure(loss)] for row, (price, loss) in zip(rows, losses, strict=True)]
    lines = columns(cells, range(len(header)), header, indent=4)
    if not add_up or max(map(len, lines)) > WIDTH:
        lines = columns([[row[0], row[-1]] for row in cells], [0, 1], [header[0], header[-1]], indent=4)
    return [*lines, *labelled("", "Between these prices the loss runs straight; above the last it does not grow.")]


def _intrinsic(leg: Mapping[str, Any], price: float) -> float:
    return max(price - leg["strike"] if leg["type"] == "call" else leg["strike"] - price, 0.0)


def _wings(told: Mapping[str, Any]) -> list[str]:
    """Width of each wing of a spread of puts and a spread of calls, and which of them counts."""
    wings = {kind: wing for kind in ("put", "call") if (wing := _wing(told["inputs"], kind))}
    lines = []
    for kind, (long, short) in wings.items():
        width, size = abs(long["strike"] - short["strike"]), long["multiplier"] * abs(long["quantity"])
        strikes = f"{figure(short['strike'])} to {figure(long['strike'])} is {figure(width)} wide"
        lines += labelled(f"{kind} wing", f"{strikes} x {figure(size)} = {figure(width * size)}")
    widths = {kind: abs(long["strike"] - short["strike"]) for kind, (long, short) in wings.items()}
    if len(widths) == 2 and told["maintenance_a_unit"]:
        at_once = "At expiry the price is beyond one wing at most, so one of them can be lost, not both"
        same = len(set(widths.values())) == 1
        lines += labelled(
            "",
            f"{at_once}: {'they are equally wide' if same else f'the wider one counts, the {max(widths, key=widths.__getitem__)} wing'}.",
        )
    return lines


def _wing(inputs: Sequence[Mapping[str, Any]], kind: str) -> tuple[Mapping[str, Any], Mapping[str, Any]] | None:
    """Long and short leg of a credit spread that is all there is of this type."""
    legs = [leg for leg in inputs if leg["type"] == kind]
    long, short = [leg for leg in legs if leg["quantity"] > 0], [leg for leg in legs if leg["quantity"] < 0]
    if len(long) != 1 or len(short) != 1 or long[0]["quantity"] != -short[0]["quantity"]:
        return None
    outside = long[0]["strike"] > short[0]["strike"] if kind == "call" else long[0]["strike"] < short[0]["strike"]
    return (long[0], short[0]) if outside else None


def _premium_and_greater(side: Mapping[str, Any]) -> list[str]:
    """Premium plus the greater of percentage and minimum, of one contract."""
    if any(side.get(name) is None for name in PREMIUM_AND_GREATER):
        return []
    premium, percentage, minimum, rate, out = (float(side[name]) for name in PREMIUM_AND_GREATER)
    greater = max(percentage, minimum)
    label = side.get("symbol", "a contract")
    return labelled(
        "arithmetic",
        f"{label}: premium {figure(premium)} + the greater of {figure(percentage)} ({figure(rate)} x the underlying's value "
        f"{figure(percentage + out)} less {figure(out)} out of the money) and {figure(minimum)} (minimum) = {figure(premium + greater)}",
    )


def _held_by(group: Mapping[str, Any]) -> list[str]:
    rows = [
        f"{leg['strategy']} {figure(leg['quantity'])} {leg['symbol']} (carries {money(leg['requirement_share'])})"
        for leg in group["strategies"]
    ]
    return labelled("held by", "; ".join(rows)) if rows else []


def _a_unit(group: Mapping[str, Any], base_currency: str) -> str:
    told, units = group["explanation"], group["units"]
    currency, rate = told.get("currency", base_currency), told.get("fx_rate", 1.0)
    exchanged = "" if currency == base_currency else f" x {figure(rate)} {base_currency} for one {currency}"
    parts = [
        f"{name} {figure(told[f'{name}_a_unit'])} {currency} x {figure(units)}{exchanged} = {money(group[f'{name}_margin'])}"
        for name in ("maintenance", "initial")
    ]
    return "; ".join(parts)


def _printed(group: Mapping[str, Any]) -> str:
    gross, proceeds, net, kept = (money(group[n]) for n in ("gross_requirement", "applied_proceeds", "net_call", "maintenance_gross"))
    return f"by the Cboe manual: gross {gross} less proceeds {proceeds} = net call {net}; maintenance {kept}"
