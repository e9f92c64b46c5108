"""First target files from what a shop has already: an OpenAPI description, or a recorded browser session."""
