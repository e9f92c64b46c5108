# ruff: noqa: ARG001, ARG002, C901 - answers share one signature, and each vendor one function
"""More small servers of vendors' documented shape: Google Retail, decisions, pushes, Shopify; see `standins`."""

import re
from datetime import datetime

from graphql import build_schema, graphql_sync
from starlette.responses import JSONResponse, Response


def bearer(request):
    """Return the token of a request."""
    return request.headers.get("authorization", "").removeprefix("Bearer ")


CATALOG = "/v2/projects/p/locations/global/catalogs/default_catalog"
_EVENTS = {
    "home-page-view": (), "search": ("searchQuery", "pageCategories"), "category-page-view": ("pageCategories",),
    "detail-page-view": ("productDetails",), "add-to-cart": ("productDetails",), "shopping-cart-page-view": (),
}  # fmt: skip
"""What each type of user event must have; of search, one of two."""


def user_event_fault(event):
    """Return what Google Retail would refuse in a user event."""
    kind = event.get("eventType")
    if kind not in _EVENTS or not 0 < len(event.get("visitorId", "").encode()) <= 128:
        return "eventType or visitorId"
    needed = _EVENTS[kind]
    given = [name for name in needed if event.get(name)]
    if needed and len(given) < (1 if kind == "search" else len(needed)):
        return f"{kind} needs {needed}"
    return "" if all(one["product"]["id"] for one in event.get("productDetails", ())) else "product.id"


def retail_apps(no, app, key):
    """Return the stand-in of Google Retail."""

    def guarded(answer):
        return lambda request, body: answer(request, body) if bearer(request) == key else no(401, "UNAUTHENTICATED")

    def predict(request, body):
        fault = user_event_fault(body.get("userEvent", {}))
        if fault or not 0 < body.get("pageSize", 1) <= 100:
            return no(400, fault)
        return JSONResponse({"results": [{"id": "P1"}, {"id": "P2"}], "attributionToken": "AT-p", "missingIds": []})

    def search(request, body):
        known = {"query", "visitorId", "pageSize", "pageToken", "regionCode", "languageCode", "personalizationSpec",
                 "pageCategories"}  # fmt: skip
        if set(body) - known or not body.get("visitorId") or not (body.get("query") or body.get("pageCategories")):
            return no(400, f"INVALID_ARGUMENT {set(body) - known}")
        answer = {"results": [{"id": "P3", "product": {}}], "attributionToken": "AT-s", "totalSize": 2}
        if body.get("pageToken") == "T2":
            return JSONResponse(answer | {"results": [{"id": "P4"}]})
        return JSONResponse(answer | {"nextPageToken": "T2"}) if "pageToken" not in body else no(400, "pageToken")

    def complete(request, body):
        if not request.query_params.get("query") or not request.query_params.get("visitorId"):
            return no(400, "query")
        return JSONResponse({"completionResults": [{"suggestion": "boots"}], "attributionToken": "AT-c"})

    def write(request, body):
        if fault := user_event_fault(body):
            return no(400, fault)
        datetime.fromisoformat(body["eventTime"])
        return JSONResponse(body)

    return app(
        (f"{CATALOG}/servingConfigs/{{name}}:predict", "POST", guarded(predict)),
        (f"{CATALOG}/servingConfigs/{{name}}:search", "POST", guarded(search)),
        (f"{CATALOG}:completeQuery", "GET", guarded(complete)),
        (f"{CATALOG}/userEvents:write", "POST", guarded(write)),
    )


