"""Writing tables: Parquet, CSV and JSON Lines, in files that are either whole or not there."""
