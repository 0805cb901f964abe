import { isDeep } from './runs.ts';
import { type Story, ZONE } from './stories.ts';
import { eventsOf, played } from './story.ts';
import { type Case, factsOf, mustBeSame, mustBeTrue } from './verdict.ts';
import { sharedOf } from './wiring.ts';
import type { Fault } from './world/faults.ts';
import { schedules } from './world/schedules.ts';

/** How far two faults of one schedule lie apart at most. */
const APART = 6;

/** A story of more points than this is long: a build runs all its single faults, and one pair in so many. */
const LONG = 40;
/** Shares no factor with the number of pairs that one first fault gives: every distance and kind has its turn. */
const ONE_IN = 13;

/** What was run, to be counted. */
export interface Count {
  readonly points: number;
  readonly schedules: number;
  /** Schedules in which each fault happened: after the first, a run may be over before the second. */
  readonly struck: number;
}

/**
 * Runs a story with every fault at every point, alone and in pairs, and asks that the table says what it says after
 * the undisturbed run.
 */
export async function enumerate({ name, steps, isLong = false }: Story, file: string): Promise<Count> {
  const shared = sharedOf(ZONE);
  const calm = await played(steps, shared);
  const facts = await factsOf(calm);
  const points = calm.points.length;
  let run = 0;
  let struck = 0;
  for (const [i, plan] of [...schedules(calm.points, APART)].entries()) {
    const text = `${name} · ${textOf(plan)}`;
    const isLeftOut =
      (isLong || points > LONG) && isWhole() && !isDeep() && plan.length > 1 && i % ONE_IN !== 0;
    if (isLeftOut || !isAsked(text)) continue;
    run++;
    const of: Case = { how: text, replay: commandOf(file, text) };
    const world = await played(steps, shared, { plan }).catch((error: unknown) => {
      throw new Error(`the run does not end: ${of.how}\nagain: ${of.replay}`, { cause: error });
    });
    if (world.points.filter((point) => point.fault).length === plan.length) struck++;
    mustBeSame(facts, await factsOf(world), world, of);
  }
  return { points, schedules: run, struck };
}

/** The undisturbed run of a story says what a sequential reader says. */
export async function mustBeTrueOf({ name, steps, after }: Story, file: string): Promise<void> {
  const shared = sharedOf(ZONE);
  const world = await played(steps, shared);
  await mustBeTrue(world, eventsOf(steps), shared, { how: name, replay: commandOf(file, name) }, after);
}

/** A plan as it is named on the command line. */
export const textOf = (plan: readonly Fault[]) => plan.map(({ at, kind }) => `${at}:${kind}`).join(',');

/** The command that runs one schedule of one file again. */
export const commandOf = (file: string, plan: string) => `npm run test:laws -- --plan "${plan}" ${file}`;

/** Whether a schedule is to be run: all are, unless one alone is asked for. */
export const isAsked = (plan: string): boolean =>
  process.env.LAWS_PLAN === undefined || process.env.LAWS_PLAN === plan;

/** Whether all of a file's schedules are run, so that they can be counted. */
export const isWhole = (): boolean =>
  process.env.LAWS_PLAN === undefined && process.env.LAWS_SEED === undefined;

/** Says how much was run, and adds it up. */
export function report(file: string, counts: readonly Count[]): Count {
  const sum = (of: keyof Count) => counts.reduce((all, count) => all + count[of], 0);
  const all = { points: sum('points'), schedules: sum('schedules'), struck: sum('struck') };
  process.stdout.write(`${file}: ${all.schedules} schedules over ${all.points} I/O points\n`);
  return all;
}
