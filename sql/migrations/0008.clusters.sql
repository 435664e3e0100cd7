-- Correlation clusters: which held risk factors move together, and how much of each portfolio lies in each cluster.

create table margin_data.correlation_clusters (
    as_of             date    not null,
    calculation_id    bigint  not null,
    symbol            text    not null,
    cluster           bigint  not null check (cluster >= 1),
    cluster_size      bigint  not null check (cluster_size >= 1),
    mean_correlation  double precision check (mean_correlation between -1 and 1),
    missing           text,
    primary key (as_of, calculation_id, symbol),
    check (mean_correlation is null or cluster_size > 1),
    check (missing is null or cluster_size = 1)
) partition by range (as_of);
comment on table  margin_data.correlation_clusters is 'Clusters of held risk factors that move together: average linkage on the distance sqrt((1 - correlation) / 2), cut at a setting.';
comment on column margin_data.correlation_clusters.symbol is 'Risk factor: a symbol with a price history.';
comment on column margin_data.correlation_clusters.cluster is 'Number of the cluster on the date: 1 is the largest, equal sizes go by their first symbol.';
comment on column margin_data.correlation_clusters.cluster_size is 'Risk factors in the cluster, count.';
comment on column margin_data.correlation_clusters.mean_correlation is 'Mean correlation of daily returns with the rest of the cluster; empty for a cluster of one.';
comment on column margin_data.correlation_clusters.missing is 'Why the risk factor could not be clustered and is a cluster of its own.';

create table margin_data.portfolio_clusters (
    as_of           date    not null,
    calculation_id  bigint  not null,
    portfolio_id    text    not null,
    cluster         bigint  not null check (cluster >= 1),
    gross_exposure  double precision check (gross_exposure >= 0),
    net_exposure    double precision,
    gross_share     double precision check (gross_share between 0 and 1 + 1e-9),
    missing         text,
    primary key (as_of, calculation_id, portfolio_id, cluster),
    check ((gross_exposure is null) = (net_exposure is null)),
    check (missing is null or gross_share is null)
) partition by range (as_of);
comment on table  margin_data.portfolio_clusters is 'Concentration: exposure of each portfolio to each cluster of correlation_clusters that it holds.';
comment on column margin_data.portfolio_clusters.cluster is 'Number of the cluster on the date.';
comment on column margin_data.portfolio_clusters.gross_exposure is 'Sum of the sizes of the net exposures to the risk factors of the cluster, base currency; empty: a position of it has no exposure.';
comment on column margin_data.portfolio_clusters.net_exposure is 'Sum of the net exposures to the risk factors of the cluster, with signs, base currency.';
comment on column margin_data.portfolio_clusters.gross_share is 'gross_exposure over that of all clusters of the portfolio, fraction; empty: an exposure of the portfolio is missing, or all are 0.';
comment on column margin_data.portfolio_clusters.missing is 'First gap of the portfolio: why no share is known.';

do $$ begin perform margin_data.show_tables(array['correlation_clusters', 'portfolio_clusters']); end $$;
