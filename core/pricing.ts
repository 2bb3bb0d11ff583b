/**
 * List prices in US dollars, region us-east-1, without free tiers, as published on the services' public pricing pages
 * (aws.amazon.com/s3/pricing, aws.amazon.com/step-functions/pricing, aws.amazon.com/lambda/pricing). Other regions and agreements
 * differ, KMS is not in them, and Lambda's time only where bytes are read: these are for orders of magnitude.
 */
export const PRICES = {
  /** Per request: PUT, COPY, POST, LIST. */
  s3WriteRequest: 0.005 / 1000,
  /** Per request: GET, HEAD and all others. DELETE is free. */
  s3ReadRequest: 0.0004 / 1000,
  /** Per state transition of a Standard workflow. */
  stateTransition: 0.025 / 1000,
  /** Per GB-second of Lambda on ARM. */
  lambdaGbSecond: 0.0000133334,
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

/** Storage classes that parts may be moved to, and what a byte read from each costs beside the request: dollars per GB. */
const RETRIEVAL_PER_GB = {
  STANDARD_IA: 0.01,
  ONEZONE_IA: 0.01,
  INTELLIGENT_TIERING: 0,
  GLACIER_IR: 0.03,
} as const;
export type TransitionClass = keyof typeof RETRIEVAL_PER_GB;

const GB = 1024 ** 3;
/** What one function reads and checksums in a second, on the cautious side, with 1 GB of memory. */
const READ_BYTES_PER_SECOND = 50 * 1024 ** 2;
/** State transitions of one batch of a Map: its child, the function, the check, the end. */
const TRANSITIONS_PER_BATCH = 5;

export interface ReadingPrice {
  readonly perPart: number;
  readonly perByte: number;
}

/**
 * What it costs to read parts in the region: the requests, the functions' time, and retrieval as if everything had been moved to
 * the dearest of the classes.
 */
export function readingPrice(classes: readonly TransitionClass[], partsPerBatch: number): ReadingPrice {
  const retrieval = Math.max(0, ...classes.map((each) => RETRIEVAL_PER_GB[each]));
  return {
    perPart: PRICES.s3ReadRequest + (TRANSITIONS_PER_BATCH * PRICES.stateTransition) / partsPerBatch,
    perByte: retrieval / GB + PRICES.lambdaGbSecond / READ_BYTES_PER_SECOND,
  };
}
