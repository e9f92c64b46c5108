"""What a run's tables say: metrics with intervals, thresholds, a verdict. Reads runs; knows no world and no server."""
