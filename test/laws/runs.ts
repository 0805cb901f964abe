import fc from 'fast-check';
import { aHistory, type History } from './oracle/histories.ts';

/** Whether many more cases are asked for than a build has time for. */
export const isDeep = (): boolean => process.env.LAWS_DEEP === '1';

/** The seed that alone is to be run, if one is. */
const askedSeed = (): number | undefined =>
  process.env.LAWS_SEED === undefined ? undefined : Number(process.env.LAWS_SEED);

/**
 * The seeds of a law's cases: so many from a first one on, ten times as many if deep, or the one asked for.
 *
 * @param found seeds of later ones that once failed: they stay
 */
export function seeds(from: number, count: number, found: readonly number[] = []): number[] {
  const asked = askedSeed();
  if (asked !== undefined) return [asked];
  const all = Array.from({ length: isDeep() ? 10 * count : count }, (_, i) => from + i);
  return [...all, ...found.filter((seed) => !all.includes(seed))];
}

/** The history of a seed: the same on every machine. */
export function historyOf(seed: number, zone: string, options: Parameters<typeof aHistory>[1] = {}): History {
  const [history] = fc.sample(aHistory(zone, options), { numRuns: 1, seed });
  if (!history) throw new Error('fast-check made no history');
  return history;
}

/** The command that runs one seed of one file again. */
export const replayOf = (file: string, seed: number): string => `npm run test:laws -- --seed ${seed} ${file}`;
