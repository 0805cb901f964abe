import { z } from 'zod';
import { kept, pages } from '../../channels/sensors-read.ts';
import { conditionOf, ofDays } from './sensors-words.ts';
import {
  allOf,
  anyOf,
  type Desk,
  eventOf,
  eventsNamed,
  ImportError,
  type Imported,
  importing,
  type Operand,
  propertyNamed,
  traitNamed,
} from './words.ts';

const typed = z.looseObject({ type: z.string() });
const relation = z.looseObject({ relation: z.enum(['and', 'or']), rules: z.array(z.unknown()).min(1) });
const filterRelation = z.looseObject({
  relation: z.enum(['and', 'or']),
  subfilters: z.array(z.unknown()).min(1),
});
const params = z.array(z.union([z.string(), z.number(), z.boolean()])).default([]);
const profileRule = z.looseObject({ field: z.string(), function: z.string(), params });
const filters = z.array(z.unknown()).max(1).default([]);
const eventRule = z.looseObject({
  measure: z.looseObject({
    event_name: z.string(),
    aggregator: z.string(),
    field: z.string().nullish(),
  }),
  time_function: z.string(),
  time_params: params,
  function: z.string(),
  params,
  filters,
});
const sequenceRule = z.looseObject({
  time_function: z.string(),
  time_params: params,
  steps: z
    .array(z.looseObject({ event: z.string(), filters }))
    .min(2)
    .max(5),
});
/** A group or a tag as the API gives it, or its rules alone. */
const whole = z.looseObject({
  cname: z.string().nullish(),
  name: z.string().nullish(),
  rule_content_list: z.array(z.unknown()).nullish(),
  rule_content: z.unknown().optional(),
});

/**
 * The rules of a Sensors (神策) user group as a rule. Its days are brand-days, and the absence of a value is no value,
 * as in Sensors.
 *
 * @throws ImportError for what our language cannot say, naming the node by its path
 */
export function fromSensors(input: unknown, currency?: string): Imported {
  return importing(currency, (desk) => {
    const said = whole.safeParse(input);
    if (!said.success) throw new ImportError('rule', 'a Sensors rule is an object');
    const { cname, name, rule_content_list: list, rule_content: one } = said.data;
    if (list && list.length !== 1)
      throw new ImportError(
        'rule_content_list',
        `${list.length} layers: import each by itself, as values of one tag`,
      );
    const [root, path] = list
      ? [list[0], 'rule_content_list[0]']
      : one === undefined
        ? [input, 'rule']
        : [one, 'rule_content'];
    return { name: cname || name || undefined, when: nodeText(root, path, desk) };
  });
}

function nodeText(input: unknown, node: string, desk: Desk): string {
  const { type } = shaped(typed, input, node);
  switch (type) {
    case 'rules_relation': {
      const said = shaped(relation, input, node);
      const parts = said.rules.map((it, i) => nodeText(it, `${node}.rules[${i}]`, desk));
      return said.relation === 'and' ? allOf(parts) : anyOf(parts);
    }
    case 'profile_rule': {
      const said = shaped(profileRule, input, node);
      return conditionOf(traitOf(said.field, node), said, node);
    }
    case 'event_rule':
      return eventText(shaped(eventRule, input, node), node, desk);
    case 'event_sequence_rule':
      return sequenceText(shaped(sequenceRule, input, node), node, desk);
    default:
      throw new ImportError(node, `rules of type ${type} cannot be said`);
  }
}

function shaped<T>(shape: z.ZodType<T>, input: unknown, node: string): T {
  const said = shape.safeParse(input);
  if (!said.success) throw new ImportError(node, z.prettifyError(said.error).replaceAll('\n', ' '));
  return said.data;
}

function traitOf(field: string, node: string): Operand {
  const [whose, ...rest] = field.split('.');
  const name = rest.join('.');
  if (whose !== 'user' || name === '')
    throw new ImportError(node, `the field ${field} is none of the user's own`);
  if (/^user_(group|tag)_/.test(name))
    throw new ImportError(
      node,
      `${name} is another group or tag: import that one, and write hasTag("…") in its place`,
    );
  return traitNamed(name.replace(/^\$/, ''), node);
}

