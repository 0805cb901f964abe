/** The newest keys, each with the line where it stood: how a repeat is found in memory that does not grow. */
export interface Recent {
  /** The line of the key, if it is remembered. */
  lineOf(key: string): number | undefined;
  put(key: string, line: number): void;
}

/** @param most how many keys are remembered; about 150 bytes each */
export function openRecent(most = 100_000): Recent {
  const lines = new Map<string, number>();
  return {
    lineOf: (key) => lines.get(key),
    put(key, line) {
      lines.set(key, line);
      if (lines.size <= most) return;
      const oldest = lines.keys().next();
      if (!oldest.done) lines.delete(oldest.value);
    },
  };
}
