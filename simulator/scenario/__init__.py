"""A scenario: population, seed, arrivals, duration, target, arms and thresholds, in one validated file."""
