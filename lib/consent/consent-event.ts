import type { Event, Identifier, Source } from '../events/event.ts';
import { eventId } from '../events/id.ts';

/** Where consents come from that are told by the API: no channel has this name. */
const SOURCE: Source = { channel: 'siyu', account: 'consent' };

export interface Told {
  readonly granted: boolean;
  readonly purposes: readonly string[];
  /** The version of the text that was shown. */
  readonly text?: string | undefined;
  /** Where it was said: at the till, on the phone. */
  readonly where: string;
  readonly by: string;
  readonly at: string;
}

/**
 * The event of what somebody said as one identifier. The same told again is the same event.
 *
 * @param id in clear, as channels give identifiers
 * @param receivedAt now
 */
export function consentEvent(id: Identifier, told: Told, receivedAt: string): Event {
  const { granted, purposes, text, where, by, at } = told;
  const type = granted ? 'consent_granted' : 'consent_withdrawn';
  const purpose = [...new Set(purposes)].sort().join(' ');
  const name = JSON.stringify([id.kind, id.scope, id.value]);
  return {
    id: eventId(SOURCE, [type, name, purpose, at, text ?? '', where]),
    type,
    occurredAt: at,
    receivedAt,
    source: SOURCE,
    identifiers: [id],
    properties: { purpose, where, by, ...(text !== undefined && { text_version: text }) },
    context: { timeSource: 'sender', verified: 'signed' },
  };
}
