/** What these say quotes what they read: a body, or a name that somebody sent. */
const QUOTING: ReadonlySet<string> = new Set(['SyntaxError', 'ZodError', '$ZodError']);

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
      ...(!QUOTING.has(name) && { message }),
      ...facts,
      at: stack
        ?.split('\n')
        .find((line) => /^\s+at /.test(line))
        ?.trim(),
    }),
  );
}
