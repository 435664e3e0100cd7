"""Tests of risk arrays and parameters: as CSV, and as the exchange writes them in XML.

Belongs here: what the files become, and what happens to records that cannot be used. Not here: margin.
"""

from __future__ import annotations

import pytest

from margin_pipeline.landing import LandingError, fingerprint

INSTRUMENTS = (
    "symbol,asset_class,underlying,option_type,strike,expiry,multiplier,root,class_group\n"
    "AAPL,equity,,,,,,,\n"
    "ESH3,future,SPX,,,2023-03-17,50,ES,SP\n"
    "ESM3,future,SPX,,,2023-06-16,50,ES,SP\n"
    "MESH3,future,SPX,,,2023-03-17,5,MES,SP\n"
    "ES_C4000,future_option,ESH3,call,4000,2023-03-17,50,,SP\n"
    "NQ_H3,future,NDX,,,2023-03-17,20,NQ,NQ\n"
)
POSITIONS = "portfolio_id,strategy,symbol,quantity\n"
ARRAY = [0, 0, -3330, -3330, 3330, 3330, -6670, -6670, 6670, 6670, -10000, -10000, 10000, 10000, -7000, 7000]


def array(scale=1.0, delta=1, values=ARRAY):
    return "<ra><r>1</r>" + "".join(f"<a>{v * scale:g}</a>" for v in values) + f"<d>{delta}</d></ra>"


def future(period, expiry, scan=10000, cvf=50, **keywords):
    ranges = f"<scanRate><r>1</r><priceScan>{scan}</priceScan><volScan>0.05</volScan></scanRate>"
    return f"<fut><cId>1</cId><pe>{period}</pe><setlDate>{expiry}</setlDate><cvf>{cvf}</cvf>{array(**keywords)}{ranges}</fut>"


CONTRACTS = (
    "<exchange><exch>CME</exch>"
    "<futPf><pfId>1</pfId><pfCode>ES</pfCode><cvf>50</cvf>"
    + future("202303", "20230317")
    + future("202306", "20230616")
    + future("202309", "20230915")
    + "</futPf>"
    "<futPf><pfId>2</pfId><pfCode>NQ</pfCode><cvf>1</cvf>" + future("202303", "20230317", 700, 1, scale=0.05) + "</futPf>"
    "<oofPf><pfId>3</pfId><pfCode>EZ</pfCode><cvf>50</cvf><undPf><pfCode>ES</pfCode></undPf>"
    "<series><pe>202303</pe><setlDate>20230317</setlDate>"
    f"<opt><cId>9</cId><o>C</o><k>4000</k>{array(0.5, 0.5)}</opt>"
    f"<opt><cId>9</cId><o>P</o><k>4000</k>{array(0.5, -0.5)}</opt></series></oofPf>"
    "</exchange>"
)
COMMODITIES = (
    "<ccDef><cc>SP</cc><currency>USD</currency>"
    "<pfLink><pfCode>ES</pfCode><pfType>FUT</pfType><sc>1</sc></pfLink><pfLink><pfCode>EZ</pfCode><pfType>OOF</pfType></pfLink>"
    "<spotRate><r>1</r><pe>202303</pe><sprd>100</sprd><outr>250</outr></spotRate>"
    "<intraTiers><tier><tn>1</tn><sPe>202303</sPe><ePe>202303</ePe></tier>"
    "<tier><tn>2</tn><sPe>202306</sPe><ePe>202312</ePe></tier></intraTiers>"
    "<somTiers><tier><tn>1</tn><rate><r>1</r><val>30</val></rate></tier></somTiers>"
    "<dSpread><spread>1</spread><chargeMeth>F</chargeMeth><rate><r>1</r><val>400</val></rate>"
    "<tLeg><cc>SP</cc><tn>1</tn><rs>A</rs><i>1</i></tLeg><tLeg><cc>SP</cc><tn>2</tn><rs>B</rs><i>1</i></tLeg></dSpread>{more}</ccDef>"
    "<ccDef><cc>NQ</cc><currency>USD</currency><pfLink><pfCode>NQ</pfCode><pfType>FUT</pfType></pfLink></ccDef>"
    "<interSpreads><dSpread><spread>7</spread><chargeMeth>W</chargeMeth><rate><r>1</r><val>80</val></rate>"
    "<tLeg><cc>SP</cc><rs>A</rs><i>1</i></tLeg><tLeg><cc>NQ</cc><rs>B</rs><i>2</i></tLeg></dSpread></interSpreads>"
)
POINTS = (
    "<pointDef><r>1</r><scanPointDef><point>15</point><priceScanDef><mult>1</mult><numerator>3</numerator><denominator>1</denominator>"
    "</priceScanDef><weight>0.33</weight></scanPointDef></pointDef>"
)


