import { z } from 'zod';
import { kept, pages } from '../../channels/posthog-names.ts';
import type { NamedEvent } from '../../channels/segment-names.ts';
import { behaviourOf } from './posthog-behaviour.ts';
import {
  allOf,
  anyOf,
  compared,
  containsAnyCase,
  type Desk,
  dayIn,
  eventOf,
  ImportError,
  type Imported,
  importing,
  numberIn,
  type Operand,
  oneOf,
  orMissing,
  propertyNamed,
  quoted,
  traitNamed,
} from './words.ts';

/** A cohort as `GET /api/projects/…/cohorts/…` gives it: groups of groups of conditions. */
const cohort = z.looseObject({
  name: z.string().nullish(),
  is_static: z.boolean().nullish(),
  filters: z.looseObject({ properties: z.unknown() }),
});
const group = z.looseObject({ type: z.enum(['AND', 'OR']), values: z.array(z.unknown()) });
const scalar = z.union([z.string(), z.number(), z.boolean()]);
const property = z.looseObject({
  type: z.string(),
  key: z.union([z.string(), z.number().transform(String)]),
  value: z.union([scalar, z.array(scalar)]).nullish(),
  operator: z.string().nullish(),
  negation: z.boolean().nullish(),
});
type Property = z.infer<typeof property>;

/**
 * A PostHog cohort as a rule. Behaviour is counted in the brand's time zone, in brand-days where PostHog counts days
 * of the project's zone.
 *
 * @throws ImportError for what our language cannot say, naming the condition by its path
 */
export function fromPostHog(input: unknown, currency?: string): Imported {
  return importing(currency, (desk) => {
    const said = cohort.safeParse(input);
    if (!said.success) throw new ImportError('cohort', 'a PostHog cohort has filters.properties');
    if (said.data.is_static)
      throw new ImportError('cohort', 'it is static, a list of persons: there is no rule in it');
    return {
      name: said.data.name ?? undefined,
      when: groupOf(said.data.filters.properties, 'filters.properties', desk),
    };
  });
}

function groupOf(input: unknown, node: string, desk: Desk): string {
  const said = group.safeParse(input);
  if (!said.success) return conditionOf(input, node, desk);
  const { type, values } = said.data;
  if (values.length === 0) throw new ImportError(node, 'a group without conditions says nothing');
  const parts = values.map((value, i) => groupOf(value, `${node}.values[${i}]`, desk));
  return type === 'AND' ? allOf(parts) : anyOf(parts);
}

function conditionOf(input: unknown, node: string, desk: Desk): string {
  const said = property.safeParse(input);
  if (!said.success) throw new ImportError(node, 'neither a group (type AND, OR) nor a condition with a key');
  const { type, key, negation } = said.data;
  const condition = positive(said.data, input, node, desk);
  if (type === 'behavioral' || !negation) return negation ? `!(${condition})` : condition;
  return orMissing(traitOf(key, node), condition);
}

function positive(said: Property, input: unknown, node: string, desk: Desk): string {
  if (said.type === 'person') return filterText(traitOf(said.key, node), said, node, desk);
  if (said.type === 'behavioral')
    return behaviourOf(input, node, desk, (name, filters) => {
      const event = eventIn(name, node);
      return { event, where: filtersOf(event, filters, `${node}.event_filters`, desk) };
    });
  if (said.type === 'cohort' || said.type === 'static-cohort' || said.type === 'dynamic-cohort')
    throw new ImportError(
      node,
      'it reads another cohort: import that one as a tag, and write hasTag("…") in its place',
    );
  throw new ImportError(node, `conditions of type ${said.type} cannot be said`);
}

const eventIn = (name: string, node: string): NamedEvent =>
  pages.has(name) ? { type: 'page_viewed' } : eventOf(name, node);

