import type { Statement } from '../consent/consents.ts';
import type { Event, Identifier } from '../events/event.ts';
import type { Brand } from '../platform/brand.ts';
import { keptWords, placeWords, purposeWords, recipients, type Words } from './access-words.ts';
import { purposes } from './classes.ts';
import { dataMap, type Known } from './data-map.ts';
import { queueClasses, rowClasses } from './data-map-rows.ts';
import { whoMay } from './roles.ts';

/** What is known of one person, as it is looked up. */
export interface Facts {
  readonly madeAt: string;
  readonly brand: Words;
  /** From when on nothing of theirs is used, at their request. */
  readonly restrictedAt: string | undefined;
  /** As they may be shown. */
  readonly identifiers: readonly Identifier[];
  readonly events: readonly Event[];
  readonly tags: readonly {
    readonly tag: string;
    readonly value: string | true;
    readonly since: string;
    readonly version: number;
  }[];
  readonly consents: readonly (Omit<Statement, 'event'> & { readonly purpose: string })[];
}

/** What a person is told who asks what is kept of them, and why: categories and reasons; every value is in the archive. */
export type Access = ReturnType<typeof accessOf>;

/**
 * What is kept of a person, what for, from whom, who may see it and how long (PIPL 17, 44, 45; GDPR 15): the data map, of the
 * fields and places that hold something of theirs.
 */
export function accessOf(facts: Facts, brand: Pick<Brand, 'retention' | 'privacy'>) {
  const { madeAt, restrictedAt, identifiers, consents, tags, events } = facts;
  const { fields, places, unclassified } = dataMap(knownOf(facts), brand);
  const used = purposes.filter((it) => fields.some(({ is }) => is.purpose === it));
  return {
    ...{ madeAt, brand: facts.brand, identifiers },
    ...(restrictedAt !== undefined && { restrictedAt }),
    data: fields.map(({ family, name, is, channels }) => ({ family, name, ...is, channels })),
    purposes: used.map((purpose) => ({
      ...{ purpose, says: purposeWords[purpose] },
      fields: fields.filter(({ is }) => is.purpose === purpose).length,
    })),
    sources: sourcesOf(events),
    recipients: recipientsOf(),
    retention: places
      .filter(({ place }) => place.holds.some((it) => it !== 'none'))
      .map(({ name, place, days }) => ({
        ...{ what: placeWords(name, place.what), purpose: place.purpose },
        kept: keptWords(days),
      })),
    /** What is concluded by machine, and by which version of its rule; nothing is decided by it alone, and the archive says why. */
    conclusions: tags,
    consents,
    /** Fields of which nobody has said what they are: the brand has to. */
    unclassified,
  };
}

/** What is known of one person, in the terms in which the data map knows it of everybody. */
function knownOf({ events, identifiers: shown }: Facts): Known {
  const [properties, traits, identifiers] = [named(), named(), named()];
  for (const { kind } of shown) identifiers.add(kind);
  for (const event of events) {
    const { channel } = event.source;
    for (const name of Object.keys(event.properties)) properties.add(name, channel);
    for (const name of Object.keys({ ...event.traits, ...event.traitsOnce })) traits.add(name, channel);
    for (const { kind } of event.identifiers) identifiers.add(kind, channel);
  }
  return {
    ...{ properties: properties.all, traits: traits.all, identifiers: identifiers.all, envelope: [] },
    ...{ rows: [...rowClasses.keys()], queues: [...queueClasses.keys()] },
  };
}

/** Names, each with the channels that gave it. */
function named() {
  const all = new Map<string, string[]>();
  return {
    all,
    add(name: string, channel?: string): void {
      const known = all.get(name) ?? [];
      all.set(name, channel === undefined || known.includes(channel) ? known : [...known, channel].sort());
    },
  };
}

function sourcesOf(events: Facts['events']) {
  const sources = Map.groupBy(events, ({ source }) => `${source.channel} ${source.account}`);
  return [...sources.values()].map((own) => {
    const [first] = own;
    const times = own.map(({ occurredAt }) => occurredAt).sort();
    const { channel = '', account = '' } = first?.source ?? {};
    return { channel, account, events: own.length, from: times[0] ?? '', to: times.at(-1) ?? '' };
  });
}

function recipientsOf(): Words[] {
  const { masked, clear, personal, ...others } = recipients;
  const withRoles = ({ zh, en }: Words, roles: readonly string[]) => ({
    zh: `${zh}${roles.join('、')}`,
    en: `${en}${roles.join(', ')}`,
  });
  return [
    withRoles(masked, whoMay('persons')),
    withRoles(clear, whoMay('identifiers')),
    withRoles(personal, whoMay('personal')),
    ...Object.values(others),
  ];
}
