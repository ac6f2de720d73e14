"""What each field of a request becomes on the provider's wire, and what it means.

Kept here and not in the models, so that no function has to read it at its start. A test sends each field and looks
where it arrives. A field of a result says its provider field itself: by its alias, or else it has the same name.
"""

from typing import NamedTuple


class Wire(NamedTuple):
    """A provider field and its meaning; no provider field: the value stays with us."""

    field: str | None
    meaning: str


_PAID_OUTSIDE = {
    "merchant_oid": Wire("merchantOid", "Your own order number, up to 20 characters"),
    "customer_id": Wire(
        None, "HASO's number of the customer, up to 10 characters; only a look-up of an unknown outcome sends it"
    ),
    "payment_date": Wire("paymentDate", "The day on which the customer paid"),
    "payment_reference_code": Wire(
        "paymentReferenceCode",
        "Your own number of the payment. Give one that you use once: without it a look-up cannot prove a success",
    ),
}
_BILL = "as the bill inquiry answered it"

REQUESTS: dict[str, dict[str, Wire]] = {
    "CollectionRequest": {
        "associate_id": Wire("id", "The associate (cari) that pays; the provider has it in its path"),
        "amount": Wire("amount", "What is collected, in major units, with at most the currency's digits"),
        "currency": Wire("currency", "ISO 4217"),
        "gateway_id": Wire("gateway_id", "The account that receives: a vault's id, or an associate's"),
        "gateway_type": Wire("gateway_type", "What gateway_id names: Vault (the provider's default) or Associate"),
        "exchange_rate": Wire("exchange_rate", "Rate to the account's currency"),
        "project_ids": Wire("project_ids[]", "Projects to book it on; the field is repeated for each"),
        "description": Wire("description", "Free text; our marker is put in front of it, by which a look-up finds it"),
        "expenses": Wire("expenses[]", "Expenses of the collection"),
        "transaction_currency_rates": Wire("transaction_currency_rates[]", "Its value in further currencies"),
    },
    "Expense": {
        "source_type": Wire("source_type", "What source_id names: Vault or Associate"),
        "source_id": Wire("source_id", "The account that bears the expense"),
        "currency": Wire("currency", "ISO 4217"),
        "amount": Wire("amount", "The expense, in major units, with at most the currency's digits"),
    },
    "CurrencyRate": {
        "quote_currency": Wire("quote_currency", "ISO 4217"),
        "rate": Wire("rate", "Rate to this currency"),
        "total": Wire("total", "The value in this currency"),
    },
    "InvoiceCollectionRequest": {
        "document_id": Wire("document_id", "The invoice (fatura)"),
        "vault_id": Wire("vault_id", "The vault that receives: a cash desk or a bank account"),
        "amount": Wire("amount", "What is collected, in the invoice's currency; absent: all that is left of it"),
    },
    "PaymentRequest": {
        "transaction_type": Wire(
            "TransactionType",
            "account 1, name 2, credit_card 3, return 5 (of a payment that came in); credit_card needs a deployment"
            " that allows it",
        ),
        "amount": Wire("Amount", "What is paid, in major units, with at most the currency's digits"),
        "currency": Wire("CurrencyType", "ISO 4217; TRY is TL on the wire"),
        "sender_account_no": Wire("SenderAccountNo", "The account that pays"),
        "payment_date": Wire("PaymentDate", "Date or date-time without offset, Turkish local time"),
        "tax_identity_check": Wire("TaxIdentityCheck", "Whether the bank compares tax and identity numbers"),
        "credit_use": Wire("CreditUse", "Whether credit may be used"),
        "receiver_account": Wire(
            "ReceivertAccountIbanNo",
            "IBAN or account number; for credit_card the card number; absent for name. Check digits are checked, and"
            " the number is neither stored nor logged",
        ),
        "receiver_name": Wire("ReceiverNameSurname", "Name and surname; required for name"),
        "institution_transaction_code": Wire(
            "InstitutionTransactionCode", "The bank's guard against doubles; made from the operation id if absent"
        ),
        "receiver_bank_code": Wire("ReceiverBankCode", "Bank code of the receiver"),
        "receiver_branch_code": Wire("ReceiverBranchCode", "Branch code of the receiver"),
        "explanation": Wire("Explanation", "Free text"),
        "receiver_address": Wire("ReceiverAddress", "Address of the receiver"),
        "receiver_phone": Wire("ReceiverTelephone", "Telephone of the receiver"),
        "receiver_identity_no": Wire("ReceiverIdentityNo", "TCKN of the receiver; its check digits are checked"),
        "receiver_tax_office": Wire("ReceiverAdministrationTax", "Tax office of the receiver"),
        "receiver_tax_no": Wire("ReceiverTaxNo", "VKN of the receiver; its check digit is checked"),
        "receiver_father_name": Wire("ReceiverFatherName", "Father's name of the receiver"),
        "receiver_email": Wire("ReceiverEmail", "E-mail address of the receiver"),
        "institution_package_no": Wire("InstitutionPackageNo", "Package number"),
        "returned_payment_date": Wire("ComingReturnPaymentDate", "Date of the payment that is returned"),
        "returned_transaction_query_no": Wire("ComingReturnTransactionQueryNo", "Query number of the returned payment"),
        "chief": Wire(None, "Amir: on whose order the payment is made"),
    },
    "Chief": {
        "name": Wire("ChiefName", "Name"),
        "account_no": Wire("ChiefAccountNo", "Account number"),
        "identity_no": Wire("ChiefIdentityNo", "TCKN; its check digits are checked"),
        "address": Wire("ChiefAdress", "Address"),
        "country_city": Wire("ChiefCountryCity", "Country and city"),
        "birth_place": Wire("ChiefBirthPlace", "Place of birth"),
        "birth_date": Wire("ChiefBirthDate", "Date of birth"),
        "customer_no": Wire("ChiefCustomerNo", "Customer number"),
    },
    "BillPaymentRequest": {
        "account_type": Wire("account_type_id", "personal 1, business 2"),
        "account_number": Wire("account_number", "Account of the wallet that pays"),
        "wallet_number": Wire("wallet_number", "Wallet that pays"),
        "inv_payment_transaction_query_oid": Wire(
            "inv_payment_transaction_query_oid", f"What names the bill, {_BILL}; it is paid once, under whatever key"
        ),
        "invoice_amount": Wire("invoice_amount", f"The bill's amount in TRY, {_BILL}"),
        "payment_amount": Wire(
            "payment_amount", "What is paid, in TRY: the bill's amount, or less if partial_payment_allowed"
        ),
        "product_oid": Wire("product_oid", f"The biller, {_BILL}"),
        "subscriber_no": Wire("subscriber_no", "The bill inquiry's subscriber_no1"),
        "bill_term": Wire("bill_term", f"The bill's term, {_BILL}"),
        "bill_no": Wire("bill_no", f"The bill's number, {_BILL}"),
    },
    "SetPaidBulkRequest": {
        "payment_codes": Wire(
            "paymentCodes",
            "HASO's codes of the instalments, each once; HASO's token is not computed over them",
        ),
        **_PAID_OUTSIDE,
    },
    "CustomerPaymentsRequest": {
        "customer_id": Wire("customerId", "HASO's number of the customer, up to 10 characters"),
        "statuses": Wire("paymentStatuses", "Only instalments with these statuses; absent: all of them"),
        "page": Wire("pageNo", "Which page, the newest instalments first; the first one if absent"),
        "page_size": Wire("pageSize", "Instalments on a page; 50 if absent"),
    },
    "SetPaidRequest": {
        "payment_code": Wire("paymentCode", "HASO's code of the instalment, from its payment plan"),
        **_PAID_OUTSIDE,
    },
    "ExpensesRequest": {
        "transaction_code": Wire("transactionCode", "The transaction under enforcement"),
        "merchant_oid": Wire("merchantOid", "The merchant's own order number"),
        "counter_party_attorney_fee": Wire(
            "counterPartyAttorneyFee", "Attorney fee (KTVU) in TRY, the total so far; sent times 100"
        ),
        "expense_amount": Wire("expenseAmount", "Expenses in TRY, the total so far; sent times 100"),
        "allow_lower": Wire(None, "Let a figure be lower than one already sent: a correction"),
    },
    "CaptureRequest": {
        "xact_id": Wire("xact_id", "Paynet's encrypted id of the pre-authorisation"),
        "xact": Wire("xact", "Paynet's plain id of the pre-authorisation"),
        "reference_no": Wire("reference_no", "The merchant's own reference of the pre-authorisation"),
        "amount": Wire("amount", "What is captured, in TRY; absent: the whole pre-authorisation. Sent times 100"),
    },
    "ReverseCaptureRequest": {
        "xact_id": Wire("xact_id", "Paynet's encrypted id of the capture: the xact_id of the capture's result"),
    },
    "RequestRefundRequest": {
        "xact_id": Wire("xact_id", "Paynet's encrypted id of the capture or the sale that is to be given back"),
        "amount": Wire("amount", "What is to be given back, in TRY; absent: the whole. Sent times 100"),
    },
    "ReversePreauthorisationRequest": {
        "xact_id": Wire("xact_id", "Paynet's encrypted id of the pre-authorisation"),
    },
    "TransactionsRequest": {
        "associate_id": Wire("associate_id", "The associate (cari); the provider has it in its path"),
    },
    "InvoicesRequest": {
        "type": Wire("type", "Only invoices of this kind; without it, sales"),
        "associate_id": Wire("associate_id", "Only invoices of this associate (cari)"),
        "page": Wire("page", "Which page, from 1"),
    },
    "VaultsRequest": {
        "currency": Wire("currency", "Only vaults of this currency; ISO 4217"),
        "type": Wire("type", "Only bank accounts, or only cash desks"),
    },
    "QueryRequest": {
        "institution_transaction_code": Wire("InstitutionTransactionNo", "The payment's code"),
        "transaction_query_no": Wire("TransactionQueryNo", "The bank's query number"),
        "institution_package_no": Wire("InstitutionPackageNo", "Package number"),
        "payment_date": Wire("PaymentDate", "Date or date-time without offset, Turkish local time"),
        "return_date": Wire("ReturnDate", "Date of a return"),
        "transaction_type": Wire("TransactionType", "account 1, name 2, credit_card 3, return 5"),
    },
    "BillsRequest": {
        "product_oid": Wire("product_oid", "The biller"),
        "subscriber_no1": Wire("subscriber_no1", "Subscriber number; the product detail tells what the biller wants"),
        "subscriber_no2": Wire("subscriber_no2", "Second subscriber number, where the biller wants one"),
        "subscriber_no3": Wire("subscriber_no3", "Third subscriber number, where the biller wants one"),
    },
    "ProductRequest": {
        "product_oid": Wire("product_oid", "The biller"),
    },
    "PaymentPlanRequest": {
        "transaction_code": Wire("transactionCode", "The transaction"),
        "merchant_oid": Wire("merchantOid", "The merchant's own order number"),
    },
    "CheckRequest": {
        "xact_id": Wire("xact_id", "Paynet's encrypted id of the transaction"),
        "reference_no": Wire("reference_no", "The merchant's own reference of the transaction"),
    },
}