/** All filters hold; a group among them as it says. */
function filtersOf(event: NamedEvent, filters: readonly unknown[], node: string, desk: Desk): string {
  const parts = filters.map((filter, i): string => {
    const at = `${node}[${i}]`;
    const inner = group.safeParse(filter);
    if (inner.success) {
      const { type, values } = inner.data;
      if (values.length === 0) throw new ImportError(at, 'a group without conditions says nothing');
      const each = values.map((value) => filtersOf(event, [value], at, desk));
      return type === 'AND' ? allOf(each) : anyOf(each);
    }
    const said = property.safeParse(filter);
    if (!said.success || said.data.type !== 'event')
      throw new ImportError(at, 'only filters of type event can be asked of an event');
    const of = propertyOf(event, said.data.key, at, desk);
    const condition = filterText(of, said.data, at, desk);
    return said.data.negation ? orMissing(of, condition) : condition;
  });
  return parts.length === 0 ? '' : allOf(parts);
}

/** What the channel makes of the SDK's own properties; of a view it keeps where it was. */
function propertyOf(event: NamedEvent, key: string, node: string, desk: Desk): Operand {
  const own = event.type === 'page_viewed' ? { ...kept, $current_url: 'url' } : kept;
  const name = Object.entries(own).find(([theirs]) => theirs === key)?.[1] ?? key;
  if (name.startsWith('$'))
    throw new ImportError(node, `${key} is the SDK's own and no property of the event here`);
  return propertyNamed(event, name, node, desk);
}

function traitOf(key: string, node: string): Operand {
  const name = key.startsWith('$initial_') ? key.slice(1) : key;
  if (name.startsWith('$')) throw new ImportError(node, `${key} is the SDK's own and no trait here`);
  return traitNamed(name, node);
}

/** One comparison. Values are compared as texts, and negations hold also of those without a value, as in PostHog. */
function filterText(of: Operand, { value, operator }: Property, node: string, desk: Desk): string {
  const values = Array.isArray(value) ? value : value === null || value === undefined ? [] : [value];
  const texts = () => {
    if (values.length === 0) throw new ImportError(node, 'a value is needed here');
    return values;
  };
  const number = () => numberIn(values[0], node);
  switch (operator ?? 'exact') {
    case 'exact':
      return oneOf(of, texts(), node);
    case 'is_not':
      return orMissing(of, oneOf(of, texts(), node));
    case 'icontains':
      return anyOf(texts().map((it) => containsAnyCase(of, String(it), node)));
    case 'not_icontains':
      return orMissing(of, anyOf(texts().map((it) => containsAnyCase(of, String(it), node))));
    case 'regex':
      return anyOf(texts().map((it) => `${of.text}.matches(${quoted(String(it))})`));
    case 'not_regex':
      return orMissing(of, anyOf(texts().map((it) => `${of.text}.matches(${quoted(String(it))})`)));
    case 'gt':
      return compared(of, '>', number(), node);
    case 'gte':
      return compared(of, '>=', number(), node);
    case 'lt':
      return compared(of, '<', number(), node);
    case 'lte':
      return compared(of, '<=', number(), node);
    case 'is_set':
      return of.isThere;
    case 'is_not_set':
      return `!${of.isThere}`;
    case 'is_date_before':
    case 'is_date_after':
    case 'is_date_exact':
      return dateText(of, `${operator}`, values[0], node, desk);
    default:
      throw new ImportError(node, `the operator ${operator} cannot be said`);
  }
}

const dateWords: Readonly<Record<string, string>> = {
  is_date_before: 'before',
  is_date_after: 'after',
  is_date_exact: 'on',
};

function dateText(of: Operand, operator: string, value: unknown, node: string, desk: Desk): string {
  if (!of.text.startsWith('trait('))
    throw new ImportError(node, 'dates are asked of traits, not of properties of events');
  if (typeof value === 'string' && /^-\d+[hdwmy]/.test(value))
    throw new ImportError(node, `a date relative to now (${value}): write withinLast("…d") in its place`);
  desk.note(`${node}: dates are compared by brand-days, in the brand's time zone`);
  return `${of.text}.${dateWords[operator]}(${quoted(dayIn(value, node))})`;
}
