"""Values by QuantLib for the tests of this folder: one option at a time, flat curves, years of 365 days."""

from __future__ import annotations

import pytest

ql = pytest.importorskip("QuantLib")

TODAY = ql.Date(15, 6, 2022)


class QuantLibOption:
    """One option on an asset with a continuous yield.

    Attributes
    ----------
    process, option : objects of QuantLib, to price with any of its engines.
    """

    def __init__(self, spot, strike, days, rate, dividend_yield, volatility, is_call, is_american):
        ql.Settings.instance().evaluationDate = TODAY
        day_count = ql.Actual365Fixed()
        curve = lambda x: ql.YieldTermStructureHandle(ql.FlatForward(TODAY, float(x), day_count))  # noqa: E731
        surface = ql.BlackVolTermStructureHandle(ql.BlackConstantVol(TODAY, ql.NullCalendar(), float(volatility), day_count))
        quote = ql.QuoteHandle(ql.SimpleQuote(float(spot)))
        self.process = ql.BlackScholesMertonProcess(quote, curve(dividend_yield), curve(rate), surface)
        expiry = TODAY + int(days)
        exercise = ql.AmericanExercise(TODAY, expiry) if is_american else ql.EuropeanExercise(expiry)
        self.option = ql.VanillaOption(ql.PlainVanillaPayoff(ql.Option.Call if is_call else ql.Option.Put, float(strike)), exercise)

    def priced_by(self, engine, *arguments):
        """The option, priced by an engine of a class of QuantLib."""
        self.option.setPricingEngine(engine(self.process, *arguments))
        return self.option

    def american_value(self):
        """American value by the method of Andersen, Lake and Offengenden with many nodes."""
        return self.priced_by(ql.QdFpAmericanEngine, ql.QdFpAmericanEngine.highPrecisionScheme()).NPV()
