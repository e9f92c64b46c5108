"""From logs of a real shop to personas: visits, clusters of shoppers, estimates with their goodness, files."""
