import type { Event } from '../events/event.ts';
import { isPurpose, purposes } from './purpose.ts';

/** What an event says of consent. */
export interface Said {
  readonly granted: boolean;
  readonly purposes: readonly string[];
}

/** Event types that speak of consent: they count whatever they say, because they are its proof. */
export const consentTypes = ['consent_granted', 'consent_withdrawn', 'consent_revoked'] as const;
const [GRANTED, WITHDRAWN, REVOKED] = consentTypes;

export const isConsent = ({ type }: Pick<Event, 'type'>): boolean => consentTypes.some((it) => it === type);

/** What the brand corrected at a person's request (`lib/privacy/rectify.ts`): no channel has this name, so no sender says so. */
export const CORRECTED = {
  type: 'profile_corrected',
  source: { channel: 'siyu', account: 'privacy' },
} as const;

/** Whether an event counts whatever its person allows: what they said of it, and what they had put right. */
export const countsAlways = (event: Pick<Event, 'type' | 'source'>): boolean =>
  isConsent(event) || (event.type === CORRECTED.type && event.source.channel === CORRECTED.source.channel);

/** What vendors call what somebody takes back from them; a scope that nobody knows is everything. */
const scopes: Readonly<Record<string, (channel: string) => string>> = {
  profile: () => 'personalisation',
  im: (channel) => `marketing.${channel}`,
};

/**
 * What an event says of consent; undefined if nothing.
 *
 * `purpose` of `consent_granted` and `consent_withdrawn` names purposes, with spaces or commas between them, or `all`.
 * A grant of what nobody knows grants nothing; a withdrawal of what nobody knows withdraws everything. Vendors say
 * `consent_revoked` with a scope of their own.
 */
export function saidBy({
  type,
  properties,
  source,
}: Pick<Event, 'type' | 'properties' | 'source'>): Said | undefined {
  if (type === GRANTED) return { granted: true, purposes: namesIn(properties.purpose).flatMap(known) };
  if (type !== WITHDRAWN && type !== REVOKED) return undefined;
  const names = namesIn(type === REVOKED ? properties.scope : properties.purpose).map(
    (name) => (type === REVOKED && scopes[name]?.(source.channel)) || name,
  );
  const isClear = names.length > 0 && names.every((name) => known(name).length > 0);
  return { granted: false, purposes: isClear ? names.flatMap(known) : purposes };
}

const namesIn = (text: unknown): string[] =>
  typeof text === 'string' ? [...new Set(text.split(/[\s,]+/).filter(Boolean))] : [];

const known = (name: string): readonly string[] =>
  name === 'all' ? purposes : isPurpose(name) ? [name] : [];
