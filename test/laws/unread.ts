import { gzipSync } from 'node:zlib';
import type { Event, EventsMessage, Fault, Identifier, Json } from '../../lib/events/event.ts';
import { eventId } from '../../lib/events/id.ts';
import type { Protector } from '../../lib/identity/protect.ts';
import { DAY, toIso } from '../../lib/platform/clock.ts';
import type { Plan } from '../../lib/privacy/erase.ts';
import { replayed, unreadable } from '../../lib/quarantine/store.ts';
import { NOW } from './oracle/histories.ts';
import type { Dice } from './world/random.ts';

// What nobody could read: bodies that go to quarantine as they came, with people in them in whatever form a vendor wrote them.

/** A body that goes to quarantine, by itself as a poisoned message or as a fault of one that could be read. */
export interface Unread {
  /** Whom it names; nobody else stands in it. */
  readonly names: readonly Identifier[];
  /** As quarantine is to keep it. Of a poisoned message, its time is when it was first delivered. */
  readonly fault: Fault;
  /** The whole message, where it is no message of ours. */
  readonly poison?: string;
}

const source = { channel: 'generic', account: 'pos' };
const envelope = { verified: 'signed' } as const;

/** Longer than what is too short to be looked for, and not one in another. Phones are phones. */
export const tellable = (id: Identifier): Identifier =>
  id.kind === 'phone' ? id : { ...id, value: `${id.value}_of-${id.kind.replaceAll('_', '-')}` };

/** An identifier of nobody. */
const stranger: Identifier = { kind: 'member_id', scope: 'laws', value: 'nobody_of-member-id' };

type Written = (id: Identifier) => string;

const asItIs: Written = ({ value }) => value;
/** A phone as people type it, other values in capitals. */
const byHand: Written = ({ kind, value }) =>
  kind === 'phone' ? value.replace(/^\+86(\d{3})(\d{4})(\d{4})$/, '(+86) $1-$2 $3') : value.toUpperCase();
/** A phone as a shop at home keeps it. */
const inland: Written = ({ kind, value }) => (kind === 'phone' ? value.replace('+86', '') : value);

type Form = (names: readonly Identifier[]) => Json;

const asMessage: Form = (names) => ({ message: { customer: names.map(asItIs), total: 'twelve' }, envelope });
const asText: Form = (names) => ({ text: `{"buyers":["${names.map(inland).join('","')}"],"tot`, envelope });
const asZip: Form = (names) => ({
  gzip: gzipSync(JSON.stringify({ customers: names.map(byHand) })).toString('base64'),
  envelope,
});

/** The forms in which channels keep what they could not read (`lib/channels/fault-body.ts`), and what stands in them. */
const forms: readonly Form[] = [
  ...[asMessage, asText, asZip],
  (names) => ({ message: { note: names.map(byHand).join(', ') }, envelope }),
  (names) => ({ text: `id\tat\n${names.map((id) => `${inland(id)}\t?\n`).join('')}`, envelope }),
  (names) => ({ text: names.map((id) => `buyer=${encodeURIComponent(id.value)}`).join('&'), envelope }),
  (names) => ({ text: JSON.stringify(names.map(asItIs)).replaceAll('+', '\\u002b'), envelope }),
  (names) => ({ text: `<xml><Buyer><![CDATA[${names.map(asItIs).join(']]><![CDATA[')}]]><Ev`, envelope }),
];

const poisons: readonly Written[] = [
  ({ value }) => `{"events":[{"buyer":"${value}"}],"faults":[]}`,
  (id) => `buyer ${inland(id)}`,
  ({ value }) => JSON.stringify({ queued: JSON.stringify({ who: value }) }),
];

const nameOfForm = (of: string, n: number): string => eventId(source, [of, String(n)]);

/** A poisoned message that names somebody; delivered at this time. */
function poisoned(names: readonly Identifier[], n: number, at: number, form: Written): Unread {
  const poison = `${names.map(form).join(' ')} ${n}`;
  return { names, poison, fault: unreadable(poison, at) };
}

/** Another body under a query that was used before. */
function sentAgain(names: readonly Identifier[], event: Event, n: number, receivedAt: string): Unread {
  const said = { ...event, id: nameOfForm('again', n), identifiers: [...names], receivedAt };
  return { names, fault: replayed({ ...said, properties: { url: '' } }, `body ${n}`) };
}

