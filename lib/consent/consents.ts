import type { Event } from '../events/event.ts';
import { homeOf, nameOf } from '../identity/graph.ts';
import type { ConsentDefaults } from '../platform/brand.ts';
import { generalOf } from './purpose.ts';
import { isConsent, saidBy } from './said.ts';

/** What was said last of one purpose, with its proof. */
export interface Statement {
  readonly granted: boolean;
  /** Since when it has been so without interruption. */
  readonly since: string;
  /** The event that says so now: its time, its id, where it came from, and the version of the text that was shown. */
  readonly at: string;
  readonly event: string;
  readonly channel: string;
  readonly text: string;
}

/**
 * What a person has said, by the identifier that they said it as: its name → purpose → the last statement. What two
 * people said who turn out to be one stays apart, so that the stricter of the two holds, and comes apart again with them.
 */
export type Consents = ReadonlyMap<string, ReadonlyMap<string, Statement>>;

/** Channels that one identifier can speak of one by one; what exceeds them is said of all. */
const MAX_CHANNELS = 32;

/**
 * The consents after the events of one instant. Whoever hears all events in time order knows the same, however they
 * came: of two statements the later holds, and of one instant the stricter.
 *
 * A statement is made as the identifier that its event belongs to. A grant also lifts what was withdrawn as any other
 * identifier that the event names; a withdrawal as one that it does not name stands.
 */
export function hear(before: Consents | undefined, events: readonly Event[]): Consents | undefined {
  const said = events.filter(isConsent).map((event) => ({ event, ...saidBy(event) }));
  if (said.length === 0) return before;
  const after = new Map(before);
  for (const { event, granted, purposes = [] } of said.sort(
    (a, b) => Number(b.granted) - Number(a.granted),
  )) {
    const home = nameOf(homeOf(event));
    const named = granted ? event.identifiers.map(nameOf).filter((name) => after.has(name)) : [];
    for (const name of new Set([home, ...named]))
      for (const purpose of purposes)
        after.set(name, stated(after.get(name), purpose, granted === true, event));
  }
  return after;
}

/** One identifier's statements with one more. What is said of marketing as a whole ends what was said of its channels. */
function stated(
  before: ReadonlyMap<string, Statement> = new Map(),
  purpose: string,
  granted: boolean,
  { occurredAt: at, id, source, properties }: Event,
): ReadonlyMap<string, Statement> {
  const isNarrow = purpose !== generalOf(purpose);
  const isFull = isNarrow && !before.has(purpose) && before.size >= MAX_CHANNELS;
  if (isFull && granted) return before;
  const about = isFull ? generalOf(purpose) : purpose;
  const kept = [...before].filter(([other]) => other !== about && !other.startsWith(`${about}.`));
  const known = before.get(about);
  const since = known?.granted === granted ? known.since : at;
  const text = typeof properties.text_version === 'string' ? properties.text_version.slice(0, 64) : '';
  const now: Statement = { granted, since, at, event: id, channel: source.channel, text };
  return new Map([...kept, [about, now] as const].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The consents after events of many instants, in time order. */
export function heardAll(before: Consents | undefined, events: readonly Event[]): Consents | undefined {
  const said = events.filter(isConsent);
  let consents = before;
  for (let i = 0; i < said.length; ) {
    const from = i;
    while (i < said.length && said[i]?.occurredAt === said[from]?.occurredAt) i++;
    consents = hear(consents, said.slice(from, i));
  }
  return consents;
}

/** How it stands with a purpose, and by whose word; without one nobody has said anything. */
export interface Standing {
  readonly allowed: boolean;
  readonly by?: Statement;
}

/** How a purpose stands: the strictest of what was said as any identifier, or what the brand presumes. */
export function standingOf(
  consents: Consents | undefined,
  purpose: string,
  defaults: ConsentDefaults,
): Standing {
  const said = [...(consents?.values() ?? [])]
    .flatMap((own) => own.get(purpose) ?? own.get(generalOf(purpose)) ?? [])
    .sort((a, b) => (a.at === b.at ? (a.event < b.event ? 1 : -1) : a.at < b.at ? 1 : -1));
  const by = said.find(({ granted }) => !granted) ?? said[0];
  return by ? { allowed: by.granted, by } : { allowed: defaults[generalOf(purpose)] === 'granted' };
}

export const allows = (
  consents: Consents | undefined,
  purpose: string,
  defaults: ConsentDefaults,
): boolean =>
  consents ? standingOf(consents, purpose, defaults).allowed : defaults[generalOf(purpose)] === 'granted';

/** From which instant on analytics has stood as it stands now; undefined: nobody has ever said anything of it. */
export const sinceWhen = (consents: Consents | undefined): string | undefined =>
  [...(consents?.values() ?? [])]
    .flatMap((own) => own.get('analytics')?.since ?? [])
    .sort()
    .at(-1);
