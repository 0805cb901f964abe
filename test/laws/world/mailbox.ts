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
  /** Brings back what stands in the dead-letter queue. Answers how many messages that were. */
  redrive(): number;
}

export function mailbox(thrown: Dice, disorder: Disorder): Mailbox {
  const sent: string[] = [];
  const visible: Message[] = [];
  const delayed: Message[] = [];
  const parked: Message[] = [];
  const giveUp = (message: Message) => {
    if (thrown.chance(disorder.park ?? 0)) parked.push(message);
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
    async send(bodies) {
      for (const body of bodies) {
        sent.push(body);
        enqueue({ id: `m${sent.length}`, body });
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
      visible.push(...back);
      return back.length;
    },
  };
}
