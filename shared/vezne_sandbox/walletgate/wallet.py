"""The sender's wallet, as the answer to a payment shows it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

ACCOUNT_TYPES = {1: "Personal", 2: "Business"}


def sender_wallet(payment: dict[str, Any]) -> dict[str, Any]:
    """Describe the sender's wallet in a payment's answer, with the sample's figures and number formats."""
    return {
        "id": "45X9XX21",
        "name": "",
        "account_number": payment["account_number"],
        "account_type": ACCOUNT_TYPES[payment["account_type_id"]],
        "created_date_utc": "2022-01-18T07:48:51.7092961+00:00",
        "number": payment["wallet_number"],
        "phone_country_code": None,
        "phone_number": None,
        "email": None,
        "total_balance": Decimal("899.47"),
        "monthly_incoming_total": Decimal("0.0"),
        "monthly_outgoing_total": Decimal("0.0"),
        "access_level_status_id": 1,
        "access_level_status": "Aktif",
        "payment_balance": {"available": Decimal("0.0"), "unavailable": Decimal("0.00")},
        "cash_balance": {"available": Decimal("899.47"), "unavailable": Decimal("0.00")},
        "transaction_limits": {
            "max_balance": Decimal("1000000.0000"),
            "topup_credit_limit": Decimal("996004.0060"),
            "topup_cash_limit": Decimal("996004.0060"),
            "withdrawal_limit": Decimal("1000000.0000"),
            "payment_limit": Decimal("997238.4300"),
            "wallet_to_wallet_limit": Decimal("999699.8000"),
        },
        "kyc_level_status": None,
        "currency_code": "TRY",
        "user_kyc_info": None,
        "is_topup_default": False,
        "tax_number": None,
        "loyalty_record_required": False,
    }
