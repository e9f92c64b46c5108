"""Correctness probes: one for each hazard of `simulator.target.hazards`, judging answers while a load runs.

answer → Seen → each probe's `see` ┐
each probe's scripts → Desk → Seen ┴→ counts, samples → findings: held, violated, not observable; and whom to blame
"""
