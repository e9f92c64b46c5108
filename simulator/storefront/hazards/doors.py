"""Doors that open to whoever knows an address, has an old answer or holds a copied key."""

from dataclasses import replace

from simulator.storefront.hazards.registry import hazard
from simulator.storefront.passkeys import Checks
from simulator.storefront.rules import Rules
from simulator.storefront.sessions import Caller


@hazard("H13", "loyalty_balance", "loyalty_earn", "loyalty_redeem", "order_status")
def open_door(rules: Rules) -> Rules:
    """Let whoever knows the address of an order or of a member's points read it, without any session."""

    def anybody(_caller: Caller, _owner: str) -> bool:
        return True

    return replace(rules, may_read=anybody)


@hazard("H13", "share", "share_open")
def share_session(rules: Rules) -> Rules:
    """Put the session of whoever shares into the link."""

    def with_session(caller: Caller, token: str) -> str:
        return f"{rules.share_address(caller, token)}?sid={caller.session}"

    return replace(rules, share_address=with_session)


@hazard("H20", "auth_finish")
def weak_passkey(rules: Rules) -> Rules:
    """Take a passkey's answer twice, from any origin, and from a copy of the key."""
    return replace(rules, checks=Checks(origin=False, counter=False, single_use=False))
