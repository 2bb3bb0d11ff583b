/**
 * List prices in US dollars, region us-east-1, without free tiers, as published on the services' public pricing pages
 * (S3, Step Functions, Lambda; read in 2026). Other regions and agreements differ: these are for orders of magnitude.
 */
export const PRICES = {
  /** Per request: PUT, COPY, POST, LIST. */
  s3WriteRequest: 0.005 / 1000,
  /** Per request: GET, HEAD and all others. DELETE is free. */
  s3ReadRequest: 0.0004 / 1000,
  /** Per state transition of a Standard workflow. */
  stateTransition: 0.025 / 1000,
  /** Per GB-second on arm64. */
  lambdaGbSecond: 0.0000133334,
  /** Per invocation. */
  lambdaInvocation: 0.2 / 1_000_000,
  /** Per GB and month in S3 Standard. */
  s3StorageGbMonth: 0.023,
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
