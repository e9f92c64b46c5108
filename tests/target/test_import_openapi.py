"""`target import openapi`: a description becomes a target file that is valid, and says what it could not make of it."""

from __future__ import annotations

import json

import httpx
import pytest

from simulator.model.faults import FileFaults
from simulator.target.check import walk
from simulator.target.imports.draft import checked, written
from simulator.target.imports.openapi import draft_openapi
from simulator.target.imports.reading import read_document
from simulator.target.request import load_target

PRODUCT = {"type": "object", "properties": {"sku": {"type": "string"}, "price": {"type": "number"},
           "related": {"type": "array", "items": {"$ref": "#/components/schemas/Product"}}}}  # fmt: skip


def answers(schema, status="200"):
    """Return responses of one good answer."""
    return {status: {"description": "", "content": {"application/json": {"schema": schema}}}}


def sends(schema):
    """Return a request body."""
    return {"content": {"application/json": {"schema": schema}}}


def listed():
    """Return the schema of a list of products."""
    items = {"type": "array", "items": {"$ref": "#/components/schemas/Product"}}
    return {"type": "object", "properties": {"items": items, "currency": {"enum": ["EUR"]}}}


SHOP = {
    "openapi": "3.1.0",
    "info": {"title": "Our Shop", "version": "1"},
    "servers": [{"url": "https://{env}.shop.example/v1", "variables": {"env": {"default": "staging"}}}],
    "components": {
        "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        "schemas": {"Product": PRODUCT, "Loop": {"$ref": "#/components/schemas/Loop"}},
        "parameters": {"Sku": {"name": "sku", "in": "path", "required": True, "schema": {"type": "string"}}},
    },
    "paths": {
        "/guest/session": {"post": {"operationId": "createSession", "responses": answers(
            {"properties": {"access_token": {"type": "string"}, "user_id": {"type": "string"}}}, "201"),
            "requestBody": sends({"allOf": [{"type": "object", "properties": {"device_id": {"type": "string"}}},
                                            {"type": "object", "properties": {"country": {"type": "string"}}}]})}},
        "/products": {"get": {"operationId": "searchProducts", "responses": answers(listed()), "parameters": [
            {"name": "q", "in": "query", "schema": {"type": "string"}},
            {"name": "limit", "in": "query", "schema": {"type": "integer", "default": 20}},
            {"name": "mystery", "in": "query", "schema": {"type": "string"}}]}},
        "/products/{sku}": {"parameters": [{"$ref": "#/components/parameters/Sku"}],
                            "get": {"responses": answers({"$ref": "#/components/schemas/Product"})}},
        "/recommendations": {"get": {"responses": answers(listed()), "parameters": [
            {"name": "strategy", "in": "query", "required": True, "schema": {"type": "string"}}]}},
        "/cart/items": {"post": {"responses": {"201": {"description": ""}}, "requestBody": sends(
            {"type": "object", "properties": {"sku": {"type": "string"}, "quantity": {"type": "integer"}}})}},
        "/admin/reindex": {"post": {"responses": {"202": {"description": ""}}}},
        "/elsewhere": {"$ref": "paths.yaml#/elsewhere"},
        "/offers": {"get": {"responses": answers({"$ref": "https://cdn.example/offers.json"})}},
        "/search": {"get": {"responses": answers({"$ref": "#/components/schemas/Loop"})}},
        "/stores": {"get": {"responses": answers({"$ref": "#/components/schemas/Gone"})}},
    },
}  # fmt: skip


@pytest.fixture
def draft():
    """Return the draft of the small shop."""
    return draft_openapi(json.loads(json.dumps(SHOP)), "shop.yaml")


def test_operations_are_found_and_their_requests_filled_in(draft):
    """Names, methods and schemas say which operation a request is, what it sends and what it shows."""
    made = draft.data["operations"]
    assert list(made) == ["session", "search", "product", "recommend", "offers", "store_near", "add_to_cart"]
    assert made["session"]["json"] == {"device_id": "{shopper.id}", "country": "{shopper.country}"}
    assert made["session"]["extract"] == {"session": "$.access_token?"}
    assert made["session"]["evidence"] == {"subject": "$.user_id?"}
    assert made["search"]["path"] == "/v1/products"
    assert made["search"]["query"] == {"q": "{page.query}", "limit": 20}
    assert made["search"]["evidence"] == {
        "items": "$.items[*].sku",
        "price": "$.items[*].price?",
        "currency": "$.currency?",
    }
    assert made["product"]["path"] == "/v1/products/{extracted.sku}"
    assert made["add_to_cart"] == {
        "method": "POST", "path": "/v1/cart/items", "json": {"sku": "{extracted.sku}", "quantity": 1},
    }  # fmt: skip
    assert draft.data["auth"] == {"kind": "bearer", "token": "{extracted.session}"}
    assert draft.data["host"] == "https://staging.shop.example"


