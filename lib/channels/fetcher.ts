import type { Json } from '../events/event.ts';
import { type Account, type ChannelSpec, type Outside, openAccount, type RawAccount } from './channel.ts';
import type { Hint } from './hint.ts';

/** What asking about a hint needs of the world, beside what a pull needs. */
export interface Surroundings extends Outside {
  /** Access tokens of this account by their names, in the memory of this instance. */
  readonly tokens: Map<string, Token>;
  /** What is kept of this account from one question to the next. */
  readonly kept: Kept;
}

export interface Token {
  readonly value: string;
  /** In milliseconds; some time before the vendor forgets it. */
  readonly until: number;
}

/** Small things that outlive a question: a cursor, what was known. */
export interface Kept {
  /** The value and its version; version 0 where there is none. */
  get(name: string): Promise<{ readonly value: Json | undefined; readonly version: number }>;
  /** @throws ConflictError unless the version is the one given: somebody else asked too */
  put(name: string, value: Json, version: number): Promise<void>;
}

/** What a vendor answered. */
export interface Fetched {
  /** A JSON array of messages: they come in by the channel's own `decode` and `read`, under the hint's `what`. */
  readonly messages: readonly Json[];
  /** What this makes us ask next. */
  readonly hints?: readonly Hint[];
  /** Whether the same question has more to give. */
  readonly more?: boolean;
  /** Moves on what is kept. Called when the messages are durably queued and never before; may be called again. */
  confirm?(): Promise<void>;
}

/**
 * How a vendor is asked for what its pushes only announce. It stands apart from its channel, so that functions that
 * never ask do not carry it.
 */
export interface FetcherSpec<Settings extends { secret: string }, Secret>
  extends Pick<ChannelSpec<Settings, Secret>, 'name' | 'settings' | 'secret'> {
  /** What is asked from time to time whatever was announced, in case that an announcement was lost. */
  standing?(settings: Settings): readonly Hint[];
  /**
   * One question; nothing if it brought nothing. It may be asked again at any time.
   *
   * @throws FaultError if the vendor will never answer it as it stands: it goes to quarantine, to be replayed
   * @throws BusyError, Error: it is asked again later
   */
  ask(
    hint: Hint,
    account: Account<Settings, Secret>,
    surroundings: Surroundings,
  ): Promise<Fetched | undefined>;
}

/** A fetcher as its caller has it: settings and secret not yet parsed. */
export interface Fetcher {
  readonly name: string;
  standing(settings: unknown): readonly Hint[];
  ask(hint: Hint, account: RawAccount, surroundings: Surroundings): Promise<Fetched | undefined>;
}

export const fetcher = <Settings extends { secret: string }, Secret>(
  spec: FetcherSpec<Settings, Secret>,
): Fetcher => ({
  name: spec.name,
  standing: (settings) => spec.standing?.(spec.settings.parse(settings)) ?? [],
  ask: async (hint, raw, surroundings) => spec.ask(hint, openAccount(spec, raw), surroundings),
});
