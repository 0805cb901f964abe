/** The value below which `share` of a list lies (nearest rank); 0 for an empty list. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
}

export const median = (values: readonly number[]): number => quantile(values, 0.5);
export const sum = (values: readonly number[]): number => values.reduce((total, it) => total + it, 0);
export const mean = (values: readonly number[]): number => sum(values) / Math.max(1, values.length);