# Fields of results that are neither the provider's by name nor by the model's alias.
RESULTS: dict[str, dict[str, Wire]] = {
    "PaymentResult": {
        "transaction_object_id": Wire("TransactionObjectId", ""),
        "transaction_query_no": Wire("TransactionQueryNo", ""),
        "institution_transaction_code": Wire(
            "InstitutionTaxNo", "The order's own code, despite the bank's name for it"
        ),
        "error_code": Wire("ErrorCode", "1 in the page's sample of a success"),
        "error_explanation": Wire("ErrorExplanation", ""),
        "gateway_object_id": Wire("Header.ObjectID", ""),
        "status_description": Wire("Header.StatusDescription", "The gateway's word, not the payment's"),
        "status_description_en": Wire("Header.StatusDescriptionEn", ""),
    },
    "SenderWalletInfo": {
        **{
            name: Wire(name, meaning)
            for name, meaning in (
                ("name", "The first letter of each word"),
                ("email", "Its first letter and its host"),
                ("phone_number", "Its last two digits"),
                ("account_number", "Its last four digits"),
                ("number", "The wallet; its last four digits"),
                ("tax_number", "Its last two digits"),
            )
        },
        **{
            name: Wire(name, "Always null: it is neither answered nor kept")
            for name in (
                "total_balance",
                "monthly_incoming_total",
                "monthly_outgoing_total",
                "payment_balance",
                "cash_balance",
                "transaction_limits",
                "user_kyc_info",
            )
        },
    },
    "CaptureResult": {
        "user_id": Wire("user_id", "Who made the transaction; of an e-mail address, its first letter and its host"),
        "email": Wire("email", "Its first letter and its host"),
        "phone": Wire("phone", "Its last two digits"),
        "card_holder": Wire("card_holder", "The first letter of each word"),
    },
    "ExpensesResult": {"payment_plan": Wire("PaymentPlan", "The plan after the change")},
    "BillsResult": {"bills": Wire("payload", "The open bills, in the provider's order")},
    "CheckResult": {"transactions": Wire("Data", "Every row of the transaction")},
    "QueryResult": {"payments": Wire("Result", "The payments found")},
}
