import { z } from 'zod';
import { personalKind } from '../channels/personal.ts';
import { CORRECTED } from '../consent/said.ts';
import { toEvent } from '../events/draft.ts';
import type { Event, Identifier, Json } from '../events/event.ts';
import { FaultError } from '../events/fault.ts';
import { toIdentifier } from '../events/identifiers.ts';
import { askUndo, decisionEvents } from '../identity/ask.ts';
import { findSomebody, type Somebody } from '../identity/find.ts';
import { nameOf, pairOf } from '../identity/graph.ts';
import { pairsIn } from '../identity/view.ts';
import { RejectedError } from '../platform/errors.ts';
import type { QueryDeps } from '../query/route.ts';

/** What is to be right from now on, and how that is known. */
export const correction = z.strictObject({
  /** Trait → its right value; `null` takes it away. */
  traits: z.record(z.string().min(1).max(128), z.json()).default({}),
  /** The identifier that takes the place of the one that was asked by. */
  identifier: z
    .strictObject({ kind: z.string(), value: z.string(), scope: z.string().optional() })
    .optional(),
  /** What was looked at: a kind of document, a ticket; no value of it. */
  proof: z.string().min(4).max(200),
});
export type Correction = z.infer<typeof correction>;

/** Who corrects, why and when. */
export interface Correcting {
  readonly by: string;
  readonly why: string;
  readonly proof: string;
  readonly at: string;
}

/**
 * The events of a correction. One says what is right, by whose word and on what proof; it stands in the journal and is
 * taken over whatever the person allows. Where an identifier is wrong, decisions set it apart from all that it was
 * seen with, so that the profile keeps what is its own, and the right one comes in its place.
 *
 * @throws RejectedError 400 for nothing to correct or a phone among traits, 409 if nothing else says who the person is, or
 *   if somebody else has the right identifier
 */
export async function correctionsFor(
  found: Somebody,
  { traits, identifier: right }: Correction,
  told: Correcting,
  deps: QueryDeps,
): Promise<Event[]> {
  const personal = Object.keys(traits).filter((name) => personalKind(name) !== undefined);
  if (personal.length > 0)
    throw new RejectedError('personal_trait', `${personal.join(', ')}: give it as \`identifier\``);
  if (Object.keys(traits).length === 0 && !right)
    throw new RejectedError('nothing', 'say what is right: `traits`, or `identifier`');
  const replaced = right && (await replacementOf(found, right, deps));
  const ids = replaced ? [replaced.home, replaced.right] : [found.id];
  const clear = ids.map((id) => deps.protector.reveal(id));
  return [correctingEvent(clear, traits, told, deps), ...(replaced ? await setApart(found, told, deps) : [])];
}

/** What the correction goes by, and the right identifier as it is stored. */
async function replacementOf(
  { id, names, cluster }: Somebody,
  wanted: NonNullable<Correction['identifier']>,
  deps: QueryDeps,
): Promise<{ readonly home: Identifier; readonly right: Identifier }> {
  const [first] = names.filter((name) => name !== nameOf(id));
  const home = cluster.graph.identifiers.get(first ?? '');
  if (!home)
    throw new RejectedError(
      'only_identifier',
      'nothing else says who this is: erase, or join them first',
      409,
    );
  const right = deps.protector.protect(identifierOf(wanted, deps));
  const other = await findSomebody(wanted, deps).catch(nobody);
  if (other && !names.includes(nameOf(other.id)))
    throw new RejectedError('taken', 'another profile has it: `POST /identity/join` if they are one', 409);
  return { home, right };
}

function nobody(error: unknown): undefined {
  if (error instanceof RejectedError && error.status === 404) return undefined;
  throw error;
}

function identifierOf(wanted: NonNullable<Correction['identifier']>, { brand }: QueryDeps): Identifier {
  try {
    const { kind, value, scope } = wanted;
    return toIdentifier({ kind, value, ...(scope !== undefined && { scope }) }, brand);
  } catch (error) {
    if (error instanceof FaultError) throw new RejectedError(error.reason, error.message);
    throw error;
  }
}

/** @param clear identifiers as channels give them */
function correctingEvent(
  clear: readonly Identifier[],
  traits: Readonly<Record<string, Json>>,
  { by, why, proof, at }: Correcting,
  { brand, now }: Pick<QueryDeps, 'brand' | 'now'>,
): Event {
  const { type, source } = CORRECTED;
  const properties = { by, why, proof, corrected: Object.keys(traits).sort().join(' ') };
  const key = [type, JSON.stringify(clear), JSON.stringify(traits), at];
  return toEvent(
    { type, key, at, identifiers: clear, properties, traits },
    { source, receivedAt: now(), verified: 'signed', home: brand },
  );
}

/** Sets the wrong identifier apart from all that it was seen with or decided to be with. */
async function setApart({ id, cluster }: Somebody, told: Correcting, deps: QueryDeps): Promise<Event[]> {
  const wrong = nameOf(id);
  const edges = pairsIn(cluster.graph).filter(({ a, b }) => a === wrong || b === wrong);
  const question = await askUndo(
    { profile: deps.protector.reveal(id), edges: edges.map(pairOf).slice(0, MOST_EDGES) },
    deps,
  );
  return decisionEvents(question, told.by, told.why, told.at, deps);
}

/** An identifier that was seen with more is nobody's phone. */
const MOST_EDGES = 64;
