"""Three worlds that can play the same walk: the crowd, the capacity world and the live world."""
