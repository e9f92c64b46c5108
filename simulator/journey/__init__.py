"""The walk: keyed randomness, what a shopper does next, what theory says about it, and the tables' schemas."""
