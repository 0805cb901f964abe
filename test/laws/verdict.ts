import type { Event } from '../../lib/events/event.ts';
import { describeTable } from '../../lib/profile/digest.ts';
import type { Rules } from '../../lib/profile/person.ts';
import { type FamilyRule, family } from './oracle/family.ts';
import { describe, expectedWorld } from './oracle/oracle.ts';
import { seenWorld } from './seen.ts';
import type { Names, Shared } from './wiring.ts';
import type { World } from './world/world.ts';

/** What of a world says how it ended. */
export type Ran = Pick<World<Names>, 'table' | 'now' | 'story'>;

/** What a failure has to say, so that whoever reads it can see it again. */
export interface Case {
  /** The command that runs this case and no other. */
  readonly replay: string;
  /** What was special about the run. */
  readonly how: string;
}

/** Rules, compiled and as the oracle reads them. */
export interface Told {
  readonly rules: Rules;
  readonly family: readonly FamilyRule[];
}

const LINES = 12;
const WIDTH = 400;

/** The facts of a table, one a line, sorted. @throws Error if a join in it was begun and not ended */
export async function factsOf(world: Ran): Promise<readonly string[]> {
  const { lines, unfinished } = await describeTable(world.table.rows());
  if (unfinished > 0) throw new Error(`${unfinished} joins were begun and not ended\n${tail(world)}`);
  return lines;
}

/** Two tables say the same, byte for byte. @throws Error with the facts of one that the other lacks */
export function mustBeSame(plain: readonly string[], other: readonly string[], world: Ran, of: Case): void {
  if (plain.join('\n') === other.join('\n')) return;
  throw new Error(
    [
      `the tables differ: ${of.how}`,
      `again: ${of.replay}`,
      'only in the plain run:',
      ...cut(plain.filter((line) => !other.includes(line))),
      'only in this one:',
      ...cut(other.filter((line) => !plain.includes(line))),
      tail(world),
    ].join('\n'),
  );
}

/** The table says what a sequential reader of all events would say. @throws Error with the lines that differ */
export async function mustBeTrue(
  world: Ran,
  events: readonly Event[],
  shared: Shared,
  of: Case,
  { rules, family: said }: Told = { rules: shared.rules, family },
): Promise<void> {
  const is = describe(await seenWorld(world.table, { ...shared, rules }, world.now)).split('\n');
  // The oracle reads what is stored: of two phones on one event, which is the first is told by what they look like there.
  const stored = events.map((event) => ({
    ...event,
    identifiers: event.identifiers.map((id) => shared.protector.protect(id)),
  }));
  const must = describe(expectedWorld(stored, shared.brand, said, world.now)).split('\n');
  if (is.join('\n') === must.join('\n')) return;
  const at = must.findIndex((line, i) => line !== is[i]);
  throw new Error(
    [
      `the table is not what the oracle says: ${of.how}`,
      `again: ${of.replay}`,
      `from line ${at + 1} on, the oracle:`,
      ...cut(must.slice(Math.max(0, at - 8), at + 8)),
      'the table:',
      ...cut(is.slice(Math.max(0, at - 8), at + 8)),
      tail(world),
    ].join('\n'),
  );
}

const cut = (lines: readonly string[]) => [
  ...lines.slice(0, 2 * LINES).map((line) => `  ${line.slice(0, WIDTH)}`),
  ...(lines.length > 2 * LINES ? [`  … and ${lines.length - 2 * LINES} more`] : []),
];

const tail = (world: Ran) => `the run:\n${world.story.slice(-3000)}`;
