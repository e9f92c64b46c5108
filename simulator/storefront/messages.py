"""Sending push messages judiciously: rarely, by day, once, and to nobody who is gone or wants none.

Whoever can be reached in their night is written to in the morning. A phone that the push service calls gone is never
written to again.
"""

from dataclasses import asdict, dataclass
from datetime import datetime, time, timedelta
from http import HTTPStatus
from secrets import token_hex
from typing import Any

from simulator.storefront.database import Database
from simulator.storefront.push import Endpoint, endpoints_of
from simulator.storefront.subscriptions import Waiting, deliver
from simulator.storefront.zones import zone_named

HELD = 0
"""The status of a message that waits for the morning."""
TTL_S = 4 * 3_600
"""How long a message is worth sending unless its sender says otherwise; the longest is a week."""
LONGEST_TTL_S = 7 * 86_400


@dataclass(frozen=True, slots=True)
class Manners:
    """How many messages a recipient gets on one of their calendar days, when, and whether again.

    `night` is (from, until) on the recipient's clock; `stop_delay_s` is how long an opt-out takes to be heard.
    """

    daily_cap: int = 3
    night: tuple[time, time] | None = (time(22), time(8))
    once_a_campaign: bool = True
    stop_when_gone: bool = True
    stop_delay_s: float = 0.0


GOOD_MANNERS = Manners()


@dataclass(frozen=True, slots=True)
class Letter:
    """What is to be sent."""

    campaign: str
    title: str
    ttl_s: int = TTL_S


@dataclass(frozen=True, slots=True)
class Sent:
    """What was decided for one endpoint; `status` is what the push service answered, else 0, and `held` says why.

    `sent_local` is the moment on the recipient's own wall.
    """

    message: str | None
    endpoint: str
    campaign: str
    status: int
    held: str | None
    sent_at: str | None
    sent_local: str | None
    expires_at: str | None


def send(database: Database, owner: str, letter: Letter, now: datetime, manners: Manners) -> list[Sent]:
    """Send a message to every endpoint of the owner that may have it now, and say what became of each."""
    return [_send_to(database, owner, endpoint, letter, now, manners) for endpoint in endpoints_of(database, owner)]


def release(database: Database, owner: str, now: datetime, manners: Manners) -> None:
    """Send what was held for the owner's morning and is due; what has expired meanwhile is dropped."""
    database.run("DELETE FROM push_messages WHERE owner = ? AND status = 0 AND expires_at <= ?", owner, now.isoformat())
    due = database.all(_DUE, owner, now.isoformat())
    known = {endpoint.endpoint: endpoint for endpoint in endpoints_of(database, owner)} if due else {}
    for message, address, title, expires_at in due:
        endpoint = known.get(address)
        if endpoint is None or _refusal(endpoint, now, manners):
            database.run("DELETE FROM push_messages WHERE id = ?", message)
            continue
        status = _hand_over(database, owner, endpoint, Waiting(message, title), expires_at)
        database.run("UPDATE push_messages SET status = ?, sent_at = ? WHERE id = ?", status, now.isoformat(), message)


def read_messages(database: Database, owner: str) -> list[dict[str, Any]]:
    """Return what was sent to the owner or is held, the latest first."""
    zones = {endpoint.endpoint: endpoint.zone for endpoint in endpoints_of(database, owner)}
    return [
        asdict(Sent(
            message, endpoint, campaign, status, None if status else "night", sent_at,
            _local(zones.get(endpoint, "UTC"), datetime.fromisoformat(sent_at)).isoformat() if sent_at else None,
            expires_at,
        ))
        for message, endpoint, campaign, status, sent_at, expires_at in database.all(_READ, owner)
    ]  # fmt: skip


def _send_to(
    database: Database, owner: str, endpoint: Endpoint, letter: Letter, now: datetime, manners: Manners
) -> Sent:
    local = _local(endpoint.zone, now)
    due = _morning(local, manners)
    expires = now + timedelta(seconds=letter.ttl_s)
    refusal = _refusal(endpoint, now, manners) or _too_much(database, owner, endpoint, letter, due or local, manners)
    if not refusal and due and due >= expires:
        refusal = "expires_at_night"
    if refusal:
        return Sent(None, endpoint.endpoint, letter.campaign, HELD, refusal, None, None, None)
    message, status = f"msg_{token_hex(9)}", HELD
    if due is None:
        waiting = Waiting(message, letter.title)
        status = _hand_over(database, owner, endpoint, waiting, expires.isoformat())
    sent_at = None if due else now.isoformat()
    day = (due or local).date().isoformat()
    due_at = (due or now).astimezone(now.tzinfo).isoformat()
    database.run(_KEEP, message, owner, endpoint.endpoint, letter.campaign, letter.title, day, due_at,
                 expires.isoformat(), sent_at, status)  # fmt: skip
    return Sent(message, endpoint.endpoint, letter.campaign, status, "night" if due else None, sent_at,
                None if due else local.isoformat(), expires.isoformat())  # fmt: skip


def _refusal(endpoint: Endpoint, now: datetime, manners: Manners) -> str:
    """Return why an endpoint gets nothing at all, or nothing."""
    if endpoint.stopped_at is not None and datetime.fromisoformat(endpoint.stopped_at) <= now:
        return "opted_out"
    return "gone" if endpoint.gone and manners.stop_when_gone else ""


def _too_much(
    database: Database, owner: str, endpoint: Endpoint, letter: Letter, local: datetime, manners: Manners
) -> str:
    """Return why this message would be one too many, or nothing."""
    if manners.once_a_campaign and database.one(_HAD, owner, endpoint.endpoint, letter.campaign) is not None:
        return "had_it"
    row = database.one(_THAT_DAY, owner, endpoint.endpoint, local.date().isoformat())
    return "daily_cap" if row is not None and row[0] >= manners.daily_cap else ""


def _morning(local: datetime, manners: Manners) -> datetime | None:
    """Return when the night that it is ends; None by day."""
    if manners.night is None:
        return None
    begins, ends = manners.night
    if ends <= local.time() < begins:
        return None
    day = local + timedelta(days=1) if local.time() >= begins else local
    return day.replace(hour=ends.hour, minute=ends.minute, second=0, microsecond=0)


def _hand_over(database: Database, owner: str, endpoint: Endpoint, waiting: Waiting, expires_at: str) -> HTTPStatus:
    """Give a message to the push service; after a 410 the endpoint is known to be gone."""
    status = deliver(database, endpoint.endpoint, waiting, expires_at)
    if status == HTTPStatus.GONE:
        sql = "UPDATE push_endpoints SET gone = 1 WHERE owner = ? AND endpoint = ?"
        database.run(sql, owner, endpoint.endpoint)
    return status


def _local(zone: str, now: datetime) -> datetime:
    return now.astimezone(zone_named(zone))


_KEEP = """
    INSERT INTO push_messages (id, owner, endpoint, campaign, title, day, due_at, expires_at, sent_at, status)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_HAD = "SELECT 1 FROM push_messages WHERE owner = ? AND endpoint = ? AND campaign = ? LIMIT 1"
_THAT_DAY = "SELECT COUNT(*) FROM push_messages WHERE owner = ? AND endpoint = ? AND day = ?"
_DUE = "SELECT id, endpoint, title, expires_at FROM push_messages WHERE owner = ? AND status = 0 AND due_at <= ?"
_READ = """
    SELECT id, endpoint, campaign, status, sent_at, expires_at FROM push_messages
    WHERE owner = ? ORDER BY due_at DESC, id LIMIT 100
"""
