"""The words of a report and what they mean."""

from __future__ import annotations

TERMS: tuple[tuple[str, str], ...] = (
    ("Visit", "One session of a shopper, from the first tap to leaving. What GA calls a session."),
    ("Engaged time", "Seconds looking at pages. Waiting for pages is not in it, so a slow shop cannot make it longer."),
    ("Wall time", "Seconds from the first tap to leaving, waiting included. A slow shop makes it longer by itself."),
    ("Pages", "Pages asked for, also the one that was never waited for. What mPulse calls session length."),
    (
        "GA-compatible time",
        (
            "Seconds from the first hit to the last hit, as Google Analytics counted until 2023: a visit of one page "
            "counts 0, and the time on the last page is missing."
        ),
    ),
    ("Bounce", "A visit that ended on its first page."),
    ("Conversion", "Share of visits with at least one order."),
    ("Cart abandonment", "Share of visits with something in the cart that placed no order."),
    ("Load time", "Seconds from the tap until the page is usable, as the shopper felt it."),
    (
        "Landing load time",
        (
            "Load time of a visit's first page. Speed is compared by it alone: a visit's average load time mixes cause "
            "and effect, since later pages are warm and long visits have more of them."
        ),
    ),
    ("Left: done", "The shopper had what they wanted, or nothing to stay for."),
    ("Left: impatient", "The shopper left while waiting for a page."),
    ("Left: put off", "The page came, and its slowness (or that of earlier pages) made the shopper leave."),
    ("Left: error", "The page failed and the shopper left."),
    ("Left: budget", "The shopper's time was up."),
    ("Latency", "From when the plan meant a request to leave (due) to its complete answer. Waiting in line counts."),
    ("Service time", "From when a request did leave (sent) to its complete answer. Most load tests report only this."),
    ("Abandoned request", "Its shopper left before the answer came. Counted apart: it is no failure of the target."),
    (
        "Still going on",
        (
            "A visit that the end of the run cut. Finished visits stand in for it: each counts 1/G, G being the share "
            "of visits that had that much time before the end (inverse probability of censoring)."
        ),
    ),
    ("Start lag", "How much later than planned a visit started. It is the load generator's fault, not the shop's."),
    ("p95", "95 % of the values are not above it. Quantiles are values that were seen, never interpolated."),
    (
        "95 % interval",
        (
            "Made so that 19 of 20 such intervals hold the true figure. Visits of one shopper are not counted as "
            "independent. Shares: Wilson; means: t by shopper; quantiles: order statistics."
        ),
    ),
    ("Close call", "The interval contains the limit: a run of this size cannot tell for sure."),
    ("Measured", "Timed or counted on a real system during the run."),
    ("Modelled", "Computed from assumptions: personas, page model, networks, devices. An input, not a finding."),
)
METRIC_NAMES: dict[str, str] = {
    "bounce": "Bounce",
    "conversion": "Conversion",
    "cart_abandonment": "Cart abandonment",
    "pages": "Pages",
    "engaged_time": "Engaged time",
    "wall_time": "Wall time",
    "ga_time": "GA-compatible time",
}
CAUSE_NAMES: dict[str, str] = {
    "done": "done",
    "impatient": "impatient",
    "put_off": "put off",
    "error": "error",
    "budget": "out of time",
}
