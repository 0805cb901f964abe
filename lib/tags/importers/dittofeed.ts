import { z } from 'zod';
import type { NamedEvent } from '../../channels/segment-names.ts';
import {
  allOf,
  anyOf,
  compared,
  type Desk,
  eventOf,
  eventsNamed,
  ImportError,
  type Imported,
  importing,
  type Operand,
  orMissing,
  propertyNamed,
  quoted,
  rolling,
  sameText,
  traitNamed,
  wholeIn,
} from './words.ts';

/** A segment as Dittofeed's API gives it: nodes that name their children. */
const node = z.looseObject({ id: z.string(), type: z.string() });
const segment = z.looseObject({
  name: z.string().nullish(),
  definition: z.looseObject({ entryNode: node, nodes: z.array(node) }),
});
type Node = z.infer<typeof node>;

const operator = z.looseObject({
  type: z.string(),
  value: z.union([z.string(), z.number()]).optional(),
  windowSeconds: z.number().optional(),
  absoluteTimestamp: z.string().optional(),
  direction: z.string().optional(),
});
type Operator = z.infer<typeof operator>;
const asked = z.array(z.looseObject({ path: z.string(), operator })).nullish();

const shapes = {
  children: z.looseObject({ children: z.array(z.string()).min(1) }),
  trait: z.looseObject({ path: z.string(), operator }),
  item: z.looseObject({ path: z.string(), item: z.union([z.string(), z.number()]) }),
  performed: z.looseObject({
    event: z.string(),
    times: z.number().nullish(),
    timesOperator: z.enum(['=', '>=', '<']).nullish(),
    withinSeconds: z.number().nullish(),
    timeOperator: z.string().nullish(),
    properties: asked,
  }),
  lastPerformed: z.looseObject({ event: z.string(), whereProperties: asked, hasProperties: asked }),
  bucket: z.looseObject({ percent: z.number().min(0).max(1) }),
};

interface Place {
  readonly nodes: ReadonlyMap<string, Node>;
  readonly name: string;
  readonly desk: Desk;
}

/**
 * A Dittofeed segment as a rule. Traits and properties are compared as texts, as Dittofeed does, and windows of whole
 * hours up to 48 are exact.
 *
 * @throws ImportError for what our language cannot say, naming the node by its type and id
 */
export function fromDittofeed(input: unknown, currency?: string): Imported {
  return importing(currency, (desk) => {
    const said = segment.safeParse(input);
    if (!said.success)
      throw new ImportError('segment', 'a Dittofeed segment has definition.entryNode and definition.nodes');
    const { entryNode, nodes } = said.data.definition;
    const name = said.data.name ?? undefined;
    const place: Place = {
      nodes: new Map([entryNode, ...nodes].map((it) => [it.id, it])),
      name: name ?? entryNode.id,
      desk,
    };
    return { name, when: textOf(entryNode, place, []) };
  });
}

function textOf(it: Node, place: Place, above: readonly string[]): string {
  const at = `${it.type} ${it.id}`;
  if (above.includes(it.id)) throw new ImportError(at, 'it is among its own children');
  const word = Object.hasOwn(words, it.type) ? words[it.type] : undefined;
  if (!word) throw new ImportError(at, `nodes of type ${it.type} cannot be said`);
  return word(it, at, place, [...above, it.id]);
}

function parsed<T>(shape: z.ZodType<T>, it: Node, at: string): T {
  const said = shape.safeParse(it);
  if (!said.success) throw new ImportError(at, z.prettifyError(said.error).replaceAll('\n', ' '));
  return said.data;
}

type Word = (it: Node, at: string, place: Place, above: readonly string[]) => string;

const childrenOf: (join: typeof allOf) => Word = (join) => (it, at, place, above) =>
  join(
    parsed(shapes.children, it, at).children.map((id) => {
      const child = place.nodes.get(id);
      if (!child) throw new ImportError(at, `its child ${id} is not in the segment`);
      return textOf(child, place, above);
    }),
  );

const refuse: (reason: string) => Word = (reason) => (_, at) => {
  throw new ImportError(at, reason);
};

