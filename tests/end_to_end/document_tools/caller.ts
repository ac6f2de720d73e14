// A caller in TypeScript: what it may read and send by the types of the document, and what the compiler must refuse.
import type { components, paths } from "./api";

type Capture = paths["/paynet/captures"]["post"];
type Order = Capture["requestBody"]["content"]["application/json"];
type Refusal = Capture["responses"][402]["content"]["application/problem+json"];
type Operation = paths["/operations/{operation_id}"]["get"]["responses"][200]["content"]["application/json"];
type CaptureRead = components["schemas"]["operation.paynet.capture"];

export function reason(problem: Refusal): string {
  switch (problem.code) {
    case "declined":
      return `${problem.provider_code}: ${problem.provider_text}`;
    case "not-executed":
      // @ts-expect-error: no provider refused it
      return `${problem.provider_code}`;
    default:
      return everyCaseIsNamed(problem);
  }
}

export function reasonUnread(problem: Refusal): string | undefined {
  // @ts-expect-error: it may be another problem
  return problem.provider_code;
}

export function isOfNoSuchProblem(problem: Refusal): boolean {
  // @ts-expect-error: this route answers no such problem with 402
  return problem.code === "provider-down";
}

export function outcome(operation: CaptureRead): string {
  switch (operation.status) {
    case "succeeded":
      return `moved: ${"xact_id" in operation.result ? operation.result.xact_id : "decided by hand"}`;
    case "declined":
      return `not moved: ${operation.refusal.code}`;
    case "not_executed":
      // @ts-expect-error: only the provider's refusal has one
      return operation.refusal.code;
    case "processing":
    case "unknown":
      return sameKeyOnly(operation.retry);
    default:
      return everyCaseIsNamed(operation);
  }
}

export function resultOfAnyOperation(operation: Operation): string | null | undefined {
  // @ts-expect-error: its outcome may be unknown
  operation.result;
  if (operation.operation !== "paynet.capture" || operation.status !== "succeeded") return undefined;
  return "xact_id" in operation.result ? operation.result.xact_id : undefined;
}

export const whole: Order = { xact_id: "xk_1" };
export const part: Order = { reference_no: "R-1000", amount: "1.00" };
// @ts-expect-error: it names no pre-authorisation
export const ofNothing: Order = { amount: "1.00" };
// @ts-expect-error: every order has a key
export const withoutKey: Capture["parameters"]["header"] = {};

function sameKeyOnly(retry: "same_key"): string {
  return retry;
}

function everyCaseIsNamed(none: never): never {
  throw new Error(`no such case: ${JSON.stringify(none)}`);
}
