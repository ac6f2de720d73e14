"""VakıfBank's message codes, and the shapes of its answers.

The codes and their meaning are the portal's (pages "TOS İşlemleri Yap" and "MessageCodes"); the HTTP status of each
is an assumption. The ErrorCode values other than 1 are made up: no list of them is public.
"""

from __future__ import annotations

import uuid
from typing import Any

from vezne_sandbox.wire import Reply, json_reply

NOT_EMPTY = {
    "InstitutionCode": "ACBH000645",
    "CurrencyType": "ACBH000027",
    "InstitutionTransactionCode": "ACBH000619",
}
MESSAGES = {
    "ACBH000645": ("Kurum kodu boş olamaz.", "Institution code cannot be empty."),
    "ACBH000027": ("Döviz kodu boş olamaz.", "Currency code cannot be empty."),
    "ACBH000619": ("Kurum işlem id boş olamaz.", "Institution transaction id cannot be empty."),
    "ACBG000001": ("Kimlik doğrulama bilgisi geçersiz.", "Authentication information is invalid, check the token."),
    "ACBG000002": ("Token geçersiz veya API Key kilitli.", "Token is invalid or the API key is locked."),
    "ACBG000003": ("Hesap planı limiti aşıldı.", "Account plan limit exceeded."),
    "ACBG000004": ("API planı limiti aşıldı.", "API plan limit exceeded."),
    "ACBG000005": ("API Secret hatalı. Deneme: {0}", "API secret is wrong. Try: {0}"),
    "ACBG000006": ("API Secret hatalı, uygulama kilitlendi.", "API secret is wrong, the application is locked."),
    "ACBG000007": ("İstek mesajı hatalı. {0}", "Request message is incorrect. {0}"),
    "ACBG000008": ("Sistem hatası, daha sonra deneyiniz.", "System error, try later."),
    "ACBG000009": ("İşlem yapılamıyor, daha sonra deneyiniz.", "The service cannot be performed, try later."),
    "ACBG000010": ("IP adresine izin verilmiyor.", "Your IP is not allowed."),
    "ACBH000202": ("Belirtilen tarih aralığında işlem bulunamadı.", "There are no transactions in the range."),
    "ACBH000233": ("İşlem limiti aşıldı.", "Above the transaction limit."),
    "ACBH000234": ("Günlük limit aşıldı. Kalan: {0}", "Above the daily limit. Remaining: {0}"),
    "ACBH000235": ("Firma günlük limiti aşıldı.", "Above the company's daily limit."),
}
HTTP_STATUS = {
    "ACBG000001": 401,
    "ACBG000002": 401,
    "ACBG000004": 429,
    "ACBG000005": 401,
    "ACBG000006": 401,
    "ACBG000008": 500,
    "ACBG000009": 503,
    "ACBG000010": 403,
}
DUPLICATE, NO_FUNDS, UNKNOWN_INSTITUTION = 40, 41, 42
EXPLANATIONS = {
    DUPLICATE: "Mükerrer işlem",
    NO_FUNDS: "Bakiye yetersiz",
    UNKNOWN_INSTITUTION: "Kurum tanımı bulunamadı",
}


def header(code: str, detail: object = "") -> dict[str, Any]:
    """Write the ``Header`` object of an answer."""
    turkish, english = MESSAGES.get(code, ("İşlem yapılamadı.", "The operation failed."))
    if code == "APIGW000000":
        turkish, english = "Tamamlandı", "Completed"
    return {
        "StatusCode": code,
        "StatusDescription": turkish.format(detail).strip(),
        "StatusDescriptionEn": english.format(detail).strip(),
        "ObjectID": str(uuid.uuid4()),
    }


def gateway_refusal(code: str, detail: object = "") -> Reply:
    """Refuse a call at the gateway: the ``Header`` alone."""
    return json_reply({"Header": header(code, detail)}, HTTP_STATUS.get(code, 400))


def completed(data: dict[str, Any]) -> Reply:
    """Write an answer whose gateway layer is fine."""
    return json_reply({"Header": header("APIGW000000"), "Data": data})


def query_result(
    transaction_code: str, ids: dict[str, str], error_code: int, explanation: str, *, result: bool | None = None
) -> Reply:
    """Write the money layer of a payment's answer, in the page's field order."""
    layer = {
        "TransactionObjectId": ids.get("TransactionObjectId", ""),
        "ErrorExplanation": explanation,
        "InstitutionTaxNo": transaction_code,
        "TransactionQueryNo": ids.get("TransactionQueryNo", ""),
        "ErrorCode": error_code,
        "Result": bool(ids) if result is None else result,
    }
    return completed({"QueryResult": layer})
