"""What our states are called by others: one table for every vendor's schema, and the shop that they all describe.

A state opens a page, or acts on the page that is open. Where a vendor has no word for a state, its column is empty.
"""

from __future__ import annotations

from dataclasses import dataclass

from simulator.model.states import STATE_NAMES

HOST = "shop.example"
"""RFC 2606 reserves `.example`, so no link in the data leads anywhere."""


@dataclass(frozen=True, slots=True)
class Word:
    """One state in the vendors' words.

    `path` is the page it opens, None where it acts on the page that is open; `{query}`, `{category}` and `{sku}` are
    filled in. `items` says what its events list: `one` product, the `cart`, or a `list` of products shown. `ga4` are
    the events besides `page_view`, `select` the one when a listed product is tapped. `retail` is Google Retail's
    eventType, `personalize` Amazon Personalize's EVENT_TYPE.
    """

    path: str | None
    title: str
    items: str = ""
    ga4: tuple[str, ...] = ()
    select: str = ""
    retail: str = ""
    personalize: str = ""


WORDS = {
    "home": Word("/", "Home", retail="home-page-view"),
    "search": Word(
        "/search?q={query}", "Results for {query}", "list", ("view_search_results", "view_item_list"), "select_item",
        "search",
    ),
    "category": Word("/c/{category}", "{category}", "list", ("view_item_list",), "select_item", "category-page-view"),
    "recommend": Word("/for-you", "Picked for you", "list", ("view_item_list",), "select_item"),
    "offers": Word("/offers", "Offers", "list", ("view_promotion",), "select_promotion", "category-page-view"),
    "product": Word("/p/{sku}", "{name}", "one", ("view_item",), "", "detail-page-view", "View"),
    "add_to_cart": Word(None, "", "one", ("add_to_cart",), "", "add-to-cart", "AddToCart"),
    "cart": Word("/cart", "Your cart", "cart", ("view_cart",), "", "shopping-cart-page-view"),
    "checkout": Word("/checkout", "Checkout", "cart", ("begin_checkout",)),
    "payment": Word("/checkout/payment", "Payment", "cart", ("add_payment_info",)),
    "purchase": Word("/checkout/done", "Thank you", "cart", ("purchase",), "", "purchase-complete", "Purchase"),
    "login": Word("/account/login", "Log in", "", ("login",)),
    "biometric_login": Word("/account/login", "Log in", "", ("login",)),
    "rewards": Word("/account/rewards", "Your rewards", "", ("view_rewards",)),
    "plan": Word("/account/plan", "Your plan", "", ("view_plan",)),
    "support": Word("/help", "Help", "", ("contact_support",)),
    "notifications": Word("/notifications", "Notifications", "", ("view_notifications",)),
    "content": Word("/stories", "Stories", "", ("select_content",)),
    "store": Word("/stores", "Stores", "", ("find_store",)),
    "ar_preview": Word(None, "", "one", ("view_in_ar",), "", "", "ViewInAR"),
    "share": Word(None, "", "one", ("share",), "", "", "Share"),
}  # fmt: skip
"""The vendors' own names where they have one (GA4's recommended events, Retail's and Personalize's types)."""
assert tuple(WORDS) == STATE_NAMES, "every state, in the order of their codes"


@dataclass(frozen=True, slots=True)
class Channel:
    """How shoppers of a channel come: campaign words of the landing page's address, referring site, GA4's group."""

    source: str
    medium: str
    campaign: str
    group: str
    referrer: str = ""
    tagged: bool = False


CHANNELS = {
    "direct": Channel("(direct)", "(none)", "(direct)", "Direct"),
    "organic": Channel("google", "organic", "(organic)", "Organic Search", "https://www.google.com/"),
    "paid_search": Channel("google", "cpc", "brand_search", "Paid Search", "https://www.google.com/", tagged=True),
    "social": Channel("instagram", "social", "spring_looks", "Organic Social", "https://l.instagram.com/", tagged=True),
    "email": Channel("newsletter", "email", "weekly_letter", "Email", tagged=True),
    "push": Channel("push", "push", "back_in_stock", "Mobile Push Notifications", tagged=True),
    "affiliate": Channel(
        "partner.example", "affiliate", "partner_deals", "Affiliates", "https://partner.example/", tagged=True
    ),
    "referral": Channel("blog.example", "referral", "(referral)", "Referral", "https://blog.example/"),
}
"""Our channels in GA4's words (its default channel groups); where a table has no channel, everybody is direct."""

BROWSERS = {
    "safari": "Safari", "chrome": "Chrome", "samsung": "Samsung Internet", "edge": "Edge", "firefox": "Firefox",
}  # fmt: skip
SYSTEMS = {"ios": "iOS", "android": "Android"}
BRANDS = {
    "iPhone": "Apple", "Galaxy": "Samsung", "Pixel": "Google", "Redmi": "Xiaomi", "Poco": "Xiaomi", "Moto": "Motorola",
    "Oppo": "OPPO", "Vivo": "vivo",
}  # fmt: skip
"""First word of a device's model → its brand, where the word is not the brand itself."""

PLACES = {
    "US": ("019", "021"), "CA": ("019", "021"), "MX": ("019", "013"), "BR": ("019", "005"),
    "GB": ("150", "154"), "IE": ("150", "154"), "SE": ("150", "154"), "NO": ("150", "154"),
    "DE": ("150", "155"), "FR": ("150", "155"), "NL": ("150", "155"), "CH": ("150", "155"),
    "ES": ("150", "039"), "IT": ("150", "039"), "PL": ("150", "151"),
    "IN": ("142", "034"), "ID": ("142", "035"), "JP": ("142", "030"), "KR": ("142", "030"), "TR": ("142", "145"),
    "AU": ("009", "053"), "ZA": ("002", "018"), "NG": ("002", "011"), "KE": ("002", "014"),
}  # fmt: skip
"""Country → continent and subcontinent as UN M49 codes; ids as the Measurement Protocol wants them."""
M49 = {
    "002": "Africa", "009": "Oceania", "019": "Americas", "142": "Asia", "150": "Europe",
    "005": "South America", "011": "Western Africa", "013": "Central America", "014": "Eastern Africa",
    "018": "Southern Africa", "021": "Northern America", "030": "Eastern Asia", "034": "Southern Asia",
    "035": "Southeast Asia", "039": "Southern Europe", "053": "Australasia", "145": "Western Asia",
    "151": "Eastern Europe", "154": "Northern Europe", "155": "Western Europe",
}  # fmt: skip
"""Names of UN M49 codes as Google Analytics writes them."""
