import type { Brand } from '../platform/brand.ts';
import type { Rule } from '../platform/brand-words.ts';
import { digest } from './features.ts';
import type { QuintileEdition } from './quintiles.ts';
import { MAX_DAYS } from './windows.ts';

/** All that is kept of a person depends on this, beside the rules themselves. */
export type RuleInputs = Pick<Brand, 'timezone' | 'rfm'> & {
  readonly quintiles?: QuintileEdition | undefined;
} & Partial<Pick<Brand, 'scores' | 'phases' | 'consent' | 'value' | 'attribution' | 'retention'>>;

/** What rules say, in whatever order they come. */
export const said = (rules: readonly (Rule & { readonly version: number })[]): unknown[] =>
  [...rules]
    .sort((a, b) => (a.tag < b.tag ? -1 : a.tag > b.tag ? 1 : 0))
    .map(({ tag, version, when, values }) => [tag, version, when ?? Object.entries(values ?? {})]);

/** How often cuts are taken anew changes no answer. */
export const answering = ({ renew: _, ...rest }: Brand['rfm']) => rest;

/** Taken again and the same, they change no answer. */
export const cutsIn = ({ r, f, m }: QuintileEdition) => [r, f, m];

/** For how long events are kept, where that is less than the longest window sees: what has expired counts for nothing. */
export const keptShorter = (retention?: Brand['retention']): unknown[] => {
  const { days = MAX_DAYS, orders = MAX_DAYS, types = {} } = retention?.events ?? {};
  const others = Object.entries(types).sort(([a], [b]) => (a < b ? -1 : 1));
  return days === MAX_DAYS && orders === MAX_DAYS && others.length === 0 ? [] : [[days, orders, others]];
};
/** The tags that say how a customer stands when they buy: it is noted as they are walked. */
export const standingBy = ({ attribution }: Pick<RuleInputs, 'attribution'>): unknown[] => {
  const tags = attribution?.composite.tier.tags;
  return tags ? [tags] : [];
};

/** Of what a brand's file says beside its rules: where that is another, everybody is told anew. */
export const inputsDigest = (brand: RuleInputs): string =>
  digest(
    [
      brand.timezone,
      answering(brand.rfm),
      ...[brand.scores, brand.phases, brand.consent, brand.value].map((it) => it ?? null),
      standingBy(brand),
      keptShorter(brand.retention),
    ],
    10,
  );
