// What a run lets out where no value of a customer may stand, compared with every value of a customer that came in.
import type { IncomingHttpHeaders } from 'node:http';
import { z } from 'zod';
import { type EventsMessage, eventsMessage } from '../../lib/events/event.ts';
import { type Classes, identifierClasses, propertyClasses } from '../../lib/privacy/classes.ts';
import { formsOf } from '../laws/canaries.ts';

/** Traits that are one person's own. Others, sensitive ones too, hold words of everybody: a skin type, a birthday. */
const NAMING: ReadonlySet<string> = new Set(['name', 'nickname', 'wecom_remark', 'wecom_description']);

/** Below this a value is found by chance in what is random; values of another script are not. */
const SHORTEST = 8;
/** The same for values that are encoded. */
const SHORTEST_ENCODED = 11;
const SHORTEST_WORD = 2;

/** Queues that carry events as they came, and what vendors are to be asked for: there values belong. */
const CARRYING = /Events|Hints/;

const rows = z.looseObject({
  Item: z.record(z.string(), z.looseObject({ S: z.string().optional() })).optional(),
  Key: z.record(z.string(), z.looseObject({ S: z.string().optional() })).optional(),
  ExpressionAttributeNames: z.record(z.string(), z.string()).optional(),
});
const sent = z.looseObject({
  QueueUrl: z.string().default(''),
  MessageBody: z.string().optional(),
  Entries: z.array(z.looseObject({ MessageBody: z.string().optional() })).default([]),
});

/** Collects both sides of a run, and says where a value is on the wrong one: never which value. */
export function openEar() {
  const values = new Map<string, string>(); // value → what it is
  const texts = new Map<string, Set<string>>(); // where → what was said there

  const hear = (where: string, text: string): void => {
    const said = texts.get(where) ?? new Set();
    texts.set(where, said.add(text.toLowerCase()));
  };
  let unread = 0;
  const learn = (body: string): void => {
    const message = eventsMessage.safeParse(JSON.parse(body));
    if (!message.success) unread++;
    else for (const [what, value] of valuesOf(message.data)) values.set(value, what);
  };
  const hearRow = (body: unknown): void => {
    const { Item, Key, ExpressionAttributeNames = {} } = rows.parse(body);
    const { pk, sk, w, due } = Item ?? Key ?? {};
    for (const name of [pk, sk, w, due]) if (name?.S) hear(`key ${/^\w+#/.exec(pk?.S ?? '')?.[0]}`, name.S);
    for (const name of Object.values(ExpressionAttributeNames)) hear('column', name);
  };
  const hearMessages = (body: unknown): void => {
    const { QueueUrl, MessageBody, Entries, ...rest } = sent.parse(body);
    const queue = QueueUrl.slice(QueueUrl.lastIndexOf('/') + 1);
    for (const { MessageBody: text, ...attributes } of [{ MessageBody, ...rest }, ...Entries]) {
      hear('queue attribute', JSON.stringify(attributes));
      if (text === undefined) continue;
      if (!CARRYING.test(queue)) hear(`queue ${queue}`, text);
      else if (/Events/.test(queue)) learn(text);
    }
  };

  return {
    values,
    hear,

    /** A request as the run's doors get it: to the table, to a queue, or from outside. */
    request(headers: IncomingHttpHeaders, body: Buffer | undefined): void {
      const target = String(headers['x-amz-target'] ?? '');
      if (/\.(Put|Update|Delete)Item$/.test(target)) hearRow(JSON.parse(String(body)));
      if (/\.SendMessage(Batch)?$/.test(target)) hearMessages(JSON.parse(String(body)));
    },

    /** How much was heard, by where: who heard nothing proves nothing. */
    counts: (): Record<string, number> =>
      Object.fromEntries([...texts].map(([where, said]) => [where, said.size])),

    /** Messages of events that could not be understood: their values are not known. */
    unread: () => unread,

    /** Each place where a value stands, and what it is: `log: phone`. */
    leaks(): string[] {
      const find = finder(
        [...values].flatMap(([value, what]) => heardForms(value).map((form) => ({ form, what }))),
      );
      const found = [...texts].flatMap(([where, said]) =>
        [...said].flatMap((text) => find(text).map((what) => `${where}: ${what}`)),
      );
      return [...new Set(found)].sort();
    },
  };
}
export type Ear = ReturnType<typeof openEar>;

const isPersonal = (classes: Classes, name: string): boolean =>
  !['internal', 'public'].includes(classes.get(name)?.class ?? 'personal');

/** What of a message names or reaches a person, each with what it is. */
function* valuesOf({ events }: EventsMessage): Generator<readonly [what: string, value: string]> {
  for (const { identifiers, properties, traits = {}, traitsOnce = {} } of events) {
    for (const { kind, value } of identifiers) if (isPersonal(identifierClasses, kind)) yield [kind, value];
    for (const [name, value] of Object.entries({ ...traits, ...traitsOnce }))
      if (typeof value === 'string' && NAMING.has(name)) yield [name, value];
    for (const [name, value] of Object.entries(properties))
      if (typeof value === 'string' && propertyClasses.has(name) && isPersonal(propertyClasses, name))
        yield [name, value];
  }
}

const isWord = (form: string): boolean => /^[^\x20-\x7e]/.test(form);

/** The forms of a value that nobody writes by chance. */
const heardForms = (value: string): string[] =>
  formsOf(value).filter((form) => {
    if (isWord(form)) return form.length >= SHORTEST_WORD;
    return form.length >= (form === value.toLowerCase() ? SHORTEST : SHORTEST_ENCODED);
  });

interface Sought {
  readonly form: string;
  readonly what: string;
}

/** Looks for many thousand forms at once: by how they begin. */
function finder(sought: readonly Sought[]): (text: string) => string[] {
  const beginning = new Map<string, Sought[]>();
  for (const it of sought) {
    const begin = it.form.slice(0, isWord(it.form) ? SHORTEST_WORD : SHORTEST);
    beginning.set(begin, [...(beginning.get(begin) ?? []), it]);
  }
  const firsts = new Set([...beginning.keys()].map((begin) => begin.slice(0, 2)));
  return (text) => {
    const found: string[] = [];
    for (let at = 0; at < text.length; at++) {
      if (!firsts.has(text.slice(at, at + 2))) continue;
      for (const length of [SHORTEST_WORD, SHORTEST])
        for (const { form, what } of beginning.get(text.slice(at, at + length)) ?? [])
          if (text.startsWith(form, at)) found.push(what);
    }
    return found;
  };
}
