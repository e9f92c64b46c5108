"""Data sets for other tools: the crowd world written shard by shard."""
