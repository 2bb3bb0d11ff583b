/** What one place said, or why it said nothing. */
export type Said<T> = { readonly said: T } | { readonly reason: string };
