import { z } from 'zod';
import type { Brand, Holdout } from '../platform/brand.ts';
import { datedCounter, datedCounts } from './learned-counts.ts';
import { type CountedPaths, pathCounter, sizeOf } from './paths.ts';
import { LearningRefused, type Run } from './population.ts';
import { assignedTo, datedOf, pathsOf, type Told } from './population-person.ts';

const group = z.strictObject({ people: z.int(), converted: z.int() });

/** Counts of people: whole numbers, that add up to the same in whatever parts and order they were counted. */
export const counts = z.strictObject({
  people: z.int(),
  tooYoung: z.int(),
  otherCurrencies: z.record(z.string(), z.int()),
  channels: z.array(z.string()),
  /** Channels by their places in `channels`; conversions, money after refunds, paths that did not convert. */
  paths: z.array(z.tuple([z.array(z.int()), z.int(), z.int(), z.int()])),
  dated: datedCounts.optional(),
  holdouts: z.array(
    z.strictObject({
      campaign: z.string(),
      reached: group,
      heldOut: group,
      /** Of those reached, ppm of conversions per model. */
      credits: z.record(z.string(), z.int()),
    }),
  ),
});
export type Counts = z.infer<typeof counts>;

/** Beyond this a function's memory would not hold them, nor a result its row. */
const MOST = { paths: 1_000_000, steps: 20_000_000, channels: 2_000 };

export interface CampaignSpan {
  readonly holdout: Holdout;
  readonly begin: number;
  readonly end: number;
}

/** Adds up people, or what was counted of people elsewhere. */
export function populationCounter(asked: Run, brand: Brand, campaigns: readonly CampaignSpan[] = []) {
  const isDated = asked.fits.some(({ model }) => model === 'learned');
  let paths = pathCounter();
  let taken = { people: 0, tooYoung: 0, steps: 0 };
  let otherCurrencies = new Map<string, number>();
  const dated = datedCounter();
  let groups = new Map<string, Counts['holdouts'][number]>();

  const count = (channels: readonly string[], of: { conversions: number; value: number; nulls: number }) => {
    taken.steps += channels.length;
    paths.add(channels.map(paths.numberOf), of);
    if (paths.size > MOST.paths || paths.touches > MOST.steps)
      throw new LearningRefused(
        `more than ${MOST.paths} distinct paths, or ${MOST.steps} touches on them: take fewer days`,
      );
  };
  const meet = (currency: string, often: number) =>
    otherCurrencies.set(currency, (otherCurrencies.get(currency) ?? 0) + often);
  const groupsOf = (campaign: string) => {
    const none = { people: 0, converted: 0 };
    const known = groups.get(campaign) ?? { campaign, reached: none, heldOut: none, credits: {} };
    groups.set(campaign, known);
    return known;
  };

  return {
    /** About how much is held: steps of paths and dated entries. */
    get size() {
      return taken.steps + 4 * dated.size;
    },

    add(told: Told): void {
      const { paths: own, tooYoung, otherCurrencies: others } = pathsOf(told, asked, brand.attribution);
      taken.people += 1;
      taken.tooYoung += tooYoung;
      for (const currency of others) meet(currency, 1);
      for (const { channels, ...of } of own) count(channels, of);
      if (isDated) dated.add(datedOf(told, asked, brand.attribution));
      for (const { holdout, ...days } of campaigns) {
        const assigned = assignedTo(holdout, told, asked.goal, days);
        if (assigned)
          addGroups(groupsOf(holdout.campaign), {
            [assigned.isHeldOut ? 'heldOut' : 'reached']: {
              people: 1,
              converted: Number(assigned.converted),
            },
            ...(!assigned.isHeldOut && { credits: assigned.credits }),
          });
      }
    },

    merge(it: Counts): void {
      taken.people += it.people;
      taken.tooYoung += it.tooYoung;
      for (const [currency, often] of Object.entries(it.otherCurrencies)) meet(currency, often);
      for (const [steps, conversions, value, nulls] of it.paths)
        count(
          steps.map((step) => it.channels[step]!),
          { conversions, value, nulls },
        );
      if (it.dated) dated.merge(it.dated);
      for (const { campaign, ...more } of it.holdouts) addGroups(groupsOf(campaign), more);
    },

    /** What was counted since it was last taken, in one order whatever came first. @throws LearningRefused beyond bounds */
    take(): Counts {
      const found = inOrder(paths.counted());
      const result: Counts = {
        people: taken.people,
        tooYoung: taken.tooYoung,
        otherCurrencies: Object.fromEntries([...otherCurrencies].sort()),
        ...found,
        ...(isDated && { dated: dated.take() }),
        holdouts: [...groups.values()].sort((a, b) => (a.campaign < b.campaign ? -1 : 1)),
      };
      paths = pathCounter();
      taken = { people: 0, tooYoung: 0, steps: 0 };
      otherCurrencies = new Map();
      groups = new Map();
      return result;
    },
  };
}

type Groups = Pick<Counts['holdouts'][number], 'reached' | 'heldOut' | 'credits'>;

function addGroups(to: Groups, more: Partial<Groups>): void {
  for (const name of ['reached', 'heldOut'] as const) {
    const { people = 0, converted = 0 } = more[name] ?? {};
    to[name] = { people: to[name].people + people, converted: to[name].converted + converted };
  }
  for (const [model, ppm] of Object.entries(more.credits ?? {}))
    to.credits[model] = (to.credits[model] ?? 0) + ppm;
}

/** Channels by name, paths by their channels: the same counts are the same to the last byte. */
function inOrder(found: CountedPaths): Pick<Counts, 'channels' | 'paths'> {
  const { channels: names, steps, starts, conversions, value, nulls, unattributed } = found;
  if (names.length > MOST.channels)
    throw new LearningRefused(
      `more than ${MOST.channels} channels: name fewer, by \`channel\` of the campaigns`,
    );
  const channels = [...names].sort();
  const placeOf = new Map(channels.map((name, i) => [name, i]));
  const places = names.map((name) => placeOf.get(name)!);
  const paths: Counts['paths'] = Array.from({ length: sizeOf(found) }, (_, i) => [
    Array.from(steps.subarray(starts[i], starts[i + 1]), (step) => places[step]!),
    conversions[i]!,
    value[i]!,
    nulls[i]!,
  ]);
  paths.sort(([a], [b]) => byPlaces(a, b));
  const { conversions: nobodys, value: theirs, nulls: none } = unattributed;
  return { channels, paths: nobodys + none > 0 ? [[[], nobodys, theirs, none], ...paths] : paths };
}

function byPlaces(a: readonly number[], b: readonly number[]): number {
  for (let i = 0; i < a.length && i < b.length; i++) if (a[i] !== b[i]) return a[i]! - b[i]!;
  return a.length - b.length;
}
