"""What a caller may write on its order for itself: `reference` and `metadata`, beside the fields of the order.

Both are kept as long as the record, and answered with it. They are never sent to a provider and never logged. A number
that could be that of a card, an account or a person is refused, whatever it is meant to be: nobody masks these texts.
"""

import re
from typing import Annotated, Any

from pydantic import AfterValidator, ConfigDict, Field, StringConstraints

from vezne.api.requests import validated
from vezne.operation import Label
from vezne.platform.masking import mask_text
from vezne.providers.models import ONE_LINE, RequestModel, one_line

# Some of these have ten digits in a row by chance. The two marks of a UUID are checked, so not every text is one.
_UUID = re.compile(
    r"[0-9a-f]{8}(-?)[0-9a-f]{4}\1[1-8][0-9a-f]{3}\1[89ab][0-9a-f]{3}\1[0-9a-f]{12}", re.IGNORECASE | re.ASCII
)


def _no_number_of_somebody(text: str) -> str:
    if mask_text(text) != text and not _UUID.fullmatch(text):
        raise ValueError(
            "must have no IBAN, and no ten digits without a letter between them: they could be the number of a card or"
            " a person"
        )
    return text


_OneLine = Field(json_schema_extra={"pattern": ONE_LINE})
Reference = Annotated[
    str,
    StringConstraints(min_length=1, max_length=100),
    AfterValidator(one_line),
    AfterValidator(_no_number_of_somebody),
    _OneLine,
]
Value = Annotated[
    str,
    StringConstraints(min_length=1, max_length=200),
    AfterValidator(one_line),
    AfterValidator(_no_number_of_somebody),
    _OneLine,
]
Key = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]{1,40}$"), AfterValidator(_no_number_of_somebody)]


class LabelFields(RequestModel):
    """The caller's own fields of an order."""

    # Most orders have none of them.
    model_config = ConfigDict(defer_build=True)

    reference: Annotated[Reference | None, Field(description="Your own name for the order, such as an invoice's")] = (
        None
    )
    metadata: dict[Key, Value] = Field(
        default_factory=dict, max_length=10, description="Your own notes on the order: at most 10 short texts"
    )


def take_label(fields: dict[str, Any]) -> tuple[Label, dict[str, Any]]:
    """The caller's own fields, and the others. Raises problems.InvalidRequest."""
    own = {name: value for name, value in fields.items() if name in LabelFields.model_fields}
    if not own:
        return Label(), fields
    read: LabelFields = validated(LabelFields, own)
    return Label(read.reference, read.metadata), {name: value for name, value in fields.items() if name not in own}
