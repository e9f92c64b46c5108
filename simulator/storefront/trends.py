"""What people look at, counted by product: people, and not the tests that pass through the shop."""

from starlette.requests import Request

from simulator.storefront.database import Database

SYNTHETIC = "synthetic_request=true"
"""What a test says of itself in W3C `baggage`, as OpenTelemetry's demo does."""


def is_for_real(request: Request) -> bool:
    """Return whether a request is a person's, who counts."""
    return SYNTHETIC not in request.headers.get("baggage", "")


def count_view(database: Database, sku: str) -> None:
    """Count that somebody looked at a product."""
    sql = "INSERT INTO trends (sku, views) VALUES (?, 1) ON CONFLICT (sku) DO UPDATE SET views = views + 1"
    database.run(sql, sku)


def most_viewed(database: Database, limit: int) -> list[tuple[str, int]]:
    """Return (SKU, views), the most viewed first."""
    return [(sku, views) for sku, views in database.all(_MOST, limit)]


def all_views(database: Database) -> int:
    """Return how many views were counted."""
    row = database.one("SELECT COALESCE(SUM(views), 0) FROM trends")
    return int(row[0]) if row else 0


_MOST = "SELECT sku, views FROM trends ORDER BY views DESC, sku LIMIT ?"
