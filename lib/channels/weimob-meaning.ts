import type { Json } from '../events/event.ts';
import type { Fields } from './context.ts';

/** A push, opened. Topic and event are not signed; id and message are. */
export interface WeimobPush {
  readonly id: string;
  readonly topic: string;
  readonly event: string;
  readonly message: Fields;
  /** The bosId, or the business id of 新云: within it the ids of customers are unique. */
  readonly merchant: string;
  /** Of what is signed: the same in each retry. */
  readonly key: readonly string[];
}

/** One event that a message stands for. */
export interface Meaning {
  readonly type: string;
  readonly properties: Record<string, Json>;
  /** Absent: that of the push. Two messages that say the same of one thing have one key. */
  readonly key?: readonly string[];
  /** Unix time, or `2025-10-09 16:53:20` in UTC+8. */
  readonly at?: string;
  /** The phone that the event is about. */
  readonly phone?: string;
}

/** What one topic and event mean. */
export interface Entry {
  /** Each of these names one field, or several of which the message has one. */
  readonly needs: readonly (string | readonly string[])[];
  /** Fields by which it is a message of another topic. */
  readonly bars?: readonly string[];
  /** The only fields that it has: for messages so short that any other message has them too. */
  readonly only?: readonly string[];
  readonly means: (push: WeimobPush) => readonly Meaning[];
}

/** A message that says nothing that a customer did. */
export const NONE: readonly Meaning[] = [];

/** A whole number as Weimob writes it, as text or not. */
export function whole(text: string | undefined): number | undefined {
  return text !== undefined && /^-?\d{1,15}(\.0+)?$/.test(text) ? Number(text) : undefined;
}
