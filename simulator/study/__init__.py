"""Experiments on speed and behaviour: played in the worlds, judged by the analysis, shown by the report."""
