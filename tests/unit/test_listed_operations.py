"""Each order is compared with its provider's list: the statement names its operation, or it is said here why not."""

import pytest
from vezne_cli.catalogue import ORDERS, PROVIDERS, RECONCILERS

# What its provider's list does not show: operation -> why. Only people see what becomes of such an order.
UNLISTED: dict[str, str] = {
    "haso.set_paid": "5.5 and 5.10 are not by day, and no page says that a row tells who marked it, or when: HASO 5.11",
    "haso.set_paid_bulk": "as haso.set_paid",
    "kolaybi.collect_invoice": "KolayBi takes no reference with it. If a list has a row of it, the row bears no mark.",
    "paynet.request_refund": "The list of a day has refunds that were made (CD), days after the request and only if the"
    " staff approved it. A request moves no money, and its own list, `reversal_list`, has no name of ours.",
}


def named_by(provider: str) -> tuple[str, ...]:
    """The operations that the provider's statement names."""
    return RECONCILERS[provider].statement.operations if provider in RECONCILERS else ()


@pytest.mark.parametrize("name", ORDERS)
def test_each_order_is_named_in_the_statement_of_its_provider(name: str) -> None:
    provider = ORDERS[name].provider
    assert (name in named_by(provider)) != (name in UNLISTED), (
        f"No list says what became of {name}. Name it in `operations` of "
        f"shared/vezne/providers/{provider}/statement.py, and say there how its rows are known (functions/README.md, "
        f"step 9). If the provider's list does not show it, say in UNLISTED of this file why."
    )


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_statement_names_orders_of_its_provider_only(provider: str) -> None:
    assert set(named_by(provider)) <= set(PROVIDERS[provider].orders)


def test_what_is_said_to_be_in_no_list_is_an_order() -> None:
    assert set(UNLISTED) <= set(ORDERS)
