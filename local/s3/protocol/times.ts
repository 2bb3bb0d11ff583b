/** S3 keeps whole seconds: `Mon, 23 Nov 2026 04:04:49 GMT`. */
export function httpDate(epochMillis: number): string {
  return new Date(epochMillis).toUTCString();
}

/** S3 lists whole seconds with zero milliseconds: `2026-11-23T04:04:49.000Z`. */
export function listedDate(epochMillis: number): string {
  return new Date(Math.floor(epochMillis / 1000) * 1000).toISOString();
}

/** Retention keeps its milliseconds. */
export function isoDate(epochMillis: number): string {
  return new Date(epochMillis).toISOString();
}

export function parseDate(text: string): number | undefined {
  const millis = Date.parse(text);
  return Number.isNaN(millis) ? undefined : millis;
}
