"""The envelope of walletgate's answers, and the codes of its refusals."""

from __future__ import annotations

from vezne_sandbox.wire import Reply, json_reply

MESSAGES = {
    "300": "Cüzdan bulunamadı veya geçersiz",
    "301": "Mükerrer ext_transaction_id",
    "310": "Cüzdan limiti yetersiz",
    "311": "Cüzdan bakiyesi yetersiz",
    "503": "IBAN ve isim uyuşmuyor",
}


def envelope(payload: object) -> Reply:
    """Write a success."""
    return json_reply({"status": 0, "code": "100", "message": "İşlem başarılı", "payload": payload})


def failure(code: str, message: str, status: int = 200) -> Reply:
    """Write a refusal."""
    return json_reply({"status": 1, "code": code, "message": message, "payload": None}, status)
