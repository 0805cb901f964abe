import type { Json } from '../events/event.ts';
import { present } from './present.ts';
import type { WechatMessage } from './wechat-message.ts';

/** One event that a message stands for. */
export interface Meaning {
  readonly type: string;
  readonly properties: Record<string, Json>;
  /** What the vendor calls it, where that is more than who, when and which event. */
  readonly key?: readonly string[];
  /** The customer's phone as WeChat has verified it; left out where it is masked or none. */
  readonly phone?: string;
}

/** What one kind of message means: no event where it says nothing of a customer. */
export type Entry = (message: WechatMessage, appId: string) => readonly Meaning[];

/** Events by their name, in lower case: WeChat writes `SCAN`, `CLICK` and `subscribe`. */
export type Entries = Readonly<Record<string, Entry>>;

/** Properties as fields give them: what is empty is left out. */
export type Found = Readonly<Record<string, Json | undefined>>;

/** A meaning made of fields; those that are empty are left out. */
export const one = (type: string, properties: Found, rest: Pick<Meaning, 'key' | 'phone'> = {}): Meaning => ({
  type,
  properties: present(properties),
  ...rest,
});

/** A number in a field: an integer as it stands, nothing for nothing. */
export const whole = (text: string): number | undefined =>
  /^-?\d{1,15}$/.test(text) ? Number(text) : undefined;
