import type { SentRequest } from '../../../lib/channels/sign.ts';
import type { Json } from '../../../lib/events/event.ts';

/** One thing that a vendor says, before it is signed and sealed. */
export interface Said {
  readonly account: string;
  readonly message: string;
  /** What stands beside the body (a topic, a call, an id of the delivery), by the name that the vendor's signer knows. */
  readonly about: Readonly<Record<string, string>>;
  /** Milliseconds. */
  readonly now: number;
  /** Distinct for each sample, the same in each run: nonces and ids are made of it. */
  readonly nonce: string;
}

/** A vendor as the tests play it: the brand's accounts there with throw-away secrets, and how it signs. */
export interface Vendor {
  /** Account → settings, as they stand in a brand. */
  readonly accounts: Readonly<Record<string, Readonly<Record<string, Json>>>>;
  /** What each secret holds, by the reference in the settings. */
  readonly secrets: Readonly<Record<string, Json>>;
  /** The request in which the vendor says it. */
  sign(said: Said): SentRequest;
}
