import type { Clock } from '../../../lib/platform/clock.ts';
import type { DeadLetters } from '../../../lib/platform/dead-letters.ts';
import type { Queue } from '../../../lib/platform/queue.ts';
import type { Message } from '../../../lib/platform/sqs.ts';
import type { Dice } from './random.ts';

/** How unkind a queue is. */
export interface Disorder {
  /** The chance that a message, once acknowledged, is delivered again all the same. */
  readonly duplicate: number;
  /** The chance that a message stays out of sight for a while. */
  readonly delay: number;
  /** Messages come in any order, in batches of any size. */
  readonly shuffle: boolean;
  /** The chance that a message which failed comes no more, but goes to the dead-letter queue. */
  readonly park?: number;
}

/** How many letters one call of SQS gives. */
const TAKEN = 10;

/** First in, first out, full batches, each message once. */
export const orderly: Disorder = { duplicate: 0, delay: 0, shuffle: false };
/** All that at-least-once delivery allows. */
export const disorderly: Disorder = { duplicate: 0.2, delay: 0.2, shuffle: true };

/** A batch on its way; the first of the two calls decides. */
export interface Delivery {
  readonly messages: Message[];
  /** Takes away all but the messages that failed, which come again. */
  acknowledge(failed: ReadonlySet<string>): void;
  /** Everything comes again. */
  giveBack(): void;
}

/** A queue with at-least-once delivery, as unkind as it is told to be. */
export interface Mailbox extends Queue {
  /** Every body that was ever sent, in order. */
  readonly sent: readonly string[];
  /** How many messages could be delivered now. */
  readonly ready: number;
  deliver(atMost: number): Delivery;
  /** Lets delayed messages come into sight. */
  ripen(): void;
  /** Bodies that are still here, in sight or not, dead letters among them. */
  readonly letters: readonly string[];
  /** Brings back what stands in the dead-letter queue. Answers how many messages that were. */
  redrive(): number;
  /** The dead-letter queue itself, and what stands there, in somebody's hands or not. */
  readonly dead: DeadLetters & { readonly letters: readonly Message[] };
}

/** A message in the dead-letter queue. */
interface Parked {
  readonly message: Message;
  /** Until when somebody has it in hands. */
  hiddenUntil: number;
}

export interface MailboxOptions {
  /** What ids of messages begin with. */
  readonly name?: string;
  /** What dead letters go by that somebody has in hands. */
  readonly now?: Clock;
}

export function mailbox(
  thrown: Dice,
  disorder: Disorder,
  { name = '', now = () => 0 }: MailboxOptions = {},
): Mailbox {
  const sent: string[] = [];
  const visible: Message[] = [];
  const delayed: Message[] = [];
  const parked: Parked[] = [];
  const giveUp = (message: Message) => {
    if (thrown.chance(disorder.park ?? 0)) parked.push({ message, hiddenUntil: 0 });
    else enqueue(message);
  };
  const enqueue = (message: Message) => {
    if (thrown.chance(disorder.delay)) delayed.push(message);
    else visible.push(message);
  };
  return {
    sent,
    get ready() {
      return visible.length;
    },
    get letters() {
      return [...visible, ...delayed, ...parked.map(({ message }) => message)].map(({ body }) => body);
    },
    async send(bodies) {
      for (const body of bodies) {
        sent.push(body);
        enqueue({ id: `${name}m${sent.length}`, body });
      }
    },
    deliver(atMost) {
      const most = Math.min(atMost, visible.length);
      const size = disorder.shuffle ? 1 + thrown.below(most) : most;
      const batch: Message[] = [];
      while (batch.length < size) {
        const next = disorder.shuffle ? thrown.take(visible) : visible.shift();
        if (next) batch.push(next);
      }
      let ended = false;
      return {
        messages: batch.map((message) => ({ ...message })),
        acknowledge(failed) {
          ended = true;
          for (const message of batch)
            if (failed.has(message.id)) giveUp(message);
            else if (thrown.chance(disorder.duplicate)) enqueue(message);
        },
        giveBack() {
          if (!ended) for (const message of batch) giveUp(message);
          ended = true;
        },
      };
    },
    ripen() {
      visible.push(...delayed.splice(0));
    },
    redrive() {
      const back = parked.splice(0);
      visible.push(...back.map(({ message }) => message));
      return back.length;
    },
    dead: deadLetters(parked, disorder, thrown, { name, now }),
  };
}

/** What is in nobody's hands is given out, ten at a time. */
function deadLetters(
  parked: Parked[],
  { shuffle }: Disorder,
  thrown: Dice,
  { name, now }: Required<MailboxOptions>,
): Mailbox['dead'] {
  let sent = 0;
  const handles = new Map<string, Parked>();
  const handed = (letters: readonly { readonly handle: string }[]) =>
    letters.flatMap(({ handle }) => handles.get(handle) ?? []);
  const free = () => parked.filter(({ hiddenUntil }) => hiddenUntil <= now());
  const hand = (letter: Parked) => {
    const handle = `h${handles.size}`;
    handles.set(handle, letter);
    return { ...letter.message, handle };
  };
  return {
    get letters() {
      return parked.map(({ message }) => message);
    },
    async send(bodies) {
      for (const body of bodies) parked.push({ message: { id: `${name}d${++sent}`, body }, hiddenUntil: 0 });
    },
    async count() {
      const waiting = free().length;
      return { waiting, taken: parked.length - waiting };
    },
    async take(hiddenMs) {
      const all = free();
      const some: Parked[] = [];
      while (some.length < TAKEN && all.length > 0)
        some.push(...(shuffle ? [thrown.take(all)] : all.splice(0, 1)));
      for (const letter of some) letter.hiddenUntil = now() + hiddenMs;
      return some.map(hand);
    },
    async remove(letters) {
      for (const letter of handed(letters))
        if (parked.includes(letter)) parked.splice(parked.indexOf(letter), 1);
    },
    async release(letters, hiddenMs = 0) {
      for (const letter of handed(letters))
        if (letter.hiddenUntil > now()) letter.hiddenUntil = now() + hiddenMs;
    },
  };
}
