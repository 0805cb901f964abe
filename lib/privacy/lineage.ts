import { z } from 'zod';
import { consentTypes } from '../consent/said.ts';
import type { Brand, ConversionRule } from '../platform/brand.ts';
import { ANY_TYPE, type Feature, featureText } from '../tags/features.ts';
import type { CompiledRule, Leaf, RuleBook } from '../tags/rulebook.ts';
import { type Classes, classOf, dataClasses, propertyClasses, traitClasses } from './classes.ts';
import { openChannels, origins } from './lineage-origins.ts';

/** What an answer rests on, of one property or trait. `class` is null where nobody has said what it is. */
const field = z.object({ name: z.string(), class: z.string().nullable(), purpose: z.string().nullable() });
type Field = z.infer<typeof field>;

const giver = z.object({
  channel: z.string(),
  accounts: z.array(z.string()),
  /** `mapped`: the channel makes this type itself; `sent`: it takes every type, and its sender may send this one. */
  how: z.enum(['mapped', 'sent']),
  /** What is read and this channel is not known to give. */
  lacks: z.array(z.string()),
});

const source = z.object({
  /** As rules are read: `order_paid[(e.paid_amount >= 100000)].paid_amount`. */
  feature: z.string(),
  /** Event type; `*`: every one. */
  type: z.string(),
  properties: z.array(field),
  /** Accounts of the brand; none: nobody of the brand's gives it. */
  from: z.array(giver),
});
export type Source = z.infer<typeof source>;

const most = z.enum(dataClasses);

export const tagLineage = z.object({
  tag: z.string(),
  version: z.int(),
  /** The most sensitive of all that it rests on. */
  class: most,
  /** Tags that it reads, and those that they read. */
  tags: z.array(z.string()),
  traits: z.array(field),
  sources: z.array(source),
});
export type TagLineage = z.infer<typeof tagLineage>;

export const reportLineage = z.object({ report: z.string(), class: most, sources: z.array(source) });
export type ReportLineage = z.infer<typeof reportLineage>;

/** What lineage needs of a brand. */
export type LineageBrand = Pick<
  Brand,
  'channels' | 'conversions' | 'attribution' | 'rfm' | 'scores' | 'privacy'
>;

export const reports = ['attribution', 'groups', 'rfm'] as const;
export type ReportName = (typeof reports)[number];

/** What a type of event is read for. */
export interface Read {
  readonly feature: string;
  readonly type: string;
  readonly properties: readonly string[];
}

/** Names of properties in the canonical text of a condition: what follows a dot and is not called, or stands in `["…"]`. */
export function propertiesIn(filter: string): string[] {
  const bare = filter.replace(/"(?:[^"\\]|\\.)*"/g, '""');
  const dotted = [...bare.matchAll(/\.([A-Za-z_]\w*)\b(?!\s*\()/g)].map(([, name = '']) => name);
  const indexed = [...filter.matchAll(/\["([A-Za-z_]\w*)"\]/g)].map(([, name = '']) => name);
  return [...new Set([...dotted, ...indexed])].filter((name) => name !== 'properties' && name !== 'channel');
}

function featureReads(feature: Feature): Read[] {
  const text = featureText(feature);
  const { sequence } = feature;
  const steps = sequence ? [...sequence.steps, ...(sequence.without ? [sequence.without] : [])] : [feature];
  return steps.map(({ type, filter }) => ({
    feature: text,
    type,
    properties: [
      ...(filter === undefined ? [] : propertiesIn(filter)),
      ...(sequence?.same === undefined ? [] : [sequence.same]),
      ...(sequence || feature.property === undefined ? [] : [feature.property.split('.')[0] ?? '']),
    ],
  }));
}

function leafReads(leaf: Leaf, brand: LineageBrand): Read[] {
  if (leaf.kind === 'events') return featureReads(leaf.feature);
  if (leaf.kind === 'bucket') return [{ feature: leaf.text, type: ANY_TYPE, properties: [] }];
  if (leaf.kind === 'rfm') return rfmReads(brand);
  if (leaf.kind === 'date') return leafReads(leaf.of, brand);
  if (leaf.kind === 'consent')
    return consentTypes.map((type) => ({
      feature: leaf.text,
      type,
      properties: [type === 'consent_revoked' ? 'scope' : 'purpose'],
    }));
  if (leaf.kind !== 'score') return [];
  const { weights = {}, phases = {} } = brand.scores[leaf.score] ?? {};
  const types = [weights, ...Object.values(phases)].flatMap((it) => Object.keys(it));
  return [...new Set(types)].map((type) => ({
    feature: `score("${leaf.score}")`,
    type,
    properties: [],
  }));
}

const rfmReads = ({ rfm }: LineageBrand): Read[] => [
  { feature: 'rfm()', type: rfm.event, properties: [rfm.value] },
];

