import { createHash } from 'node:crypto';
import { z } from 'zod';
import { DAY, MINUTE } from '../platform/clock.ts';
import { type Evidence, evidenceLikelihood, type FittedHazard, fitEvidence } from './learned.ts';
import { LearningRefused } from './population.ts';
import type { Dated } from './population-person.ts';

/** Whole numbers alone, so that they add up to the same in any order. */
export const datedCounts = z.strictObject({
  /** Time that people were watched, [fitted to, held out]. */
  minutes: z.tuple([z.int(), z.int()]),
  /** `[held out, channel, days from, days to]` as text, and how many touches. */
  exposures: z.array(z.tuple([z.string(), z.int()])),
  /** `[held out, [channel, days], …]` as text, how many conversions, and what they were worth. */
  conversions: z.array(z.tuple([z.string(), z.int(), z.int()])),
});
export type DatedCounts = z.infer<typeof datedCounts>;

/** More distinct sets of dated touches would not fit into memory. */
const MOST = 500_000;

const exposureKey = z.tuple([z.int(), z.string(), z.int(), z.int()]);
const conversionKey = z.tuple([z.int(), z.array(z.tuple([z.string(), z.int()]))]);

/** People of one half: by their id, so that it is the same half in every part and each time. */
export const isLearnedFrom = (profile: string): boolean =>
  (createHash('sha256').update(`learned ${profile}`).digest()[0]! & 1) === 0;

/** Adds up people under the hazard. Memory grows with distinct channels and days. */
export function datedCounter() {
  let minutes: [number, number] = [0, 0];
  let exposures = new Map<string, number>();
  let conversions = new Map<string, [number, number]>();
  const expose = (key: string, count: number) => exposures.set(key, (exposures.get(key) ?? 0) + count);
  const convert = (key: string, count: number, value: number) => {
    const [often, worth] = conversions.get(key) ?? [0, 0];
    conversions.set(key, [often + count, worth + value]);
    if (conversions.size > MOST)
      throw new LearningRefused(
        `learned: more than ${MOST} distinct sets of dated touches: take fewer days, or a shorter look-back`,
      );
  };
  return {
    get size() {
      return exposures.size + conversions.size;
    },
    add({ isHeldOut, minutes: watched, exposures: seen, conversions: came }: Dated): void {
      const side = Number(isHeldOut);
      minutes[side]! += watched;
      for (const it of seen) expose(JSON.stringify([side, ...it]), 1);
      for (const { touches, value } of came) {
        const sorted = [...touches].sort(([a, x], [b, y]) => (a < b ? -1 : a > b ? 1 : x - y));
        convert(JSON.stringify([side, sorted]), 1, value);
      }
    },
    merge(counts: DatedCounts): void {
      minutes = [minutes[0] + counts.minutes[0], minutes[1] + counts.minutes[1]];
      for (const it of counts.exposures) expose(...it);
      for (const it of counts.conversions) convert(...it);
    },
    /** All that was counted since it was last taken, in one order whatever came first. */
    take(): DatedCounts {
      const taken: DatedCounts = {
        minutes,
        exposures: [...exposures].sort(byText),
        conversions: [...conversions]
          .sort(byText)
          .map(([key, [count, value]]): [string, number, number] => [key, count, value]),
      };
      minutes = [0, 0];
      exposures = new Map();
      conversions = new Map();
      return taken;
    },
  };
}

const byText = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]) =>
  a < b ? -1 : a > b ? 1 : 0;

export interface LearnedCredits {
  readonly hazard: FittedHazard;
  /** The share of conversions that nobody caused. */
  readonly nobody: number;
  /** Per channel: its part of conversions and of money, and of one touch of it on a path, on average. */
  readonly channels: ReadonlyMap<string, { conversions: number; value: number; perTouch: number }>;
  /** Of conversions without a touch in the look-back. */
  readonly unattributed: { readonly conversions: number; readonly value: number };
}

/**
 * Fits the hazard to everybody, with the half-life that foretells best those of one half by those of the other, and
 * shares each conversion by it: a touch has its part of what all touches have.
 *
 * @throws LearningRefused where nothing converted
 */
