import type { Event, Identifier } from '../../../lib/events/event.ts';
import { byText } from './order.ts';

type Pair = readonly [Identifier, Identifier];

/** What people decided of pairs of identifiers, in the end. */
export interface Decided {
  areApart(a: string, b: string): boolean;
  /** Pairs that are one person's, the oldest decision first. */
  readonly together: readonly Pair[];
  /** Every identifier that any decision names. */
  readonly all: readonly Identifier[];
}

export const isDecision = ({ type, source }: Event): boolean =>
  type === 'identity_decided' && source.channel === 'siyu';

/** Reads the decisions in the order of their times; of two about one pair the later counts. */
export function decisionsIn(events: readonly Event[], nameOf: (id: Identifier) => string): Decided {
  const last = new Map<string, { pair: Pair; verdict: unknown }>();
  const inOrder = events
    .filter(isDecision)
    .sort((x, y) => byText(x.occurredAt, y.occurredAt) || byText(x.id, y.id));
  const keyOf = (a: string, b: string) => [a, b].sort(byText).join(' | ');
  for (const { identifiers, properties } of inOrder) {
    const [a, b] = identifiers;
    if (!a || !b) throw new Error('a decision is about two identifiers');
    const key = keyOf(nameOf(a), nameOf(b));
    last.delete(key); // the newest stands last
    last.set(key, { pair: [a, b], verdict: properties.verdict });
  }
  return {
    areApart: (a, b) => last.get(keyOf(a, b))?.verdict === 'apart',
    together: [...last.values()].filter(({ verdict }) => verdict === 'together').map(({ pair }) => pair),
    all: inOrder.flatMap(({ identifiers }) => identifiers),
  };
}
