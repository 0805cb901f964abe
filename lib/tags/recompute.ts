import { z } from 'zod';
import { MINUTE, toIso } from '../platform/clock.ts';
import type { Queue } from '../platform/queue.ts';
import type { Message } from '../platform/sqs.ts';
import type { Rules } from '../profile/person.ts';
import { refreshAll, refreshDue } from '../profile/refresh.ts';
import type { UpdateDeps } from '../profile/update.ts';
import { beginBackfill, pace } from './backfill.ts';
import { eachPart } from './parts.ts';
import { renewQuintiles } from './quintiles-ask.ts';
import { type RecomputeMessage, recomputeMessage } from './recompute-ask.ts';
import { BACKFILL_MS, type Piece, surveyStore } from './survey-store.ts';

/** How many pages of the table one message works on before it hands on to another, and how long. */
const PAGES = 20;
const LONG_MS = MINUTE;
/** How many profiles are begun at a time. */
const GROUP = 25;
/** Who asks where nobody put a rule. */
const DEPLOYMENT = 'deployment';

export interface RecomputeDeps extends UpdateDeps {
  readonly rules: () => Promise<Rules>;
  readonly recompute: Queue;
  /** Waits, so that no more profiles a second are brought to new rules than the brand allows; absent: never. */
  readonly pause?: (ms: number) => Promise<void>;
}

/**
 * Brings parts of all profiles to the rules in force. Profiles that are there already are left alone, so a message may
 * come again, late, or beside one for newer rules. Answers the ids of messages that must come again.
 */
export const onRecompute = (messages: readonly Message[], deps: RecomputeDeps): Promise<string[]> =>
  eachPart(messages, (body) => recomputePart(recomputeMessage.parse(body), deps));

/**
 * Page after page; each time the same is found again, so that a part may go on where somebody crashed. The rules are
 * asked for again and again: where newer ones came into force meanwhile, nobody may be left with these.
 */
async function recomputePart(message: RecomputeMessage, deps: RecomputeDeps): Promise<void> {
  const { brand } = await deps.rules();
  const { segment, of, backfill } = message;
  const begun = deps.now();
  const wait = pace(brand.backfill.perSecond / of, deps.now, deps.pause);
  let after = message.after ?? '';
  for (let page = 0; page < PAGES && deps.now() - begun < LONG_MS; page++) {
    const { items, next } = await deps.table.scan(segment, of, after === '' ? undefined : after);
    const profiles = items.filter(
      ({ pk, sk, joined }) => pk.startsWith('P#') && sk === '@' && joined === undefined,
    );
    const found = new Map(profiles.map((row) => [row.pk.slice(2), row]));
    const ids = [...found.keys()];
    let changed = 0;
    for (let i = 0; i < ids.length; i += GROUP) {
      const group = ids.slice(i, i + GROUP);
      await wait(group.length);
      changed += await refreshAll(group, await deps.rules(), deps, found);
    }
    const done = { part: segment, after, next, found: { looked: ids.length, changed } };
    if (backfill !== undefined) await noteProgress(backfill, done, deps);
    if (next === undefined) return;
    after = next;
  }
  await deps.recompute.send([JSON.stringify({ ...message, after } satisfies RecomputeMessage)]);
}

const counted = z.object({ changed: z.int() });

/** What was changed by an earlier attempt is not changed again, and counts as much. */
async function noteProgress(
  id: string,
  piece: Piece & { readonly found: { readonly looked: number; readonly changed: number } },
  { table, now }: RecomputeDeps,
): Promise<void> {
  const store = surveyStore(table, now);
  const before = counted.safeParse(await store.piece(id, piece.part, piece.after)).data?.changed ?? 0;
  const found = { ...piece.found, changed: Math.max(before, piece.found.changed) };
  await store.putPiece(id, { ...piece, found }, BACKFILL_MS);
}

/**
 * What the schedule does every minute: takes over rules that a deployment changed, has quintiles counted anew where a
 * period has begun, then re-evaluates whoever is due.
 */
export async function onTick(
  deps: RecomputeDeps & {
    readonly store: { adopt(announce: () => Promise<void>, at?: string): Promise<boolean> };
  },
): Promise<{ due: number }> {
  const rules = await deps.rules();
  const announce = async () => void (await beginBackfill({ book: rules.book.digest, by: DEPLOYMENT }, deps));
  await deps.store.adopt(announce, toIso(deps.now()));
  await renewQuintiles(rules.book, rules.brand, deps);
  return { due: await refreshDue(deps.rules, deps) };
}