const words: Readonly<Record<string, Word>> = {
  And: childrenOf(allOf),
  Or: childrenOf(anyOf),
  Everyone: () => 'true',

  Trait(it, at, { desk }) {
    const { path, operator } = parsed(shapes.trait, it, at);
    return comparedBy(operator, traitNamed(path.replace(/^\$\./, ''), at), at, desk);
  },
  Includes(it, at) {
    const { path, item } = parsed(shapes.item, it, at);
    return includes(traitNamed(path, at), item, at);
  },
  NotIncludes(it, at) {
    const { path, item } = parsed(shapes.item, it, at);
    const of = traitNamed(path, at);
    return orMissing(of, includes(of, item, at));
  },

  Performed(it, at, { desk }) {
    const {
      event: name,
      properties,
      withinSeconds,
      timeOperator,
      times,
      timesOperator,
    } = parsed(shapes.performed, it, at);
    if (timeOperator && timeOperator !== 'within')
      throw new ImportError(at, `the time operator ${timeOperator}: write .from("…").to("…") with two dates`);
    const event = eventOf(name, at);
    const window = withinSeconds ? `.within(${rolling(withinSeconds, at, desk)})` : '';
    const events = `${eventsNamed(event)}${whereText(event, properties ?? [], at, desk)}${window}`;
    return howOften(events, timesOperator ?? '=', wholeIn(times ?? 1, at, 0));
  },

  LastPerformed(it, at, { desk }) {
    const { event: name, whereProperties, hasProperties } = parsed(shapes.lastPerformed, it, at);
    const event = eventOf(name, at);
    const events = `${eventsNamed(event)}${whereText(event, whereProperties ?? [], at, desk)}`;
    const condition = conditionsOf(event, hasProperties ?? [], at, desk);
    return condition === '' ? `${events}.any()` : `${events}.lastIs(e, ${condition})`;
  },

  RandomBucket(it, at, { name, desk }) {
    const share = parsed(shapes.bucket, it, at).percent * 10_000;
    if (Math.abs(share - Math.round(share)) > 1e-6)
      throw new ImportError(at, 'shares are whole ten-thousandths');
    desk.note(`${at}: as many persons, and others: they are drawn anew here`);
    return `bucket(${quoted(name.slice(0, 128))}, 10000) < ${Math.round(share)}`;
  },

  Manual: refuse('a list that somebody made by hand: there is no rule in it'),
  Broadcast: refuse('who was in a broadcast is not known here: write message_sent with its template_id'),
  Email: refuse('write message_sent, message_read or message_link_clicked with the message that is meant'),
  KeyedPerformed: refuse('it belongs to a journey that an event began, and has no meaning outside of it'),
  SubscriptionGroup: refuse('subscription groups are consents here, and no rule of this import reads them'),
  SubscriptionGroupUnsubscribed: refuse(
    'subscription groups are consents here, and no rule of this import reads them',
  ),
};

function howOften(events: string, sign: '=' | '>=' | '<', times: number): string {
  if (sign === '>=') return times === 1 ? `${events}.any()` : `${events}.count() >= ${times}`;
  if (sign === '<') return times === 1 ? `!${events}.any()` : `${events}.count() < ${times}`;
  return times === 0 ? `!${events}.any()` : `${events}.count() == ${times}`;
}

function includes({ text }: Operand, item: string | number, at: string): string {
  const element: Operand = { text: 'i', isThere: 'true', held: (value) => value };
  return `${text}.exists(i, ${sameText(element, item, at)})`;
}

type Asked = NonNullable<z.infer<typeof asked>>;

const whereText = (event: NamedEvent, properties: Asked, at: string, desk: Desk): string =>
  properties.length === 0 ? '' : `.where(e, ${conditionsOf(event, properties, at, desk)})`;

const conditionsOf = (event: NamedEvent, properties: Asked, at: string, desk: Desk): string =>
  properties.length === 0
    ? ''
    : allOf(
        properties.map(({ path, operator }) =>
          comparedBy(operator, propertyNamed(event, path.replace(/^\$\./, ''), at, desk), at, desk),
        ),
      );

/** One operator. A missing value is the empty text in Dittofeed, so that it differs from everything else. */
function comparedBy(said: Operator, of: Operand, at: string, desk: Desk): string {
  switch (said.type) {
    case 'Equals':
      return said.value === '' ? blank(of) : sameText(of, valueIn(said, at), at);
    case 'NotEquals':
      return said.value === '' ? filled(of) : orMissing(of, sameText(of, valueIn(said, at), at));
    case 'Exists':
      return filled(of);
    case 'NotExists':
      return blank(of);
    case 'GreaterThanOrEqual':
      return compared(of, '>=', Number(valueIn(said, at)), at);
    case 'LessThan':
      return compared(of, '<', Number(valueIn(said, at)), at);
    case 'Within':
    case 'NotWithin':
    case 'AbsoluteTimestamp':
      return dateText(said, of, at, desk);
    case 'HasBeen':
      throw new ImportError(
        at,
        'how long a trait has had its value is not kept: send an event when it changes',
      );
    default:
      throw new ImportError(at, `the operator ${said.type} cannot be said`);
  }
}

const filled = ({ text, isThere }: Operand) => `(${isThere} && ${text} != "")`;
const blank = (of: Operand) => `!${filled(of)}`;

function valueIn({ type, value }: Operator, at: string): string | number {
  if (value === undefined) throw new ImportError(at, `${type} needs a value`);
  return value;
}

/** Dates later than today are within any window in Dittofeed; here they are up to three years ahead. */
function dateText(
  { type, windowSeconds, absoluteTimestamp, direction }: Operator,
  of: Operand,
  at: string,
  desk: Desk,
) {
  if (!of.text.startsWith('trait('))
    throw new ImportError(at, 'dates are asked of traits, not of properties of events');
  if (type === 'AbsoluteTimestamp') {
    const time = Date.parse(absoluteTimestamp ?? '');
    if (Number.isNaN(time)) throw new ImportError(at, 'absoluteTimestamp is no time');
    desk.note(`${at}: only times with their offset are compared; a date alone is none here`);
    const sign = direction === 'before' ? '<' : '>=';
    return `timestamp(${of.text}) ${sign} timestamp(${quoted(new Date(time).toISOString())})`;
  }
  const count = (windowSeconds ?? 0) / 86_400;
  if (!Number.isInteger(count) || count < 1)
    throw new ImportError(at, 'dates are compared by whole days: windowSeconds is no multiple of 86400');
  const past = `${of.text}.withinLast(${rolling(count * 86_400, at, desk).replace(/"\d+h"/, quoted(`${count}d`))})`;
  desk.note(`${at}: dates are compared by brand-days, today among them`);
  const ahead = `${of.text}.withinNext("1095d")`;
  return type === 'Within' ? `(${past} || ${ahead})` : `(!${past} && !${ahead})`;
}
