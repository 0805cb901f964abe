import { createHash } from 'node:crypto';
import { z } from 'zod';

/** A count, or `<k` where it is less than k, or where it would tell the size of one that is. */
export const groupSize = z.union([z.int(), z.string().regex(/^<\d+$/)]);
export type GroupSize = z.infer<typeof groupSize>;

/**
 * Which parts of a whole may not be told. Those of fewer than k; and, where the rest of the whole would tell what these
 * are together, the smallest others, until all that is not told is at least two parts and k together.
 *
 * @returns `undefined` if nothing of the whole may be told, not even its size
 * @example hidden({ a: 50, b: 30, c: 7 }, 10)   // b and c: 87 - 50 - 30 would be c
 */
export function hidden(parts: Readonly<Record<string, number>>, k: number): ReadonlySet<string> | undefined {
  const sizes = Object.entries(parts).sort(([a, x], [b, y]) => x - y || (a < b ? -1 : 1));
  const small = sizes.filter(([, size]) => size < k);
  const sum = (list: readonly (readonly [string, number])[]) => list.reduce((all, [, size]) => all + size, 0);
  if (sum(sizes) < k) return undefined;
  if (small.length === 0) return new Set();
  let kept = small.length;
  while (kept < sizes.length && (kept < 2 || sum(sizes.slice(0, kept)) < k)) kept++;
  const left = sizes.slice(0, kept);
  return left.length < 2 || sum(left) < k ? undefined : new Set(left.map(([name]) => name));
}

/** A whole and its parts, where the small ones are not told nor what would tell them; with k 1 every number is. */
export function toldSizes(
  parts: Readonly<Record<string, number>>,
  k: number,
): { readonly profiles: GroupSize; readonly values: Record<string, GroupSize> } {
  const all = Object.values(parts).reduce((sum, size) => sum + size, 0);
  if (k <= 1) return { profiles: all, values: { ...parts } };
  const left = hidden(parts, k);
  const values = Object.entries(parts).map(([name, size]) => [
    name,
    !left || left.has(name) ? `<${k}` : size,
  ]);
  return { profiles: left ? all : `<${k}`, values: Object.fromEntries(values) };
}

/** How much one answer may shift what anybody believes of one person: by a factor of e^0.1 at most. */
export const EPSILON = 0.1;

/**
 * A count with noise (discrete Laplace, deviation about 14; never below 0): with one person more or less every outcome is
 * as likely as before, but for a factor of e^ε. Chance is `grain`, a keyed digest of what is counted and when: nobody
 * without the key can take the noise off.
 */
export function noisy(count: number, grain: string): number {
  const bytes = createHash('sha256').update(grain).digest();
  const geometric = (at: number) => Math.floor(Math.log((bytes.readUInt32BE(at) + 1) / 2 ** 32) / -EPSILON);
  return Math.max(0, count + geometric(0) - geometric(4));
}

/** A count in steps of k, and `<k` where it is less. */
export const inSteps = (count: number, k: number): GroupSize =>
  count < k ? `<${k}` : Math.round(count / k) * k;

/**
 * A whole and its parts as they may be told to those who see no single person. All that is decided here is decided by
 * the noisy counts: which part is hidden says no more than they do.
 */
export function groupSizes(
  parts: Readonly<Record<string, number>>,
  k: number,
  grainOf: (part: string) => string,
): { readonly profiles: GroupSize; readonly values: Record<string, GroupSize> } {
  const all = Object.values(parts).reduce((sum, size) => sum + size, 0);
  const counts = Object.fromEntries(
    Object.entries(parts).map(([name, size]) => [name, noisy(size, grainOf(`=${name}`))]),
  );
  const untold = hidden(counts, k);
  const values = Object.entries(counts).map(([name, size]) => [
    name,
    !untold || untold.has(name) ? `<${k}` : inSteps(size, k),
  ]);
  return { profiles: inSteps(noisy(all, grainOf('')), k), values: Object.fromEntries(values) };
}
