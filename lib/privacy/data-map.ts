import type { Brand } from '../platform/brand.ts';
import * as classes from './classes.ts';
import { type Classes, classOf, type FieldClass } from './classes.ts';
import { type Family, type Kept, logClasses, type Place, queueClasses, rowClasses } from './data-map-rows.ts';
import { type Power, whoMay } from './roles.ts';

/** What there is, as schemas, mappings, samples and rules name it; of fields the channels that give them. */
export interface Known {
  readonly properties: ReadonlyMap<string, readonly string[]>;
  readonly traits: ReadonlyMap<string, readonly string[]>;
  readonly identifiers: ReadonlyMap<string, readonly string[]>;
  readonly envelope: readonly string[];
  readonly rows: readonly string[];
  readonly queues: readonly string[];
}

/** A field as the data map lists it. */
export interface FieldLine {
  readonly family: 'identifier' | 'property' | 'trait' | 'envelope';
  readonly name: string;
  readonly is: FieldClass;
  readonly channels: readonly string[];
  /** Rows and queues that may hold it. */
  readonly kept: readonly string[];
  /** Whom an answer may show it in clear. */
  readonly shown: readonly string[];
}

/** A row, a queue or a log as the data map lists it. */
export interface PlaceLine {
  readonly family: 'row' | 'queue' | 'log';
  readonly name: string;
  readonly place: Place;
  readonly days: string;
}

export interface DataMap {
  readonly fields: readonly FieldLine[];
  readonly places: readonly PlaceLine[];
  /** `property xyz`: what there is and nobody has classified. */
  readonly unclassified: readonly string[];
  /** What is classified and nobody knows any more. */
  readonly unused: readonly string[];
}

type Retention = Brand['retention'];

/** The data map of all that is known; fields of the brand's own by its `privacy.fields`. */
export function dataMap(known: Known, brand: Pick<Brand, 'retention' | 'privacy'>): DataMap {
  const own = Object.entries(brand.privacy.fields);
  const withOwn = (table: Classes): Classes =>
    new Map([...table, ...own.map(([name, text]) => [name, classOf(text)] as const)]);
  const parts = [
    fieldsOf('identifier', known.identifiers, classes.identifierClasses, 'identifiers'),
    fieldsOf('property', known.properties, withOwn(classes.propertyClasses), 'properties'),
    fieldsOf('trait', known.traits, withOwn(classes.traitClasses), 'traits'),
    fieldsOf('envelope', new Map(known.envelope.map((it) => [it, []])), classes.envelopeClasses, 'context'),
    placesOf('row', known.rows, rowClasses, brand.retention),
    placesOf('queue', known.queues, queueClasses, brand.retention),
    placesOf('log', [...logClasses.keys()], logClasses, brand.retention),
  ];
  const used = new Set([...known.properties.keys(), ...known.traits.keys()]);
  return {
    fields: parts.flatMap((it) => ('fields' in it ? it.fields : [])),
    places: parts.flatMap((it) => ('places' in it ? it.places : [])),
    unclassified: parts.flatMap((it) => it.unclassified),
    unused: [
      ...parts.flatMap((it) => it.unused),
      ...own.flatMap(([name]) => (used.has(name) ? [] : [`field of the brand ${name}`])),
    ],
  };
}

function fieldsOf(
  family: FieldLine['family'],
  known: ReadonlyMap<string, readonly string[]>,
  table: Classes,
  held: Family,
) {
  const names = [...known.keys()].sort();
  const kept = [...rowClasses, ...queueClasses]
    .filter(([, { holds }]) => holds.includes(held) || (family === 'identifier' && holds.includes('digests')))
    .map(([name]) => name);
  const fields = names.flatMap((name): FieldLine[] => {
    const is = table.get(name);
    if (!is) return [];
    return [
      { family, name, is, channels: known.get(name) ?? [], kept, shown: whoMay(powerOver(family, name)) },
    ];
  });
  const ownAside = [...table.keys()].filter((name) => !known.has(name));
  return {
    fields,
    unclassified: names.filter((name) => !table.has(name)).map((name) => `${family} ${name}`),
    unused: family === 'trait' || family === 'property' ? [] : ownAside.map((name) => `${family} ${name}`),
  };
}

const personal = new Set(['phone', 'email', 'unverified_phone', 'unverified_email']);

/** What it takes to see it in clear; of identifiers a stated reason as well. */
const powerOver = (family: FieldLine['family'], name: string): Power =>
  family !== 'identifier' ? 'persons' : personal.has(name) ? 'personal' : 'identifiers';

function placesOf(
  family: PlaceLine['family'],
  known: readonly string[],
  table: ReadonlyMap<string, Place>,
  retention: Retention,
) {
  const places = known.flatMap((name): PlaceLine[] => {
    const place = table.get(name);
    return place ? [{ family, name, place, days: daysOf(place.kept, retention) }] : [];
  });
  return {
    places,
    unclassified: known.filter((name) => !table.has(name)).map((name) => `${family} ${name}`),
    unused: [...table.keys()].filter((name) => !known.includes(name)).map((name) => `${family} ${name}`),
  };
}

function daysOf(kept: Kept, retention: Retention): string {
  if (kept === 'profile') return 'as long as the profile';
  if (kept === 'brand') return 'as long as the stack';
  if (kept === 'events') return eventDays(retention.events);
  const days = typeof kept === 'number' ? kept : retention[kept];
  return days === 1 ? '1 day' : `${days} days`;
}

/** `30 days (orders and refunds 1095, coupon_issued 90)`: what differs from the rest by its type. */
function eventDays({ days, orders, types }: Retention['events']): string {
  const others = [
    ...(orders === days ? [] : [`orders and refunds ${orders}`]),
    ...Object.entries(types)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([type, own]) => `${type} ${own}`),
  ];
  return `${days} days${others.length > 0 ? ` (${others.join(', ')})` : ''}`;
}

const textOf = ({ class: is, kind }: FieldClass): string => (kind ? `${is}: ${kind}` : is);

/** The columns of a line, as in the tables and in the CSV. */
export const columns = [
  'family',
  'name',
  'class',
  'purpose',
  'kept',
  'where',
  'channels',
  'shown to',
] as const;

/** The lines of the map, one value for each of `columns`. */
export function cellsOf(map: DataMap): string[][] {
  const fields = map.fields.map(({ family, name, is, channels, kept, shown }) => [
    ...[family, name, textOf(is), is.purpose, 'as what holds it', kept.join(' ')],
    ...[channels.join(' '), shown.join(' ')],
  ]);
  const places = map.places.map(({ family, name, place, days }) => [
    ...[family, name, place.class, place.purpose, days, place.what],
    ...[place.holds.filter((it) => it !== 'none').join(' '), ''],
  ]);
  return [...fields, ...places];
}

/** RFC 4180, with a head. */
export function csvOf(map: DataMap): string {
  const cell = (text: string) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  return [columns, ...cellsOf(map)].map((line) => `${line.map(cell).join(',')}\r\n`).join('');
}
