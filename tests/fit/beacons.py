"""Beacons as a shop's pages would send them, made from visits whose behaviour is known."""

import csv
import json
from urllib.parse import urlencode

import numpy as np

from simulator.journey.arms import compile_arms
from simulator.journey.plan import Plan
from simulator.journey.records import IMPATIENT
from simulator.model.behaviour import apply
from simulator.model.persona import PopulationSpec, find_persona, load_persona, load_population
from simulator.model.population import compile_population
from simulator.model.states import STATE_NAMES
from simulator.page.card import compile_pages, page_file
from simulator.worlds.crowd import World, play

PHONE = "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 Chrome/126.0 Mobile Safari/537.36"
DELAYS_S = (0.0, 1.0, 2.0, 4.0, 8.0)


def population_of(preset, name="everyday"):
    """Return a population under a preset; a persona's name stands for a population of it alone."""
    if name == "everyday":
        spec = load_population(name)
    else:
        spec = PopulationSpec(name, (load_persona(find_persona(name)),), (1.0,))
    return compile_population(apply(preset, spec))[0]


def played(population, shoppers, delays_s=DELAYS_S, *, within=False, visits=1, seed=3):
    """Play visits with delays dealt to sessions, or `within` them by page; yield (event, its delay)."""
    dice = np.random.default_rng(seed)
    deals = 100 if within else len(delays_s)
    batches = 10 if within else 1
    for batch in range(batches):
        dealt = [
            dict(zip(STATE_NAMES, dice.choice(delays_s, len(STATE_NAMES)), strict=True)) if within else {"all": delay}
            for delay in (range(deals) if within else delays_s)
        ]
        arms = compile_arms([(f"arm{n}", 1.0, delays, {}) for n, delays in enumerate(dealt)])
        who = np.repeat(np.arange(batch, shoppers, batches), visits)
        again = np.tile(np.arange(visits), len(who) // visits)
        plan = Plan(who, again, dice.integers(0, deals, len(who)), who * 1_000_000)
        events = play(World(population, compile_pages(page_file()), arms, seed), plan).events
        yield from zip(events, arms["delay_us"][events["arm"], events["state"]] / 1e6, strict=True)


def beacons(events, *, session="s", user=True):
    """Yield one beacon a page view: what a script in the page knows, in milliseconds."""
    for number, (event, delay) in enumerate(events):
        gone = event["cause"] == IMPATIENT
        one = {
            "session": f"{session}{event['shopper']}.{event['visit']}",
            "view": f"v{number}",
            "time": 1_767_571_200_000 + event["at_us"] / 1e3,
            "page": STATE_NAMES[event["state"]],
            "delay": round(1e3 * float(delay)),
            "agent": PHONE,
            "left" if gone else "load": (event["patience_us"] if gone else event["load_us"]) / 1e3,
        }
        if user:
            one["user"] = f"u{event['shopper']}"
        if not gone or event["fcp_us"] < event["patience_us"]:
            one["fcp"] = event["fcp_us"] / 1e3
        yield one


def write_csv(path, found, without=()):
    """Write beacons as CSV with milliseconds in the names."""
    names = ["session", "view", "user", "time", "page", "agent", "load", "fcp", "left", "delay"]
    names = [name for name in names if name not in without]
    titles = [f"{name}_ms" if name in ("load", "fcp", "left", "delay") else name for name in names]
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(titles)
        writer.writerows([one.get(name, "") for name in names] for one in found)
    return path


def write_web_vitals(path, found):
    """Write the same as web-vitals would report it: a line a metric, with the team's own fields beside."""
    with path.open("w") as file:
        for one in found:
            own = {key: one[key] for key in ("session", "view", "user", "time", "page", "delay", "agent") if key in one}
            for name, key in (("FCP", "fcp"), ("LCP", "load")):
                if key in one:
                    report = {"name": name, "value": one[key], "delta": one[key], "rating": "good", "id": f"v4-{name}"}
                    file.write(json.dumps(report | own | {"navigationType": "navigate"}) + "\n")
            if "left" in one:
                report = {"name": "TTFB", "value": 100.0, "id": "v4", "left": one["left"]}
                file.write(json.dumps(report | own) + "\n")
    return path


def write_boomerang(path, found):
    """Write the same as boomerang's query strings, one a line."""
    with path.open("w") as file:
        for one in found:
            gone = "left" in one
            query = {
                "rt.si": one["session"],
                "rt.tstart": round(one["time"]),
                "t_done": round(one["left" if gone else "load"]),
                "u": f"https://shop.example/{one['page']}",
                "user": one.get("user", ""),
                "delay": one["delay"],
                "agent": one["agent"],
            }
            if "fcp" in one:
                query["pt.fcp"] = round(one["fcp"])
            if gone:
                query |= {"rt.abld": "", "rt.quit": ""}
            file.write(urlencode(query) + "\n")
    return path
