-- Uncleared margin: what is called from and delivered to each counterparty of uncleared derivatives.

create table margin_data.uncleared_margin_calls (
    as_of                        date   not null,
    calculation_id               bigint not null,
    portfolio_id                 text   not null,
    counterparty                 text   not null,
    regime                       text   not null,
    netting_set_id               text   not null,
    kind                         text   not null check (kind in ('initial', 'variation')),
    side                         text   not null check (side in ('call', 'post')),
    in_scope                     boolean,
    scope_reason                 text,
    requirement                  double precision check (requirement >= 0),
    threshold                    double precision check (threshold >= 0),
    requirement_after_threshold  double precision check (requirement_after_threshold >= 0),
    minimum_transfer_amount      double precision check (minimum_transfer_amount >= 0),
    held                         double precision check (held >= 0),
    shortfall                    double precision check (shortfall >= 0),
    delivery_amount              double precision check (delivery_amount >= 0),
    return_amount                double precision check (return_amount >= 0),
    missing                      text,
    explanation                  jsonb  not null,
    primary key (as_of, calculation_id, portfolio_id, counterparty, regime, netting_set_id, kind, side),
    check ((delivery_amount is null) = (missing is not null)),
    check ((return_amount is null) = (delivery_amount is null)),
    check (in_scope is true or scope_reason is not null),
    check (kind = 'variation' or in_scope is not null or delivery_amount is null),
    check (delivery_amount = 0 or delivery_amount <= shortfall * 1.000000001)
) partition by range (as_of);
comment on table  margin_data.uncleared_margin_calls is 'Initial and variation margin of uncleared derivatives: required, held, to deliver and to return, by netting set and counterparty.';
comment on column margin_data.uncleared_margin_calls.counterparty is 'Name of the counterparty; empty text where it has none.';
comment on column margin_data.uncleared_margin_calls.regime is 'Regime of uncleared margin: us_prudential, cftc, emir, uk or mas, by netting set or by the portfolio.';
comment on column margin_data.uncleared_margin_calls.netting_set_id is 'Netting set; empty text: all uncleared netting sets with the counterparty under the regime.';
comment on column margin_data.uncleared_margin_calls.kind is 'initial or variation.';
comment on column margin_data.uncleared_margin_calls.side is 'call: margin that we collect; post: margin that we give.';
comment on column margin_data.uncleared_margin_calls.in_scope is 'Whether the regime requires this margin between the two parties; empty: undetermined. Variation margin is exchanged by agreement too.';
comment on column margin_data.uncleared_margin_calls.scope_reason is 'Why it is not required, or what is missing to tell.';
comment on column margin_data.uncleared_margin_calls.requirement is 'Margin of the agreed model, or value in favour of the collecting side, before any threshold, base currency.';
comment on column margin_data.uncleared_margin_calls.threshold is 'Threshold that counts, base currency: the agreed one as far as the regime allows; of initial margin the share of the netting set in that of its counterparty.';
comment on column margin_data.uncleared_margin_calls.requirement_after_threshold is 'What the collecting side should hold, base currency; 0 out of scope.';
comment on column margin_data.uncleared_margin_calls.minimum_transfer_amount is 'Least amount that moves, of initial and variation margin together, base currency: the agreed one as far as the regime allows.';
comment on column margin_data.uncleared_margin_calls.held is 'What the collecting side holds, base currency.';
comment on column margin_data.uncleared_margin_calls.shortfall is 'What it lacks, before the minimum transfer amount, base currency.';
comment on column margin_data.uncleared_margin_calls.delivery_amount is 'What the other side delivers now, base currency: a call to issue (side call) or to expect (side post); empty: undetermined.';
comment on column margin_data.uncleared_margin_calls.return_amount is 'What the collecting side gives back now, base currency; empty: undetermined.';
comment on column margin_data.uncleared_margin_calls.missing is 'What is missing; then there is no call.';
comment on column margin_data.uncleared_margin_calls.explanation is 'Rule, parameters, agreed amounts and intermediate figures.';

do $$ begin perform margin_data.show_tables(array['uncleared_margin_calls']); end $$;
