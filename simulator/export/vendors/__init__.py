"""Event schemas of other systems, made from our tables: one file a schema."""
