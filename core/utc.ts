/** Pure conversions between epoch milliseconds and UTC text. The only file of core/ that may say Date; it never asks for the time. */

/** `2026-11-23T03:48:00.000Z` */
export function isoOfEpochMillis(epochMillis: number): string {
  // biome-ignore lint/style/noRestrictedGlobals: a conversion, not a clock
  return new Date(epochMillis).toISOString();
}

/** Epoch milliseconds of an ISO 8601 text with zone, or undefined when it is none. */
export function epochMillisOfIso(iso: string): number | undefined {
  // biome-ignore lint/style/noRestrictedGlobals: a conversion, not a clock
  const epochMillis = Date.parse(iso);
  return Number.isNaN(epochMillis) ? undefined : epochMillis;
}
