import { z } from 'zod';
import { logError } from '../platform/log.ts';
import type { Queue } from '../platform/queue.ts';
import type { Message } from '../platform/sqs.ts';
import type { Rules } from '../profile/person.ts';
import { refreshAll, refreshDue } from '../profile/refresh.ts';
import type { UpdateDeps } from '../profile/update.ts';
import { PARTS, surveyMessage } from './survey.ts';
import { surveyPart } from './survey-part.ts';

/** A message of the `recompute` queue: brings one part of all profiles to the rules in force. */
export const recomputeMessage = z.strictObject({
  /** The digest of the rules that asked for it: for whoever reads the queue. */
  book: z.string(),
  segment: z.int().nonnegative(),
  of: z.int().positive(),
  /** Where the part goes on; absent: at its beginning. */
  after: z.string().optional(),
});

/** Whatever comes by the queue: to bring a part of all profiles to the rules in force, or to look at one. */
const queued = z.union([surveyMessage, recomputeMessage]);

/** How many pages of the table one message works on before it hands on to another. */
const PAGES = 20;

export interface RecomputeDeps extends UpdateDeps {
  readonly rules: () => Promise<Rules>;
  readonly recompute: Queue;
}

/** Asks for all profiles to be brought to new rules. */
export async function askRecompute(book: string, recompute: Queue): Promise<void> {
  const parts = Array.from({ length: PARTS }, (_, segment) => ({ book, segment, of: PARTS }));
  await recompute.send(parts.map((part) => JSON.stringify(part)));
}

/**
 * Brings parts of all profiles to the rules in force, or looks at them for a survey. Profiles that are there already
 * are left alone, so a message may come again, late, or beside one for newer rules. Answers the ids of messages that must come again.
 */
export async function onRecompute(messages: readonly Message[], deps: RecomputeDeps): Promise<string[]> {
  const failed: string[] = [];
  for (const { id, body } of messages) {
    try {
      const asked = queued.parse(JSON.parse(body));
      await ('survey' in asked ? surveyPart(asked, deps) : recomputePart(asked, deps));
    } catch (error) {
      logError('a part of all profiles', error);
      failed.push(id);
    }
  }
  return failed;
}

async function recomputePart(part: z.infer<typeof recomputeMessage>, deps: RecomputeDeps): Promise<void> {
  const rules = await deps.rules();
  let { after } = part;
  for (let page = 0; page < PAGES; page++) {
    const { items, next } = await deps.table.scan(part.segment, part.of, after);
    const profiles = items.filter(
      ({ pk, sk, joined }) => pk.startsWith('P#') && sk === '@' && joined === undefined,
    );
    await refreshAll(
      profiles.map(({ pk }) => pk.slice(2)),
      rules,
      deps,
    );
    if (next === undefined) return;
    after = next;
  }
  await deps.recompute.send([JSON.stringify({ ...part, after })]);
}

/**
 * What the schedule does every minute: takes over rules that a deployment changed, then re-evaluates whoever is due.
 */
export async function onTick(
  deps: RecomputeDeps & { readonly store: { adopt(announce: () => Promise<void>): Promise<boolean> } },
): Promise<{ due: number }> {
  const rules = await deps.rules();
  await deps.store.adopt(() => askRecompute(rules.book.digest, deps.recompute));
  return { due: await refreshDue(rules, deps) };
}
