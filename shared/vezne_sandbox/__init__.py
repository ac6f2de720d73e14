"""The five providers as stateful HTTP servers on loopback, written from the provider pages. A short manual.

Start: ``python -m vezne_sandbox --port 8100`` (0 = a free port) prints ``{"port": 8100}`` when ready and ends on
SIGTERM or SIGINT. In a test: ``with running_sandbox() as sandbox:`` (``vezne_sandbox.server``) yields a
``SandboxControl`` (``vezne_sandbox.client``), which also talks to a server elsewhere: ``SandboxControl(url)``.
``GET /`` is this manual, with lines to try.
All providers share the port; each provider's URL is ``sandbox.url``. The secrets are in ``credentials.json``.

Operations (``GET /_control/operations`` lists them with their possible faults)
    kolaybi.login     kolaybi.collect      kolaybi.list_transactions, kolaybi.list_vaults
    vakifbank.login   vakifbank.pay        vakifbank.query
    walletgate.login  walletgate.pay_bill  walletgate.list_transactions, walletgate.list_bills,
                                           walletgate.product_detail
                      haso.set_expenses    haso.payment_plan
                      paynet.capture       paynet.check, paynet.detail

Control (JSON; a refused call is HTTP 400 with ``{"error": text}``)
    GET    /_control/health              ready
    GET    /_control/bookings            money that moved, oldest first; ?provider= ?reference=
    GET    /_control/calls               every provider call: operation, reference, at, outcome, status, booked, rule;
                                         ?operation=
    GET    /_control/state               HASO totals and history, Paynet remainders, VakıfBank's count of wrong secrets,
                                         late bookings still waiting
    GET    /_control/rules               rules with ``calls`` seen and ``hits``
    POST   /_control/rules               set a rule (below)
    DELETE /_control/rules               remove all, or ?id=
    POST   /_control/reset               forget everything, rules, seeds and clock included
    POST   /_control/tokens/revoke       {"provider": name} or {}: the next call with an old token gets 401
    POST   /_control/seed                {provider: {name: value}}:
               any provider   credentials {field: new value, or a list of accepted values}; token_lifetime (seconds)
               vakifbank      wrong_secrets (count); executes_on_payment_date (true: not at once, and not on a weekend);
                              holidays ["2026-12-28", ...]
               walletgate     balance; bills [{product_oid, subscriber_no, bill_term, bill_no, invoice_amount,
                              partial_payment_allowed, oid}]
               haso           instalments {transaction code: [amount, ...]}
               paynet         pre_authorisations [{xact_id, xact, reference_no, amount}]
    POST   /_control/clock               {"advance_seconds": s}: tokens expire, late bookings fall due, bookings age.
                                         Use it instead of sleeping.

Rules. Calls are counted from when the rule is set; every call of the operation counts, refused ones too. Of several
rules the first that applies decides. Booking comes before the fault, and nothing comes between check and booking.
    operation     which address
    then          what the caller gets, see below (default "answer")
    nth, times    from the nth call (default 1) for so many calls (default 1, 0 = always)
    match         only calls carrying this value, or having it as a whole word in a value
    book          true, false, or {"after_seconds": s}; default true, but false for unauthorized, too_many_requests
                  and refuse. A late booking that the provider would refuse by then (a double) is dropped.
  then, any operation:
    answer            the page's answer (with book: false a success that never happened)
    hang              silence, until the caller leaves or 120 s
    reset             TCP reset
    status_500        500, JSON            bad_gateway_html  502, HTML
    cut               200, Content-Length larger than the half of the body that is sent, then closed
    trailing_comma    JSON with a comma before the last brace
    slow_drops        a byte every ``every_seconds`` (0.5), never the last; ``drip`` "body" (default) or "headers"
    informational     ``status`` (103, of 100 to 199) at once, and the answer after ``every_seconds`` (0.5)
    informational_only  ``status`` at once, and then silence as for hang
    html              (login only) ``status`` (403) with a page of HTML: something on the way refused
    unauthorized      the provider's refusal of a token or key (HTTP 401; HASO: Success false)
    too_many_requests 429 with Retry-After ``retry_after`` (1)
  then, money operations only:
    refuse            the provider's business refusal; ``code`` chooses a documented code (KolayBi: HTTP status;
                      VakıfBank: ACB... or ErrorCode; walletgate: 300, 311...; HASO: text; Paynet: result_code)
    other_amount      ``amount``, or 0.01 more     (all but VakıfBank, whose answer has no amount)
    other_reference   another reference or id     (VakıfBank, walletgate; Paynet: another ``xact_id``)
    gateway_json          403 with a JSON message, as any gateway writes it
    odd_refusal           what is no refusal by the page: ``Result`` false beside "Tahsil Edildi" (VakıfBank), HTTP 400
                          without a code (walletgate), a refusal beside the collection's data (KolayBi) or the plan
                          (HASO), an unlisted result_code (Paynet)
  then, look-ups only:
    fail              500
    lag               bookings younger than ``seconds`` (60) are not shown
    foreign           somebody else's payment of ``amount`` (default: that of the provider's latest order) is listed,
                      first in the list; HASO: the amount stands on the first instalment, not on the last

    unnamed_row       rows name the payment in ``form``: other_case, padded, without_hyphens, empty, null, missing,
                      or other_name     (all but HASO; KolayBi: the description, Paynet: ``xact_id``)
    odd_row           rows are in ``form``: no_sign of success, cancelled, pending, other_currency, negative
                      (all but HASO)
    cut_text          the rows' descriptions are cut to 40 characters     (KolayBi)
    clock_ahead       the rows are dated ``seconds`` (60) ahead     (Paynet)
    new_ids, letters  each answer has other encrypted ids, or letters for types     (Paynet)
    unfiltered        every payment is listed, whatever reference was asked for     (VakıfBank, walletgate)

What a provider's pages leave open is chosen as plainly as possible: each module's docstring lists these assumptions.
"""
