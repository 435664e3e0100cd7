drop view margin.portfolio_clusters, margin.correlation_clusters;
drop table margin_data.portfolio_clusters, margin_data.correlation_clusters;