def decision_apps(no, app, key):
    """Return the stand-ins of OFREP, Unleash, GrowthBook and Flagsmith."""

    def ofrep(request, body):
        if request.headers.get("x-api-key") != key:
            return no(401, "")
        if not isinstance(body.get("context", {}).get("targetingKey"), str):
            return JSONResponse({"key": "flag", "errorCode": "TARGETING_KEY_MISSING"}, 400)
        return JSONResponse({"key": "flag", "reason": "SPLIT", "variant": "blue", "value": "#00f", "metadata": {}})

    def unleash(request, body):
        if request.headers.get("authorization") != key:
            return no(401, "")
        if not request.query_params.get("userId") or request.query_params.get("properties[country]") is None:
            return no(400, "context")
        variant = {"name": "blue", "enabled": True, "feature_enabled": True}
        toggles = [{"name": "hero", "enabled": True, "variant": variant, "impressionData": False}]
        return JSONResponse({"toggles": toggles})

    def unleash_metrics(request, body):
        bucket = body["bucket"]
        datetime.fromisoformat(bucket["start"])
        whole = all({"yes", "no", "variants"} == set(counts) for counts in bucket["toggles"].values())
        right = request.headers.get("authorization") == key and body["appName"] and list(bucket["toggles"]) == ["hero"]
        return Response(status_code=200) if whole and right else no(400, "metrics")

    def growthbook(request, body):
        if set(body) != {"attributes", "forcedVariations", "forcedFeatures", "url"} or not body["attributes"].get("id"):
            return no(400, "payload")
        features = {"hero": {"defaultValue": "blue"}, "dark": {"defaultValue": False}}
        return JSONResponse({"features": features, "experiments": [], "dateUpdated": "2026-01-01T00:00:00.000Z"})

    def flagsmith(request, body):
        if request.headers.get("x-environment-key") != key:
            return no(403, "Invalid or missing Environment key")
        if not body.get("identifier") or any(set(one) != {"trait_key", "trait_value"} for one in body["traits"]):
            return no(400, "identifier")
        flags = [
            {
                "enabled": True,
                "feature_state_value": "blue",
                "feature": {"id": 1, "name": "hero", "type": "MULTIVARIATE"},
            }
        ]
        return JSONResponse({"identifier": body["identifier"], "flags": flags, "traits": body["traits"]})

    return {
        "ofrep": app(("/ofrep/v1/evaluate/flags/hero", "POST", ofrep)),
        "unleash": app(("/api/frontend", "GET", unleash), ("/api/frontend/client/metrics", "POST", unleash_metrics)),
        "growthbook": app((f"/api/eval/{key}", "POST", growthbook)),
        "flagsmith": app(("/api/v1/identities/", "POST", flagsmith)),
    }


def push_apps(no, app, key):
    """Return the stand-ins of FCM, OneSignal and a push service of RFC 8030."""

    def fcm(request, body):
        if bearer(request) != key:
            return no(401, "UNAUTHENTICATED")
        message = body["message"]
        if (
            set(body) - {"message", "validate_only"}
            or sum(name in message for name in ("token", "topic", "condition")) != 1
        ):
            return no(400, "INVALID_ARGUMENT")
        if not re.fullmatch(r"\d+(\.\d+)?s", message["android"]["ttl"]) or message["android"]["priority"] not in {
            "NORMAL",
            "HIGH",
        }:
            return no(400, "INVALID_ARGUMENT")
        if not all(isinstance(value, str) for value in message["apns"]["headers"].values()):
            return no(400, "INVALID_ARGUMENT")
        return JSONResponse({"name": f"projects/proj/messages/{'fake_message_id' if body['validate_only'] else 1}"})

    def onesignal_user(request, body):
        if request.headers.get("authorization") != f"Key {key}":
            return no(403, "Access denied")
        if not body["identity"]["external_id"] or any(
            not one["type"] or not one["token"] for one in body["subscriptions"]
        ):
            return no(400, "identity")
        return JSONResponse({"identity": body["identity"] | {"onesignal_id": "u-1"}, "subscriptions": []}, 201)

    def onesignal_send(request, body):
        if request.headers.get("authorization") != f"Key {key}" or body["app_id"] != "app-1":
            return no(403, "Access denied")
        modes = [name for name in ("include_aliases", "included_segments", "filters") if name in body]
        if modes != ["include_aliases"] or body["target_channel"] != "push" or not body["contents"]["en"]:
            return no(400, "targeting")
        return JSONResponse({"id": "n-1", "external_id": None})

    def web_push(request, body):
        if not request.headers.get("ttl", "").isdigit() or request.headers.get("urgency") not in {
            "very-low",
            "low",
            "normal",
            "high",
        }:
            return no(400, "TTL")
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,32}", request.headers.get("topic", "")) or request.state.raw:
            return no(400, "Topic, or a body that is not encrypted")
        if request.headers.get("authorization") != f"vapid t={key}, k=public":
            return no(401, "VAPID")
        return Response(status_code=201, headers={"Location": "/m/1", "TTL": "3600"})

    return {
        "fcm": app(("/v1/projects/proj/messages:send", "POST", fcm)),
        "onesignal": app(("/apps/app-1/users", "POST", onesignal_user), ("/notifications", "POST", onesignal_send)),
        "web_push": app(("/wpush/v2/{subscription}", "POST", web_push)),
    }


