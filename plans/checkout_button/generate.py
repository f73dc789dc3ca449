"""Writes data.csv: a simulated experiment on a shop's checkout button. Python 3 standard library only: python3 generate.py

8,000 users came to the checkout in two weeks; a coin showed each of them the old or the new button. True effects, chosen beforehand:
the new button raises the chance to buy from 10 % to 13 % for everybody alike and does not change what a buyer spends.
Half of the users bought in the quarter before; who spent more then is more likely to buy, and spends more, now: that is what the
covariate can explain. Every number is a function of SEED and the user, so that the file is the same wherever it is made.
"""

import hashlib
import math
import pathlib
from datetime import datetime, timedelta

SEED = "checkout_button/1"
USERS = 8000
START = datetime(2024, 3, 4)
DAYS = 14


def uniform(user, what):
    """In (0, 1), independent for every user and purpose."""
    digest = hashlib.sha256(f"{SEED}/{user}/{what}".encode()).digest()
    return (int.from_bytes(digest[:8], "big") + 0.5) / 2**64


def normal(user, what):
    """Box and Muller."""
    return math.sqrt(-2 * math.log(uniform(user, what))) * math.cos(2 * math.pi * uniform(user, what + "'"))


def row(user):
    at = START + timedelta(minutes=int(uniform(user, "time") * DAYS * 24 * 60))
    arm = "new" if uniform(user, "coin") < 0.5 else "old"
    wealth = normal(user, "wealth")
    before = math.exp(3 + 0.8 * wealth) if uniform(user, "customer") < 0.5 else 0
    base = 0.13 if arm == "new" else 0.10
    chance = min(0.95, base * (0.5 if before == 0 else 1.5) * math.exp(0.4 * wealth - 0.08))
    bought = uniform(user, "buys") < chance
    revenue = math.exp(3.2 + 0.6 * wealth + 0.3 * normal(user, "basket"))
    return at, f"u{user}", arm, bought, revenue if bought else 0, before


rows = sorted(row(user) for user in range(1, USERS + 1))
with open(pathlib.Path(__file__).with_name("data.csv"), "w", newline="\n") as file:
    file.write("user,time,button,bought,revenue,spent_before\n")
    for at, user, arm, bought, revenue, before in rows:
        amounts = [f"{amount:.2f}" if amount > 0 else "" for amount in (revenue, before)]
        file.write(f"{user},{at:%Y-%m-%d %H:%M},{arm},{int(bought)},{amounts[0]},{amounts[1]}\n")
