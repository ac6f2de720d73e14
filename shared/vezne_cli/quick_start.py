"""The shell lines of README, "One order by curl", for the stack that is running."""

import shlex

from .stack import Stack

ORDER = r"""
# a token
TOKEN=$(curl -s "$TOKEN_URL" -u "$CLIENT_ID:$CLIENT_SECRET" -d grant_type=client_credentials \
  | sed 's/.*"access_token": *"\([^"]*\)".*/\1/')

# an order, and the same again
order() {
  curl -si -w '\n' "$API_URL/paynet/captures" -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json' \
    -H "Idempotency-Key: $1" -d "$2"
}
order my-first-order '{"reference_no": "R-1000", "amount": "1.00"}'
order my-first-order '{"reference_no": "R-1000", "amount": "1.00"}'
"""
LOST_ANSWER = r"""
# the sandbox books the next capture, and cuts the connection instead of answering
curl -s -w '\n' "$SANDBOX_URL/_control/rules" -d '{"operation": "paynet.capture", "then": "reset"}'
ANSWER=$(order my-second-order '{"reference_no": "R-1001", "amount": "2.00"}')
echo "$ANSWER"

# what is known of it
LOCATION=$(echo "$ANSWER" | tr -d '\r' | sed -n 's/^[Ll]ocation: //p')
curl -si -w '\n' "${API_URL%/*}$LOCATION" -H "Authorization: Bearer $TOKEN"

# the same order again
order my-second-order '{"reference_no": "R-1001", "amount": "2.00"}'
"""
REFERENCE = """
# every field of every route, in a browser
echo "$API_URL/reference"
"""


def exports(stack: Stack) -> str:
    """The variables that the lines, and the client's script in its README, speak of."""
    values = {
        "API_URL": stack.api_url,
        "TOKEN_URL": stack.token_url,
        "CLIENT_ID": stack.first_client.id,
        "CLIENT_SECRET": stack.first_client.secret,
        "SANDBOX_URL": stack.sandbox_url,
    }
    return "".join(f"export {name}={shlex.quote(value)}\n" for name, value in values.items())


def curl_lines(stack: Stack) -> str:
    """All of it, to be pasted into a shell."""
    return exports(stack) + ORDER + LOST_ANSWER + REFERENCE
