// Builders for what people say of consent, and a reader of it that is slow and plain.
import type { Event } from '../../lib/events/event.ts';
import { homeOf, nameOf } from '../../lib/identity/graph.ts';
import { anEvent } from '../profile/a-profile.ts';

type Parts = Parameters<typeof anEvent>[2];

export const granted = (days: number, purpose: string, parts: Parts = {}): Event =>
  anEvent('consent_granted', days, { ...parts, properties: { purpose, text_version: 'v3' } });

export const withdrawn = (days: number, purpose: string, parts: Parts = {}): Event =>
  anEvent('consent_withdrawn', days, { ...parts, properties: { purpose } });

const wide: Record<string, readonly string[]> = {
  all: ['analytics', 'personalisation', 'marketing', 'sharing'],
};

/**
 * Whether a purpose is allowed at an instant by what these events of one profile say: looked up anew for every question,
 * from the definition. Only for events whose purposes can be read.
 */
export function isAllowed(events: readonly Event[], purpose: string, at: string, usually: boolean): boolean {
  const verdicts = new Map<string, { at: string; granted: boolean }[]>();
  for (const event of events) {
    if (event.occurredAt > at || !event.type.startsWith('consent_')) continue;
    const said = String(event.properties.purpose)
      .split(' ')
      .flatMap((name) => wide[name] ?? [name]);
    if (!said.some((name) => name === purpose || purpose.startsWith(`${name}.`))) continue;
    const isGrant = event.type === 'consent_granted';
    const names = isGrant ? event.identifiers.map(nameOf) : [nameOf(homeOf(event))];
    for (const name of names)
      verdicts.set(name, [...(verdicts.get(name) ?? []), { at: event.occurredAt, granted: isGrant }]);
  }
  const last = [...verdicts.values()].map((list) => {
    const newest = list
      .map((it) => it.at)
      .sort()
      .at(-1);
    return list.filter((it) => it.at === newest).every((it) => it.granted);
  });
  return last.length === 0 ? usually : last.every(Boolean);
}
