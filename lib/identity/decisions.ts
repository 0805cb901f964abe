import { z } from 'zod';
import { type Event, type Identifier, instant, type Source } from '../events/event.ts';
import { eventId } from '../events/id.ts';
import { byRank, isStrong } from './kinds.ts';

/**
 * What a person decided of two identifiers.
 *
 * - `apart`: whatever showed them together joins them no more.
 * - `together`: they are one person's, whatever conflicts.
 * - `open`: an earlier decision is taken back; it is as their events say.
 */
export const verdict = z.enum(['apart', 'together', 'open']);
export type Verdict = z.infer<typeof verdict>;

/** A pair's register: the newest decision by (time, id), so that it knows no order of arrival. `a` ranks before `b`. */
export interface Decision {
  readonly a: string;
  readonly b: string;
  readonly verdict: Verdict;
  readonly at: string;
  /** The id of the event that carried it. */
  readonly event: string;
  /** Who decided, and why. */
  readonly by: string;
  readonly why: string;
}

/** Decisions come from nowhere else: no channel has this name, so no sender can make one. */
export const DECIDED: { readonly type: string; readonly source: Source } = {
  type: 'identity_decided',
  source: { channel: 'siyu', account: 'identity' },
};

/** Whether an event is a decision: a statement in the graph and nothing that a customer did. */
export const isDecision = ({ type, source }: Pick<Event, 'type' | 'source'>): boolean =>
  type === DECIDED.type && source.channel === DECIDED.source.channel;

const said = z.object({ verdict, by: z.string(), why: z.string() });

/**
 * The event of a decision. Asking for the same at the same instant again is the same event.
 *
 * @param pair in clear, as channels give identifiers
 */
export function decisionEvent(
  pair: readonly [Identifier, Identifier],
  { verdict: to, by, why }: z.infer<typeof said>,
  at: string,
): Event {
  const names = pair.map(({ kind, scope, value }) => JSON.stringify([kind, scope, value])).sort();
  return {
    id: eventId(DECIDED.source, [...names, to, by, instant.parse(at)]),
    ...DECIDED,
    occurredAt: at,
    receivedAt: at,
    identifiers: [...pair],
    properties: { verdict: to, by, why },
    context: { timeSource: 'sender', verified: 'signed' },
  };
}

/** What a decision's event says, in names; undefined if it says nothing that can be read. */
export function decisionOf(
  {
    id,
    occurredAt,
    identifiers,
    properties,
  }: Pick<Event, 'id' | 'occurredAt' | 'identifiers' | 'properties'>,
  nameOf: (id: Identifier) => string,
): Decision | undefined {
  const parsed = said.safeParse(properties);
  const [a, b, more] = [...identifiers].sort(byRank).map(nameOf);
  if (!parsed.success || a === undefined || b === undefined || more !== undefined || a === b)
    return undefined;
  return { a, b, ...parsed.data, at: occurredAt, event: id };
}

/** Whether two identifiers can be decided to be one person's: two weak ones cannot, neither says who it is. */
export const canBeTogether = (pair: readonly Identifier[]): boolean => pair.some(isStrong);

export const isNewer = (a: Pick<Decision, 'at' | 'event'>, b: Pick<Decision, 'at' | 'event'>): boolean =>
  a.at > b.at || (a.at === b.at && a.event > b.event);

/** What a pair is called in a graph. */
export const keyOf = ({ a, b }: Pick<Decision, 'a' | 'b'>): string => `${a}\t${b}`;

/** What was decided of a pair, if anything that still holds. */
export const verdictOn = (
  { decisions }: { readonly decisions: ReadonlyMap<string, Decision> },
  pair: Pick<Decision, 'a' | 'b'>,
): Verdict => decisions.get(keyOf(pair))?.verdict ?? 'open';