STOREFRONT = build_schema("""
directive @inContext(country: CountryCode, language: LanguageCode) on QUERY | MUTATION
enum CountryCode { GB DE US } enum LanguageCode { EN DE } enum CurrencyCode { GBP EUR USD }
enum ProductSortKeys { BEST_SELLING TITLE PRICE } enum SearchType { PRODUCT PAGE ARTICLE }
enum ProductRecommendationIntent { RELATED COMPLEMENTARY }
scalar Decimal scalar URL
type MoneyV2 { amount: Decimal! currencyCode: CurrencyCode! }
type PriceRange { minVariantPrice: MoneyV2! maxVariantPrice: MoneyV2! }
type ProductVariant { id: ID! }
type ProductVariantConnection { nodes: [ProductVariant!]! }
type Product {
  id: ID! availableForSale: Boolean! priceRange: PriceRange! variants(first: Int): ProductVariantConnection!
}
type PageInfo { hasNextPage: Boolean! endCursor: String }
type ProductConnection { nodes: [Product!]! pageInfo: PageInfo! }
type Page { id: ID! }
union SearchResultItem = Product | Page
type SearchConnection { nodes: [SearchResultItem!]! }
type PredictiveSearchResult { products: [Product!]! }
input GeoCoordinateInput { latitude: Float! longitude: Float! }
type LocationAddress { latitude: Float longitude: Float }
type Location { id: ID! address: LocationAddress! }
type LocationConnection { nodes: [Location!]! }
type CartCost { totalAmount: MoneyV2! }
type CartLine { id: ID! } type CartLineConnection { nodes: [CartLine!]! }
type Cart { id: ID! checkoutUrl: URL! cost: CartCost! lines(first: Int): CartLineConnection! }
input CartLineInput { merchandiseId: ID! quantity: Int }
input CartBuyerIdentityInput { countryCode: CountryCode }
input CartInput { lines: [CartLineInput!] buyerIdentity: CartBuyerIdentityInput }
type CartUserError { field: [String!] message: String! }
type CartCreatePayload { cart: Cart userErrors: [CartUserError!]! }
type Mutation { cartCreate(input: CartInput): CartCreatePayload }
type Query {
  products(first: Int, after: String, query: String, sortKey: ProductSortKeys): ProductConnection!
  search(query: String!, first: Int, types: [SearchType!]): SearchConnection!
  predictiveSearch(query: String!, limit: Int): PredictiveSearchResult
  product(id: ID): Product
  productRecommendations(productId: ID, intent: ProductRecommendationIntent): [Product!]
  locations(first: Int, near: GeoCoordinateInput): LocationConnection!
  cart(id: ID!): Cart
}
""")
"""The part of Shopify's published Storefront schema that the preset asks for."""
_MONEY = {"amount": "12.90", "currencyCode": "GBP"}


def product(number):
    """Return a product."""
    return {
        "__typename": "Product", "id": f"gid://shopify/Product/{number}", "availableForSale": number != 2,
        "priceRange": {"minVariantPrice": _MONEY}, "variants": {"nodes": [{"id": f"gid://shopify/ProductVariant/{number}"}]},
    }  # fmt: skip


class Shop:
    """The root of what the shop answers."""

    def products(self, info, first, after=None, **_):
        """Return two pages of two."""
        numbers = (3, 4) if after else (1, 2)
        page = {"hasNextPage": not after, "endCursor": None if after else "c2"}
        return {"nodes": [product(number) for number in numbers][:first], "pageInfo": page}

    def search(self, info, **_):
        """Return one hit."""
        return {"nodes": [product(5)]}

    def predictiveSearch(self, info, **_):  # noqa: N802 - the schema's
        """Return one product."""
        return {"products": [product(6)]}

    def product(self, info, id):  # noqa: A002 - the schema's
        """Return the product asked for."""
        return product(int(id.rpartition("/")[2]))

    def productRecommendations(self, info, **_):  # noqa: N802 - the schema's
        """Return one product."""
        return [product(7)]

    def locations(self, info, near, **_):
        """Return a shop where the shopper is."""
        return {"nodes": [{"id": "gid://shopify/Location/1", "address": near}]}

    def cartCreate(self, info, input):  # noqa: A002, N802 - the schema's
        """Return a cart, or the error that comes with a 200."""
        if not input["lines"][0]["merchandiseId"].startswith("gid://shopify/ProductVariant/"):
            return {"cart": None, "userErrors": [{"field": ["lines"], "message": "Invalid merchandise"}]}
        return {"cart": self.cart(info, "gid://shopify/Cart/1"), "userErrors": []}

    def cart(self, info, id):  # noqa: A002 - the schema's
        """Return the cart asked for."""
        return {
            "id": id,
            "checkoutUrl": "https://x",
            "cost": {"totalAmount": _MONEY},
            "lines": {"nodes": [{"id": "l"}]},
        }


def shopify_app(no, app, key):
    """Return the stand-in of Shopify's Storefront API: documents are validated and executed by graphql-core."""

    def answer(request, body):
        if request.headers.get("x-shopify-storefront-access-token") != key:
            return JSONResponse({"errors": [{"message": "", "extensions": {"code": "UNAUTHORIZED"}}]}, 200)
        result = graphql_sync(STOREFRONT, body["query"], Shop(), variable_values=body.get("variables"))
        errors = {"errors": [error.formatted for error in result.errors]} if result.errors else {}
        return JSONResponse({"data": result.data, **errors})

    return app(("/api/2026-01/graphql.json", "POST", answer))