def span_xml(contracts=CONTRACTS, commodities=COMMODITIES, more="", head=""):
    inner = f"<clearingOrg><ec>CME</ec>{POINTS}{contracts}{commodities.replace('{more}', more)}</clearingOrg>"
    dated = f"<pointInTime><date>20221227</date>{inner}</pointInTime>"
    return f'<?xml version="1.0"?>{head}<spanFile><fileFormat>4.00</fileFormat>{dated}</spanFile>'


def terms(landed, class_group):
    frame = landed.tables["span_parameters"]
    return frame[frame["class_group"] == class_group].set_index("term")


def test_arrays_of_the_file_gain_where_it_says_that_they_lose(land):
    arrays = land({"instruments.csv": INSTRUMENTS, "positions.csv": POSITIONS, "span.xml": span_xml()})
    arrays = arrays.tables["risk_arrays"]
    assert set(arrays["symbol"]) == {"ESH3", "ESM3", "ES_C4000", "NQ_H3"}
    es = arrays[arrays["symbol"] == "ESH3"].set_index("scenario")["value"]
    assert es.tolist() == [-v if v else 0 for v in ARRAY]
    option = arrays[arrays["symbol"] == "ES_C4000"]
    assert option["value"].max() == 5000
    assert set(option["composite_delta"]) == {0.5}
    nq = arrays[arrays["symbol"] == "NQ_H3"]
    assert nq["value"].max() == 10000, "500 a unit of cvf 1, 20 units a contract"
    assert set(nq["composite_delta"]) == {20.0}


def test_terms_of_the_file(land):
    landed = land({"instruments.csv": INSTRUMENTS, "positions.csv": POSITIONS, "span.xml": span_xml()})
    sp = terms(landed, "SP")
    assert sp.loc["price_scan_range", ["value", "contract_multiplier"]].tolist() == [10000, 50]
    assert sp.loc["volatility_scan_range", "value"] == 0.05
    assert (sp.loc["extreme_multiple", "value"], sp.loc["extreme_fraction", "value"]) == (3, 0.33)
    assert sp.loc["short_option_minimum", "value"] == 30
    assert sp.loc["intra_spread_charge", ["tier_1", "tier_2", "value"]].tolist() == [1, 2, 400]
    assert [str(d.date()) for d in sp.loc["tier", "expiry_to"]] == ["2023-03-17", "2023-09-15"]
    assert sp.loc[["delivery_charge", "delivery_spread_charge"], "value"].tolist() == [250, 100]
    assert str(sp.loc["delivery_charge", "expiry_from"].date()) == "2023-03-17"
    credit = sp.loc["inter_commodity_credit"]
    assert credit[["class_group_2", "delta_1", "delta_2", "side_1", "side_2", "priority", "value"]].tolist() == [
        "NQ",
        1,
        2,
        "a",
        "b",
        7,
        0.8,
    ]
    assert set(sp["effective_date"].dt.strftime("%Y-%m-%d")) == {"2022-12-27"}


def test_contracts_that_match_nothing_are_kept_with_a_reason(land):
    landed = land({"instruments.csv": INSTRUMENTS, "positions.csv": POSITIONS, "span.xml": span_xml()})
    rejected = landed.tables["rejected_rows"]
    assert rejected["source"].tolist() == ["span.xml (risk_arrays)"] * 2
    assert set(rejected["reason"]) == {"the contract is none of the accepted instruments"}
    assert rejected["raw"].str.contains("20230915").sum() == 1
    files = landed.tables["landed_files"].set_index("source")
    assert files.loc["span.xml (risk_arrays)", ["rows_read", "rows_accepted", "rows_rejected"]].tolist() == [66, 64, 2]


