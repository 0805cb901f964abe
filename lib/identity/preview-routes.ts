import { z } from 'zod';
import { type Identifier, identifier, instant } from '../events/event.ts';
import { toIso } from '../platform/clock.ts';
import type { Rules } from '../profile/person.ts';
import type { Caller } from '../query/auth.ts';
import { showIdentifier } from '../query/mask.ts';
import { type Answered, answered, type QueryDeps } from '../query/route.ts';
import { askJoin, askUndo, decisionEvents, joinAsked, type Question, undoAsked } from './ask.ts';
import { verdict } from './decisions.ts';
import { pairOf } from './graph.ts';
import { consequences, decidedWith, difference, matterOf, type Portrait, portraits } from './preview.ts';

const portraitView = z.object({
  profile: z.string(),
  identifiers: z.array(identifier),
  stage: z.string().nullable(),
  tags: z.record(z.string(), z.object({ value: z.union([z.literal(true), z.string()]), since: instant })),
  events: z.int(),
  conversions: z.array(
    z.object({
      goal: z.string(),
      at: instant,
      event: z.string(),
      value: z.int(),
      currency: z.string(),
      credits: z.record(
        z.string(),
        z.array(z.object({ event: z.string().nullable(), channel: z.string().nullable(), ppm: z.int() })),
      ),
    }),
  ),
});

const previewView = z.object({
  decisions: z.array(z.object({ edge: z.string(), verdict })),
  /** Profiles that would not be what they are. */
  before: z.array(portraitView),
  /** What there would be in their place. */
  after: z.array(portraitView),
  changes: z.object({
    /** Tags that others would hold, or since another time. */
    tags: z.array(z.string()),
    stage: z.boolean(),
    /** Conversions with other credits, by the events that made them. */
    conversions: z.array(z.string()),
  }),
});

const preview = answered(
  {
    method: 'POST',
    path: '/identity/preview',
    summary: 'What a join or an undo would change: tags, stage, conversions and credits. Nothing is written',
    body: z.union([z.strictObject({ join: joinAsked }), z.strictObject({ undo: undoAsked })]),
    answer: previewView,
  },
  async ({ body, caller, saw }, deps) => {
    const rules = await deps.rules();
    const question = 'join' in body ? await askJoin(body.join, deps) : await askUndo(body.undo, deps);
    const sides = difference(...(await bothSides(question, caller, rules, deps)));
    saw(...[...sides.before, ...sides.after].map((it) => it.profile));
    const shown = (all: readonly Portrait[]) =>
      all.map(({ names, ...it }) => ({ ...it, identifiers: identifiersOf(names) }));
    const identifiersOf = (names: readonly string[]) =>
      names
        .flatMap((name) =>
          question.found.flatMap(({ cluster }) => cluster.graph.identifiers.get(name) ?? []).slice(0, 1),
        )
        .map((id) => showIdentifier(id, caller, deps.protector));
    return {
      decisions: question.decided.map(({ pair, verdict }) => ({ edge: pairOf(pair), verdict })),
      before: shown(sides.before),
      after: shown(sides.after),
      changes: consequences(sides),
    };
  },
);

/** All concerned profiles, as they are and as they would be. */
async function bothSides(
  question: Question,
  { name }: Caller,
  rules: Rules,
  deps: QueryDeps,
): Promise<[Portrait[], Portrait[]]> {
  const clusters = new Map(question.found.map(({ cluster }) => [cluster.id, cluster]));
  const parts = await Promise.all(
    [...clusters.values()].map(async (cluster) => ({ cluster, events: await deps.profiles.events(cluster) })),
  );
  const now = deps.now();
  const matter = matterOf(parts);
  // As they are stored: a graph knows no identifier in clear.
  const stored = { ...deps, protector: { ...deps.protector, reveal: (id: Identifier) => id } };
  const decisions = decisionEvents(question, name, 'preview', toIso(now), stored);
  return [portraits(matter, rules, now), portraits(decidedWith(matter, decisions), rules, now)];
}

/** What a decision would change. */
export const previewRoutes: readonly Answered[] = [preview];
