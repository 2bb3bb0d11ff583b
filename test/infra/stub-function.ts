/** Stands for any Lambda where a test is about the stacks and not about what the functions do. */
export async function handler(event: unknown): Promise<unknown> {
  return event;
}
