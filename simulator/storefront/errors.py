"""What the shop says when it will not."""

from http import HTTPStatus


class ShopError(Exception):
    """A refusal the caller can read: an HTTP status, a stable snake_case code, a sentence, and headers."""

    def __init__(self, status: HTTPStatus, code: str, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = headers or {}


def malformed(message: str) -> ShopError:
    """Return the 400 for what cannot be read at all."""
    return ShopError(HTTPStatus.BAD_REQUEST, "malformed", message)


def invalid(message: str) -> ShopError:
    """Return the 422 for what can be read and makes no sense."""
    return ShopError(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid", message)


def not_found(what: str) -> ShopError:
    """Return the 404 for a thing the shop does not have."""
    return ShopError(HTTPStatus.NOT_FOUND, "not_found", f"there is no {what}")


def no_session() -> ShopError:
    """Return the 401 for something only a session may do."""
    return ShopError(HTTPStatus.UNAUTHORIZED, "no_session", "start a session with POST /api/session first")


def forbidden(code: str, message: str) -> ShopError:
    """Return a 403: whoever asks is not somebody, or has not agreed to something, that this takes."""
    return ShopError(HTTPStatus.FORBIDDEN, code, message)


def conflict(code: str, message: str) -> ShopError:
    """Return a 409: the request is well formed and does not fit the state of the shop."""
    return ShopError(HTTPStatus.CONFLICT, code, message)
