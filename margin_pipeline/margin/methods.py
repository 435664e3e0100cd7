"""Which margin methods an account has, which one governs it, and why others do not apply.

Belongs here: the table of methods. Not here: computing any of them.
"""

from __future__ import annotations

from collections.abc import Collection

METHODS = ("cross_margin", "futures", "portfolio_margin", "reg_t", "schedule_im", "simm", "strategy_based", "tiered")

GOVERNING = {
    "cash": "strategy_based", "reg_t": "strategy_based", "portfolio_margin": "portfolio_margin", "futures": "futures",
    "crypto_cross": "tiered", "crypto_isolated": "tiered", "otc": "schedule_im",
}  # fmt: skip
"""Method that governs each account type; otc: simm where all netting sets agreed on it."""

COMPUTED = {
    "cash": ("strategy_based",),
    "reg_t": ("strategy_based", "reg_t", "portfolio_margin", "cross_margin"),
    "portfolio_margin": ("strategy_based", "reg_t", "portfolio_margin", "cross_margin"),
    "futures": ("futures", "cross_margin"),
    "crypto_cross": ("tiered", "cross_margin"),
    "crypto_isolated": ("tiered",),
    "otc": ("schedule_im", "simm"),
}
"""Methods that are computed for each account type; of an otc account the one that governs it."""
OTC_METHODS = COMPUTED["otc"]
"""Methods of netting sets: the margin that is posted, each set by the model that it agreed on."""

_NOT_SECURITIES = "not a securities account: Regulation T and FINRA 4210 do not apply"
_REASONS = {
    "reg_t": {"cash": "a cash account has no margin: positions are paid for or secured by cash (method strategy_based)"},
    "portfolio_margin": {"cash": "a cash account has no margin: positions are paid for or secured by cash (method strategy_based)"},
    "cross_margin": {
        "cash": "a cash account has no margin that could be offset",
        "crypto_isolated": "each position has a wallet of its own: nothing is offset",
        "otc": "uncleared derivatives are netted within netting sets only",
    },
    "schedule_im": {"otc": "all netting sets of the account agreed on SIMM"},
    "simm": {"otc": "not all netting sets of the account agreed on SIMM: those that did are the component simm of method schedule_im"},
}  # fmt: skip
_OTHERWISE = {
    "reg_t": _NOT_SECURITIES,
    "strategy_based": _NOT_SECURITIES,
    "portfolio_margin": "not a securities margin account: FINRA 4210(g) does not apply",
    "futures": "not a futures account: futures are a component of the other methods",
    "tiered": "not an account under margin schedules: scheduled positions are a component of the other methods",
    "schedule_im": "no uncleared derivatives: applies to otc accounts",
    "simm": "no uncleared derivatives: applies to otc accounts",
    "cross_margin": "does not apply to the account",
}


def otc_method(models: Collection[str]) -> str:
    """Method of an otc account by the models of its netting sets: simm where all agreed on it.

    Else schedule_im, in which each set still has the margin of its own model: an account has one requirement, and nobody's is left out.
    """
    return "simm" if set(models) == {"simm"} else "schedule_im"


def why_not(method: str, account_type: str) -> str:
    """Why an account has no row of a method."""
    return _REASONS.get(method, {}).get(account_type, _OTHERWISE[method])