/** An event and its filters, without a window. */
function stepText(name: string, filter: readonly unknown[], node: string, desk: Desk): string {
  const event = eventIn(name, node);
  const conditions = filter.map((it, i) => filterText(it, event, `${node}.filters[${i}]`, desk));
  return `${eventsNamed(event)}${conditions.map((it) => `.where(e, ${it})`).join('')}`;
}

function eventIn(name: string, node: string) {
  if (name === '$Anything') throw new ImportError(node, 'any event at all: name the events that are meant');
  return pages.has(name) ? { type: 'page_viewed' } : eventOf(name, node);
}

type Event = ReturnType<typeof eventIn>;

function filterText(input: unknown, event: Event, node: string, desk: Desk): string {
  const { type } = shaped(typed, input, node);
  if (type === 'filters_relation') {
    const said = shaped(filterRelation, input, node);
    const parts = said.subfilters.map((it, i) => filterText(it, event, `${node}.subfilters[${i}]`, desk));
    return said.relation === 'and' ? allOf(parts) : anyOf(parts);
  }
  if (type !== 'filter') throw new ImportError(node, `filters of type ${type} cannot be said`);
  const said = shaped(profileRule, input, node);
  return conditionOf(propertyOf(said.field, event, node, desk), said, node);
}

function propertyOf(field: string, event: Event, node: string, desk: Desk): Operand {
  const name = field.startsWith('event.') ? field.replace(/^event\.[^.]+\./, '') : field;
  if (field.startsWith('user.')) throw new ImportError(node, 'an event is asked for its own properties only');
  const own = event.type === 'page_viewed' ? { ...kept, $url: 'url' } : kept;
  const known = Object.entries(own).find(([theirs]) => theirs === name)?.[1] ?? name;
  if (known.startsWith('$'))
    throw new ImportError(node, `${name} is the SDK's own and no property of the event here`);
  return propertyNamed(event, known, node, desk);
}

const aggregates: Readonly<Record<string, (property: string) => string>> = {
  general: () => 'count()',
  count: () => 'count()',
  sum: (property) => `sum("${property}")`,
  avg: (property) => `avg("${property}")`,
  max: (property) => `max("${property}")`,
  min: (property) => `min("${property}")`,
  uniqCount: (property) => `distinct("${property}")`,
  uniqcount: (property) => `distinct("${property}")`,
};

function eventText(said: z.infer<typeof eventRule>, node: string, desk: Desk): string {
  const { event_name, aggregator, field } = said.measure;
  const aggregate = Object.hasOwn(aggregates, aggregator) ? aggregates[aggregator] : undefined;
  if (!aggregate) throw new ImportError(node, `the aggregator ${aggregator} cannot be said`);
  const events = `${stepText(event_name, said.filters, node, desk)}${ofDays(said, node).window}`;
  const isCount = aggregate('') === 'count()';
  const of = isCount ? undefined : propertyOf(field ?? '', eventIn(event_name, node), node, desk);
  const text = `${events}.${aggregate(of?.text.replace(/^e\./, '') ?? '')}`;
  const operand: Operand = {
    text,
    isThere: `${events}.any()`,
    number: aggregator === 'avg' ? 'decimal' : 'whole',
    held: aggregator.startsWith('uniq') || !of ? (value) => value : of.held,
  };
  if (isCount && said.function === 'equal' && said.params.length === 1 && Number(said.params[0]) === 0)
    return `!${events}.any()`;
  const condition = conditionOf(operand, said, node);
  // Sensors counts whoever did it at all: "at most 3" does not hold of somebody who never did.
  return ['most', 'less', 'notEqual', 'between'].includes(said.function)
    ? `(${events}.any() && ${condition})`
    : condition;
}

function sequenceText(said: z.infer<typeof sequenceRule>, node: string, desk: Desk): string {
  const { last } = ofDays(said, node);
  if (last === undefined)
    throw new ImportError(
      node,
      'a sequence within dates, or within a stretch that has passed, cannot be said: only within the last days',
    );
  if (last > 1)
    desk.note(
      `${node}: a sequence counts by its last event: one that began up to ${last - 1} days before the window counts here, and not in Sensors`,
    );
  const steps = said.steps.map((it, i) => stepText(it.event, it.filters, `${node}.steps[${i}]`, desk));
  return `sequence(${steps.join(', ')}).within("${last}d").last().withinLast("${last}d")`;
}