def test_what_was_left_out_is_said(draft):
    """Cycles, references to elsewhere and to nowhere, and what is no operation: a clear list."""
    assert dict(draft.left_out) == {
        "/elsewhere": "is no path with operations",
        "paths.yaml#/elsewhere": "stands in another document, which is not read",
        "https://cdn.example/offers.json": "stands in another document, which is not read",
        "POST /admin/reindex": "no operation that we know",
        "GET /search": "search is GET /products already",
        "#/components/schemas/Product": "goes round in a circle; followed once",
        "#/components/schemas/Loop": "refers to itself alone",
        "#/components/schemas/Gone": "is nowhere in this document",
    }


def test_what_needs_a_human_is_said(draft):
    """What must be sent and nobody knows, where requests go and whose token it is stands above the file."""
    assert any(line.startswith("operations.recommend: strategy is required") for line in draft.human)
    assert any(line.startswith("host: https://staging.shop.example") for line in draft.human)
    assert any(line.startswith("auth.token:") for line in draft.human)
    assert all(f"# - {line}" in written(draft, "shop.yaml") for line in draft.human)


def test_the_written_file_works(draft, tmp_path):
    """The file is valid as it stands, and its requests work against a server of the description."""
    path = tmp_path / "mine.yaml"
    path.write_text(written(draft, "shop.yaml"))
    assert checked(path) == []

    def handle(request):
        if request.url.path == "/v1/guest/session":
            return httpx.Response(201, json={"access_token": "T-1", "user_id": "u"})
        if request.headers.get("authorization") != "Bearer T-1":
            return httpx.Response(401)
        products = [{"sku": "A-1", "price": 2.5, "related": []}]
        one = products[0] if "A-1" in request.url.path else {"items": products, "currency": "EUR"}
        return httpx.Response(201 if request.method == "POST" else 200, json=one)

    lines = list(walk(load_target(str(path)), "http://x.example", transport=httpx.MockTransport(handle)))
    assert [(line.operation, line.problem) for line in lines if not line.ok] == []


REFUSED = {
    "Swagger 2": ({"swagger": "2.0", "paths": {}}, "is OpenAPI 2.0"),
    "OpenAPI 4": ({"openapi": "4.0.0", "paths": {"/": {}}}, "is OpenAPI 4.0.0"),
    "no version": ({"paths": {"/": {}}}, "says no `openapi` version"),
    "no paths": ({"openapi": "3.0.0", "paths": {}}, "describes no paths"),
    "a list": ([], "holds no mapping"),
}


@pytest.mark.parametrize(("data", "told"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_read_is_refused(data, told):
    """Older and unknown versions are refused with what to do, other documents with what is needed."""
    with pytest.raises(FileFaults, match=told):
        draft_openapi(data, "spec.json")


RUBBISH = [None, 3, "text", [], {}, {"get": None}, {"get": {"parameters": 5}},
           {"get": {"parameters": [None, {"name": 3}]}},
           {"post": {"requestBody": {"content": []}}}, {"post": {"requestBody": {"content": {"application/json": 3}}}},
           {"get": {"responses": {"200": {"content": {"application/json": {"schema": {"type": 3, "properties": 4}}}}}}},
           {"get": {"responses": {"200": 7}, "tags": 9, "summary": ["x"]}}]  # fmt: skip


@pytest.mark.parametrize("item", RUBBISH, ids=repr)
def test_wrong_types_end_in_the_list(item):
    """Whatever stands where a path's operations belong, the rest is imported."""
    paths = {"/odd": item, "/search": {"get": {"responses": {"200": {"description": ""}}}}}
    draft = draft_openapi({"openapi": "3.0.1", "paths": paths}, "spec.json")
    assert list(draft.data["operations"]) == ["search"]


def test_documents_are_read_from_files(tmp_path):
    """JSON and YAML are both read, dates as text; what is neither, or not there, is a fault."""
    (tmp_path / "a.yaml").write_text("openapi: 3.0.0\nday: 2024-01-01\n200: x\n")
    (tmp_path / "b.json").write_text('\ufeff{"openapi": "3.0.0"}')
    (tmp_path / "c.json").write_text('{"openapi": ')
    (tmp_path / "d.yaml").write_text("a: [b\n")
    assert read_document(str(tmp_path / "a.yaml"))[1] == {"openapi": "3.0.0", "day": "2024-01-01", "200": "x"}
    assert read_document(str(tmp_path / "b.json"))[1] == {"openapi": "3.0.0"}
    for name, told in (("c.json", "not valid JSON"), ("d.yaml", "neither JSON nor YAML"), ("e.yaml", "does not exist")):
        with pytest.raises(FileFaults, match=told):
            read_document(str(tmp_path / name))


def test_a_url_that_nobody_answers_is_a_fault():
    """A description that cannot be fetched is told, not traced."""
    with pytest.raises(FileFaults, match="cannot be fetched"):
        read_document("http://127.0.0.1:9/openapi.json")