export function learnedCredits(counts: DatedCounts, halfLives: readonly number[]): LearnedCredits {
  const tried = halfLives.map((halfLife) => {
    const hazard = fitEvidence(evidenceOf(counts, halfLife, 0), halfLife);
    const score = evidenceLikelihood(hazard, evidenceOf(counts, halfLife, 1));
    return { halfLife, score: Number.isFinite(score) ? score : Number.NEGATIVE_INFINITY };
  });
  const [best] = [...tried].sort((a, b) => (b.score === a.score ? 0 : b.score > a.score ? 1 : -1));
  if (!best || counts.conversions.length === 0)
    throw new LearningRefused('learned: nothing converted in these days, so there is nothing to learn from');
  const evidence = evidenceOf(counts, best.halfLife);
  return sharedBy(fitEvidence(evidence, best.halfLife), counts);
}

function sharedBy(hazard: FittedHazard, counts: DatedCounts): LearnedCredits {
  const channels = new Map<string, { conversions: number; value: number; touches: number }>();
  const unattributed = { conversions: 0, value: 0 };
  let [nobody, all] = [0, 0];
  for (const { touches, count, value } of rowsOf(counts)) {
    const parts = touches.map(
      ([channel, days]) => (hazard.effects[channel] ?? 0) * kernel(days, hazard.halfLifeDays),
    );
    const caused = parts.reduce((sum, it) => sum + it, 0);
    all += count;
    nobody += caused + hazard.base > 0 ? (count * hazard.base) / (caused + hazard.base) : count;
    if (touches.length === 0) {
      unattributed.conversions += count;
      unattributed.value += value;
    }
    for (const [i, [channel]] of touches.entries()) {
      const part = caused > 0 ? parts[i]! / caused : 1 / touches.length;
      const known = channels.get(channel) ?? { conversions: 0, value: 0, touches: 0 };
      known.conversions += part * count;
      known.value += part * value;
      known.touches += count;
      channels.set(channel, known);
    }
  }
  const perTouch = [...channels].map(
    ([channel, { touches, ...it }]) => [channel, { ...it, perTouch: it.conversions / touches }] as const,
  );
  return { hazard, nobody: all > 0 ? nobody / all : 0, channels: new Map(perTouch), unattributed };
}

/** What was counted in whole days stands for their middles. */
const kernel = (days: number, halfLife: number): number => 2 ** (-(days + 0.5) / halfLife);

/** @param side 0: those to fit to, 1: those held out; absent: everybody */
function evidenceOf(counts: DatedCounts, halfLife: number, side?: 0 | 1): Evidence {
  const rows = rowsOf(counts).filter((it) => side === undefined || it.side === side);
  const seen = exposuresOf(counts).filter((it) => side === undefined || it.side === side);
  const kinds = [
    ...new Set([...seen.map((it) => it.channel), ...rows.flatMap((it) => it.touches.map(([c]) => c))]),
  ].sort();
  const numberOf = new Map(kinds.map((kind, i) => [kind, i]));
  const exposure = new Float64Array(kinds.length);
  for (const { channel, from, to, count } of seen) {
    const begin = from === 0 ? 0 : from + 0.5;
    const end = Math.max(begin, to + 0.5);
    exposure[numberOf.get(channel)!]! +=
      count * (halfLife / Math.LN2) * (2 ** (-begin / halfLife) - 2 ** (-end / halfLife));
  }
  const kernels = rows.map(({ touches }) => {
    const row = new Float64Array(kinds.length);
    for (const [channel, days] of touches) row[numberOf.get(channel)!]! += kernel(days, halfLife);
    return row;
  });
  const minutes = side === undefined ? counts.minutes[0] + counts.minutes[1] : counts.minutes[side];
  const often = Float64Array.from(rows, ({ count }) => count);
  return { kinds, kernels, often, exposure, days: (minutes * MINUTE) / DAY };
}

const rowsOf = ({ conversions }: DatedCounts) =>
  conversions.map(([key, count, value]) => {
    const [side, touches] = conversionKey.parse(JSON.parse(key));
    return { side, touches, count, value };
  });

const exposuresOf = ({ exposures }: DatedCounts) =>
  exposures.map(([key, count]) => {
    const [side, channel, from, to] = exposureKey.parse(JSON.parse(key));
    return { side, channel, from, to, count };
  });
