import type { Event, Identifier, Source } from '../events/event.ts';
import { eventId } from '../events/id.ts';
import type { Member } from '../identity/graph.ts';
import { nodeAt, type Tenured } from '../identity/tenure.ts';

/** Where restrictions come from and nothing else: no channel has this name, so no sender can make one. */
const SOURCE: Source = { channel: 'siyu', account: 'privacy' };
const RESTRICTED = 'processing_restricted';
const LIFTED = 'processing_lifted';

/** What was said of one identifier at an instant: from then on its person is kept and not used, or used again. */
export interface Restriction {
  readonly restricted: boolean;
  readonly at: string;
  readonly event: string;
}

/** By the identifier's name: what was said of it, oldest first. Of nearly everybody there is nothing. */
export type Restrictions = ReadonlyMap<string, readonly Restriction[]>;

/** So many are kept of an identifier, the newest: a person changes their mind a few times. */
const MOST = 16;

/** Whether an event is a restriction: a statement in the graph, and nothing that a customer did. */
export const isRestriction = ({ type, source }: Pick<Event, 'type' | 'source'>): boolean =>
  source.channel === SOURCE.channel && (type === RESTRICTED || type === LIFTED);

export const restrictionOf = ({
  type,
  occurredAt: at,
  id: event,
}: Pick<Event, 'type' | 'occurredAt' | 'id'>): Restriction => ({
  restricted: type === RESTRICTED,
  at,
  event,
});

/**
 * What two have heard of one identifier: a union, so that hearing it twice or in another order is hearing it once. Of one
 * instant the restriction comes last, and so holds.
 */
export const bothHeard = (
  some: readonly Restriction[] = [],
  more: readonly Restriction[] = [],
): readonly Restriction[] =>
  [...new Map([...some, ...more].map((it) => [it.event, it])).values()]
    .sort((a, b) => (rank(a) < rank(b) ? -1 : 1))
    .slice(-MOST);

const rank = ({ at, restricted, event }: Restriction): string => `${at} ${restricted ? 1 : 0} ${event}`;

/** Since when it is so without interruption, by what was said of one identifier; undefined: it is not. */
function since(said: readonly Restriction[]): string | undefined {
  const lifted = said.findLastIndex(({ restricted }) => !restricted);
  return said[lifted + 1]?.at;
}

type Told = Tenured & { readonly restrictions: Restrictions };

/**
 * Since when a profile is restricted: the strictest of what was said as any of its identifiers. Before that instant all is
 * as it was; from it on nothing is used. What was lifted is as if it had never been. Of an identifier that changed hands
 * each owner has what was said in their own time; one who has no other any more keeps it.
 */
export function restrictedSince(
  graph: Told,
  member: Pick<Member, 'names' | 'nodes'> | undefined,
): string | undefined {
  if (graph.restrictions.size === 0 || !member) return undefined;
  const { names, nodes } = member;
  const own = new Set(names.length > 0 ? names.map((name) => nodeAt(graph, name)) : nodes);
  return [...graph.restrictions]
    .flatMap(([name, said]) => since(said.filter(({ at }) => own.has(nodeAt(graph, name, at)))) ?? [])
    .sort()[0];
}

/** The same by what was said as one identifier of who has it today. */
export const restrictedAs = (graph: Told, name: string): string | undefined =>
  restrictedSince(graph, { names: [name], nodes: [] });

/**
 * The event of a restriction, or of its end. Asking for the same at the same instant again is the same event.
 *
 * @param id in clear, as channels give identifiers
 */
export function restrictionEvent(id: Identifier, restricted: boolean, at: string): Event {
  const type = restricted ? RESTRICTED : LIFTED;
  return {
    id: eventId(SOURCE, [type, JSON.stringify([id.kind, id.scope, id.value]), at]),
    ...{ type, occurredAt: at, receivedAt: at, source: SOURCE, identifiers: [id], properties: {} },
    context: { timeSource: 'sender', verified: 'signed' },
  };
}
