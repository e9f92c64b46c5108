"""What can be seen of a live run while it happens, and what it leaves for other tools.

One `Tally` of what shoppers do feeds Locust's web UI, Prometheus, OpenTelemetry and a time line; request lines and HAR
files are made of the same events. Importing this package imports neither Locust nor any of those libraries.
"""