/** A fault that names somebody in a form, the n-th of a world. */
function faulty(form: Form, names: readonly Identifier[], n: number, at: number): Unread {
  const said = { reason: 'bad_event', message: 'a test could not read it', receivedAt: toIso(at) };
  return { names, fault: { ...said, id: nameOfForm('fault', n), source, body: form(names) } };
}

/** One in a form that the test chooses. */
export function unreadIn(
  form: 'message' | 'text' | 'zipped' | 'poison',
  names: readonly Identifier[],
  n: number,
  at: number,
): Unread {
  if (form === 'poison') return poisoned(names, n, at, asItIs);
  return faulty({ message: asMessage, text: asText, zipped: asZip }[form], names, n, at);
}

/** Something that could not be read, in any form, the n-th of a world. */
export function unreadOf(
  names: readonly Identifier[],
  n: number,
  { at, event, thrown }: { readonly at: number; readonly event: Event; readonly thrown: Dice },
): Unread {
  const kind = thrown.below(forms.length + 5);
  const form = forms[kind];
  if (form) return faulty(form, names, n, at);
  if (kind === forms.length) return sentAgain(names, event, n, toIso(at));
  return poisoned(names, n, at, poisons[thrown.below(poisons.length)] ?? asItIs);
}

/** Whom a body names: the person, others, both, or nobody whom anybody knows. */
function someNames(person: readonly Identifier[], everybody: readonly Identifier[], thrown: Dice) {
  const anyOf = (ids: readonly Identifier[]) => ids[thrown.below(ids.length)] ?? stranger;
  const own = thrown.below(2) === 0 ? [anyOf(person)] : [];
  const others = thrown.below(2) === 0 ? [anyOf(everybody)] : [];
  return own.length + others.length > 0 ? [...own, ...others] : [stranger];
}

/** How long ago a body came: just now, within a day, and as long as quarantine keeps one. */
const AGO = [0, 90_000, DAY, 13 * DAY, 30 * DAY];

/** Some bodies that name somebody, somebody else, both or nobody. */
export function someUnread(events: readonly Event[], subject: Identifier, thrown: Dice): Unread[] {
  const beside = events.filter(({ identifiers }) => identifiers.some((id) => isSame(id, subject)));
  const own = [subject, ...beside.flatMap(({ identifiers }) => identifiers)];
  const everybody = events.flatMap(({ identifiers }) => identifiers);
  return Array.from({ length: 1 + thrown.below(6) }, (_, n) => {
    const at = NOW - (AGO[thrown.below(AGO.length)] ?? 0);
    const event = events[thrown.below(events.length)];
    if (!event) throw new Error('a history has events');
    return unreadOf(someNames(own, everybody, thrown), n, { at, event, thrown });
  });
}

const isSame = (a: Identifier, b: Identifier): boolean =>
  a.kind === b.kind && a.scope === b.scope && a.value === b.value;

/** Messages of some deliveries, with some bodies among them, each once or twice. */
export function bodiesOf(
  deliveries: readonly (readonly Event[])[],
  unread: readonly Unread[],
  thrown: Dice,
): string[] {
  const messages = deliveries.map((events): EventsMessage => ({ events: [...events], faults: [] }));
  const poison: string[] = [];
  for (const { fault, poison: body } of unread)
    for (let copies = 1 + thrown.below(2); copies > 0; copies--)
      if (body !== undefined) poison.push(body);
      else messages[thrown.below(messages.length)]?.faults.push(fault);
  const bodies = messages.map((message) => JSON.stringify(message));
  for (const body of poison) bodies.splice(thrown.below(bodies.length + 1), 0, body);
  return bodies;
}

/** Whether a body names any of some identifiers: values are what it is told by, whatever they are called. */
export const namesAny = ({ names }: Unread, ids: readonly Identifier[]): boolean =>
  names.some(({ value }) => ids.some((id) => id.value === value));

/**
 * Whether a body is an erased person's: it names them and came before. When a poisoned message was sent nobody knows, so it
 * is theirs whenever it was delivered.
 */
export const isTheirs = (
  it: Unread,
  { gone, erasing }: Pick<Plan, 'gone' | 'erasing'>,
  { protector }: { readonly protector: Protector },
): boolean =>
  namesAny(it, gone.map(protector.reveal)) && (it.poison !== undefined || it.fault.receivedAt <= erasing.at);
