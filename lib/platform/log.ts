/**
 * One structured line on the error stream. Never a body, never an identifier: what went wrong and where, so that logs
 * can be read by people who may not see customers.
 */
export function logError(
  what: string,
  error: unknown,
  facts: Readonly<Record<string, string | number>> = {},
): void {
  const { name, message, stack } =
    error instanceof Error ? error : { name: 'unknown', message: String(error), stack: undefined };
  console.error(
    JSON.stringify({
      level: 'error',
      what,
      error: name,
      message,
      ...facts,
      at: stack?.split('\n')[1]?.trim(),
    }),
  );
}