/** All that a tag's rule reads, the rules of the tags that it reads included. */
export function readsOfTag(rule: CompiledRule, book: RuleBook, brand: LineageBrand) {
  const rules = [rule];
  for (const it of rules)
    for (const name of it.reads) {
      const read = book.ruleOf(name);
      if (read && !rules.includes(read)) rules.push(read);
    }
  const leaves = rules.flatMap((it) => it.leaves);
  const traits = leaves.flatMap((leaf) =>
    leaf.kind === 'trait' || leaf.kind === 'hasTrait' ? [leaf.of] : [],
  );
  return {
    tags: rules.slice(1).map(({ tag }) => tag),
    traits: [...new Set(traits)].sort(),
    reads: leaves.flatMap((leaf) => leafReads(leaf, brand)),
  };
}

function conversionReads(
  { goal, event, key, value, currency, refund }: ConversionRule,
  tier: string,
): Read[] {
  const money = value === undefined ? [] : [value, currency];
  return [
    { feature: `conversion ${goal}`, type: event, properties: [key, ...money, tier] },
    ...(refund
      ? [
          {
            feature: `refund of ${goal}`,
            type: refund.event,
            properties: [refund.key, refund.id, refund.value, currency],
          },
        ]
      : []),
  ];
}

/** What each report is made of. */
export function readsOfReport(report: ReportName, brand: LineageBrand): Read[] {
  if (report === 'rfm') return rfmReads(brand);
  const { touches, composite } = brand.attribution;
  return [
    ...brand.conversions.flatMap((it) => conversionReads(it, composite.tier.property)),
    ...touches.map((type) => ({ feature: 'touch', type, properties: [] })),
    { feature: 'touch, of whatever type, with a campaign', type: ANY_TYPE, properties: [] },
  ];
}

/** Where a tag comes from: features, event types and properties, the accounts that give them. */
export function lineageOfTag(tag: string, book: RuleBook, brand: LineageBrand): TagLineage | undefined {
  const rule = book.ruleOf(tag);
  if (!rule) return undefined;
  const { tags, traits, reads } = readsOfTag(rule, book, brand);
  const shown = traits.map((name) => fieldOf(name, traitClasses, brand));
  const sources = sourcesOf(reads, brand);
  const fields = [...shown, ...sources.flatMap(({ properties }) => properties)];
  return { tag, version: rule.version, class: mostOf(fields), tags, traits: shown, sources };
}

/** Where a report comes from. */
export function lineageOfReport(report: ReportName, brand: LineageBrand): ReportLineage {
  const sources = sourcesOf(readsOfReport(report, brand), brand);
  return { report, class: mostOf(sources.flatMap(({ properties }) => properties)), sources };
}

function sourcesOf(reads: readonly Read[], brand: LineageBrand): Source[] {
  const distinct = new Map<string, Source>();
  for (const { feature, type, properties } of reads) {
    const names = [...new Set(properties)].sort();
    distinct.set(JSON.stringify([feature, type, names]), {
      ...{ feature, type },
      properties: names.map((name) => fieldOf(name, propertyClasses, brand)),
      from: giversOf(type, names, brand),
    });
  }
  return [...distinct.values()];
}

function giversOf(type: string, properties: readonly string[], { channels }: LineageBrand): Source['from'] {
  const mapped = Object.hasOwn(origins, type) ? origins[type] : undefined;
  return Object.entries(channels).flatMap(([channel, accounts]) => {
    const given = mapped && Object.hasOwn(mapped, channel) ? mapped[channel]?.split(' ') : undefined;
    const isOpen = openChannels.has(channel) || type === ANY_TYPE;
    if (!given && !isOpen) return [];
    const lacks = isOpen ? [] : properties.filter((name) => !given?.includes(name));
    return [
      { channel, accounts: Object.keys(accounts), how: openChannels.has(channel) ? 'sent' : 'mapped', lacks },
    ];
  });
}

/** What a property or a trait is: as the brand says, or as it is known. */
function fieldOf(name: string, classes: Classes, brand: Pick<LineageBrand, 'privacy'>): Field {
  const own = brand.privacy.fields[name];
  const is = own === undefined ? classes.get(name) : classOf(own);
  if (!is) return { name, class: null, purpose: null };
  return { name, class: is.kind ? `${is.class}:${is.kind}` : is.class, purpose: is.purpose };
}

/** The most sensitive; `internal` at least, for it says something of a person. */
function mostOf(fields: readonly Field[]): z.infer<typeof most> {
  const ranks = fields.map((it) => dataClasses.findIndex((name) => it.class?.startsWith(name)));
  return dataClasses[Math.max(1, ...ranks)] ?? 'internal';
}
