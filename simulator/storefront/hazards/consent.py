"""Consent that is not asked, or asked too late."""

from dataclasses import replace

from simulator.storefront.hazards.registry import hazard
from simulator.storefront.rules import Rules
from simulator.storefront.sessions import Caller

_LATE_S = 600.0


@hazard("H6", "home", "search", "recommend", "offers", "store_near", "track", "geofence")
def consent_ignored(rules: Rules) -> Rules:
    """Remember, profile and locate whoever refused analytics, personalization and location."""

    def as_if_agreed(caller: Caller) -> Caller:
        agreed = replace(caller.consent, analytics=True, personalization=True, location=True)
        # Nobody without a session can have agreed or refused.
        return replace(caller, consent=agreed) if caller.session else caller

    return replace(rules, admit=as_if_agreed)


@hazard("H7", "consent_set", "push_send")
def late_opt_out(rules: Rules) -> Rules:
    """Hear an opt-out from push messages ten minutes later, when the next batch job has run."""
    return replace(rules, manners=replace(rules.manners, stop_delay_s=_LATE_S))