THREE_LEGS = (
    "<dSpread><spread>2</spread><chargeMeth>F</chargeMeth><rate><r>1</r><val>1</val></rate>"
    + "<tLeg><cc>SP</cc><tn>1</tn></tLeg>" * 3
    + "</dSpread>"
)


def test_a_charge_that_cannot_be_read_is_not_known_rather_than_nothing(land):
    landed = land({"instruments.csv": INSTRUMENTS, "positions.csv": POSITIONS, "span.xml": span_xml(more=THREE_LEGS)})
    charge = terms(landed, "SP").loc[["intra_spread_charge"]]
    assert charge["value"].isna().tolist() == [True]
    reasons = landed.tables["rejected_rows"].query("source == 'span.xml (span_parameters)'")["reason"].tolist()
    assert "only spreads between two tiers are read" in reasons


def test_short_arrays_and_words_for_numbers_are_refused(land):
    short = CONTRACTS.replace("<a>7000</a>", "", 1).replace("<a>3330</a>", "<a>many</a>", 1)
    landed = land({"instruments.csv": INSTRUMENTS, "positions.csv": POSITIONS, "span.xml": span_xml(short)})
    reasons = set(landed.tables["rejected_rows"]["reason"])
    assert "the array has 15 values, not 16" in reasons
    other = CONTRACTS.replace("<a>3330</a>", "<a>many</a>", 1)
    landed = land({"instruments.csv": INSTRUMENTS, "positions.csv": POSITIONS, "span.xml": span_xml(other)})
    assert '"many" is not a number' in set(landed.tables["rejected_rows"]["reason"])
    assert "ESH3" not in set(landed.tables["risk_arrays"]["symbol"])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (span_xml()[:-20], "cannot be read as XML"),
        ("<other/>", "begins with other"),
        (b"", "cannot be read as XML"),
        (span_xml(head='<!DOCTYPE spanFile [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>'), "declares a document type"),
        (span_xml(head='<!DOCTYPE spanFile SYSTEM "file:///etc/passwd">'), "declares a document type"),
    ],
)
def test_a_file_that_is_no_risk_parameter_file_stops_the_date(land, content, message):
    with pytest.raises(LandingError, match=message):
        land({"span.xml": content})


def test_a_file_of_our_own_form_goes_before_the_exchanges(land, write, as_of):
    rows = "symbol,scenario,value\n" + "".join(f"ESH3,{i},{i}\n" for i in range(1, 17))
    landed = land(
        {
            "instruments.csv": INSTRUMENTS,
            "positions.csv": POSITIONS,
            "span.xml": span_xml(),
            "risk_arrays.csv": rows,
        }
    )
    assert landed.tables["risk_arrays"]["value"].tolist() == list(range(1, 17))
    assert not landed.tables["span_parameters"].empty
    assert any("span.xml: 66 records of risk_arrays were not read" in note for note in landed.notes)
    assert landed.content_hash == fingerprint(write({"instruments.csv": INSTRUMENTS, "positions.csv": POSITIONS}))


def test_an_array_without_one_scenario_is_refused(land):
    rows = "symbol,scenario,value\n" + "".join(f"ESH3,{i},{i}\n" for i in range(1, 16)) + "ESH3,15,15\n"
    landed = land({"risk_arrays.csv": rows})
    assert landed.tables["risk_arrays"].empty
    assert set(landed.tables["rejected_rows"]["reason"]) == {"the array has 15 of 16 scenarios, so none of it is used"}


def test_a_rejected_term_is_not_known(land):
    header = "class_group,effective_date,term,tier_1,tier_2,priority,value\n"
    rows = "SP,2022-01-01,intra_spread_charge,1,2,1,400\nSP,2022-01-01,intra_spread_charge,2,3,2,ten\nNQ,2022-01-01,spred,,,,1\n"
    parameters = land({"span_parameters.csv": header + rows}).tables["span_parameters"]
    assert parameters[["class_group", "term"]].to_numpy().tolist() == [["NQ", "unknown"], ["SP", "intra_spread_charge"]]
    assert parameters["value"].isna().all()
