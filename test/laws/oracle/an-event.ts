import type { Event, Identifier } from '../../../lib/events/event.ts';

let last = 0;

/** An event that says only what matters: identifiers as `kind:value`, its time, and what is different. */
export function anEventOf(
  ids: readonly string[],
  occurredAt: string,
  changes: Partial<Pick<Event, 'id' | 'type' | 'properties' | 'traits' | 'source'>> & {
    context?: Partial<Event['context']>;
  } = {},
): Event {
  const { context, ...rest } = changes;
  return {
    id: String(++last).padStart(16, '0'),
    type: 'identity_linked',
    occurredAt,
    receivedAt: occurredAt,
    source: { channel: 'generic', account: 'pos' },
    identifiers: ids.map(identifierOf),
    properties: {},
    ...rest,
    context: { timeSource: 'sender', verified: 'signed', ...context },
  };
}

function identifierOf(text: string): Identifier {
  const [kind = '', value = ''] = text.split(':');
  return { kind, scope: 'x', value };
}

/** The start of a day of November 2026, UTC, and so many milliseconds. */
export const november = (day: number, ms = 0): string => new Date(Date.UTC(2026, 10, day) + ms).toISOString();
