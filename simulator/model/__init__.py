"""Who comes: persona files, validated, resolved and compiled to arrays; every number has its unit and its evidence."""
