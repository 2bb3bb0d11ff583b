/**
 * List prices in US dollars, region us-east-1, without free tiers, as published on the services' public pricing pages
 * (aws.amazon.com/s3/pricing, aws.amazon.com/step-functions/pricing). Other regions and agreements differ, and Lambda's time and
 * KMS are not in them: these are for orders of magnitude.
 */
export const PRICES = {
  /** Per request: PUT, COPY, POST, LIST. */
  s3WriteRequest: 0.005 / 1000,
  /** Per request: GET, HEAD and all others. DELETE is free. */
  s3ReadRequest: 0.0004 / 1000,
  /** Per state transition of a Standard workflow. */
  stateTransition: 0.025 / 1000,
} as const;

export interface PricedRequests {
  readonly writes: number;
  readonly reads: number;
  readonly stateTransitions: number;
}

export function dollarsOf(requests: PricedRequests): number {
  return (
    requests.writes * PRICES.s3WriteRequest +
    requests.reads * PRICES.s3ReadRequest +
    requests.stateTransitions * PRICES.stateTransition
  );
}
