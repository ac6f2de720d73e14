"""What to reserve of an account's Lambda instances, for the functions that there are."""

import math
from dataclasses import dataclass

# How long an instance is busy with an order of a healthy provider.
_ORDER_SECONDS = 0.6
# Instances that the sweeps of one order function take.
_SWEEP_WORKERS = 8
# What AWS keeps for functions without a reservation.
_KEPT_BY_AWS = 100
_ALARM_SHARE = 0.8
# The limit of a new account, and the steps in which a higher one is asked for.
_FIRST_LIMIT = 1000
_USUAL_LIMIT = 10_000


@dataclass(frozen=True)
class Advice:
    """What to set for so many orders a second of the busiest operation: instances, but for `per_second`."""

    per_second: int
    limit: int
    orders: int
    inquiries: int
    reserved: int
    alarm: int


def advice(orders: int, inquiries: int) -> list[Advice]:
    """The rows of the table for so many order and inquiry functions."""

    def row(per_second: int, limit: int, share: int, of_inquiries: int) -> Advice:
        reserved = orders * share + inquiries * of_inquiries
        return Advice(per_second, limit, share, of_inquiries, reserved, int(_ALARM_SHARE * limit))

    def limit_for(share: int, of_inquiries: int) -> int:
        claimed = orders * share + inquiries * of_inquiries + _KEPT_BY_AWS
        return math.ceil(claimed / _ALARM_SHARE / _FIRST_LIMIT) * _FIRST_LIMIT

    room = int(_ALARM_SHARE * _FIRST_LIMIT) - _KEPT_BY_AWS - 10 * inquiries
    tight = room // orders
    return [
        row(20, _FIRST_LIMIT, tight, 10),
        row(20, _USUAL_LIMIT, 150, 50),
        row(200, limit_for(_share(200), 50), _share(200), 50),
        row(200, _USUAL_LIMIT, _share(200), 50),
        row(2000, limit_for(_share(2000), 100), _share(2000), 100),
    ]


def _share(per_second: int) -> int:
    """Twice what a healthy provider needs, and the sweeps; in tens."""
    return math.ceil((2 * _ORDER_SECONDS * per_second + _SWEEP_WORKERS) / 10) * 10
