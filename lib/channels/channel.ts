import type { z } from 'zod';
import { type Draft, type Frame, toEvent } from '../events/draft.ts';
import type { Event, Fault, Json, Source } from '../events/event.ts';
import { FaultError } from '../events/fault.ts';
import { eventId } from '../events/id.ts';
import type { Home } from '../events/identifiers.ts';
import { type Clock, toIso } from '../platform/clock.ts';
import { RejectedError } from '../platform/errors.ts';
import type { HttpReply, HttpRequest } from '../platform/http.ts';
import { digestOfText } from './digest.ts';
import { type Envelope, faultBody, packed, unpacked } from './fault-body.ts';
import { HINT, type Hint, hint } from './hint.ts';

/**
 * How a channel speaks. A new channel is one value of this type in `registry.ts`; what all of them have in common
 * (caps, order of checks, faults, ids) is `channel()` below.
 *
 * Transport and meaning are apart: `verify` turns a request into authentic text, `decode` the text into messages,
 * `read` one message into drafts of events. The first needs secrets and the clock and is never repeated; the others
 * are pure functions of what they are given, and are applied again when a fault is replayed with better code.
 */
export interface ChannelSpec<Settings extends { secret: string }, Secret> {
  readonly name: string;
  /** An account's settings, as they stand in the brand. `secret` is the reference of its secret. */
  readonly settings: z.ZodType<Settings>;
  /** What the secret holds, with the one before it while both are live. */
  readonly secret: z.ZodType<Secret>;
  /** The largest body, before and after decompression. */
  readonly maxBytes: number;
  /** For channels whose URL names no account: what the request says of whose it is, and what each secret answers to. */
  readonly address?: {
    of(request: HttpRequest): string | undefined;
    keys(secret: Secret): readonly string[];
  };
  /**
   * The paths that are this channel's own, exactly as senders write them, with `{names}` for one segment each, and the
   * methods that bring events or questions. Channels may share a path: then the key in the request says whose it is.
   */
  readonly routes?: Routes;
  /**
   * Its senders try nothing again and throw a batch away for one refusal: of a message that is too long to be kept
   * until somebody mends it, the beginning is kept instead of refusing all that came with it.
   */
  readonly cutsFaults?: boolean;
  /** Headers of every reply, refusals too. */
  readonly headers?: Readonly<Record<string, string>>;
  /** The answer to a request that carries no messages (a challenge, a preflight), or nothing if it carries some. */
  handshake?(request: HttpRequest, account: Account<Settings, Secret>, now: number): HttpReply | undefined;
  /**
   * Checks that the request is from whom it claims, and opens it: signature, then time, then decryption, then
   * receiver. @throws RejectedError
   */
  verify(request: HttpRequest, account: Account<Settings, Secret>, now: number): Opened;
  /** The messages in the text. @throws FaultError: then the whole text is one fault. */
  decode(text: string, envelope: Envelope, account: Place<Settings>): readonly Json[];
  /** What one message means. @throws FaultError: then this message is a fault and the others go on. */
  read(message: Json, envelope: Envelope, account: Place<Settings>): Reading;
  /** What the sender wants to hear; 200 and nothing unless said. */
  reply?(outcome: Outcome, envelope: Envelope): HttpReply;
  /**
   * How this vendor wants a refusal, made of the one that everybody gets (its words never say which check failed).
   * It must not be a 2xx: a sender that was refused has to know.
   */
  refuse?(refusal: HttpReply): HttpReply;
  /** For a vendor that does not send: asks it for the next messages, nothing if it has none. */
  pull?(account: Account<Settings, Secret>, outside: Outside): Promise<Pulled | undefined>;
  /** What accounts with these settings ask for when it is announced (`fetchers.ts` says how); nothing unless set. */
  asks?(settings: Settings): readonly string[];
}

/** What asking a vendor needs of the world. */
export interface Outside {
  readonly fetch: typeof fetch;
  readonly now: Clock;
}

/** What a vendor gave when it was asked. */
export interface Pulled {
  /** The messages, signed as if they had been sent: they come in by the same door. */
  readonly request: HttpRequest;
  /** Tells the vendor that it may forget them: called when they are durably queued and never before. */
  confirm(): Promise<void>;
}

export type Routes = Readonly<Record<`/${string}`, readonly ('GET' | 'POST')[]>>;

/** The brand's name, language, currency and time zone: what a message leaves open. */
export type BrandHome = Home & { readonly currency: string; readonly timezone: string };

/** An account without its secret: all that reading a message may depend on. */
export interface Place<Settings> {
  readonly id: string;
  readonly settings: Settings;
  readonly home: BrandHome;
}

export interface Account<Settings, Secret> extends Place<Settings> {
  readonly secret: Secret;
}

/** Authentic text and what is known about its delivery. */
export interface Opened {
  readonly text: string;
  readonly envelope: Envelope;
  /** Good for one body only: where the signature does not cover the body. */
  readonly nonce?: string;
  /**
   * The vendor itself may send several bodies under one nonce, for it signs the second and nothing that is unique: those
   * after the first are taken, and what they say of events is kept for a person to look at.
   */
  readonly sharesNonce?: boolean;
  /** What the sender wants to hear, where that depends on the request (it is sealed with the key that opened it). */
  readonly reply?: HttpReply;
}

export type { Envelope } from './fault-body.ts';

export interface Reading {
  readonly drafts: readonly Draft[];
  /** About the brand's own things (a broadcast is done): no customer did it, so it is in nobody's profile. */
  readonly notices?: readonly Notice[];
  /** The vendor's name of a message that this channel has no use for: acknowledged and counted. */
  readonly ignored?: string;
  /** What it announces and does not say. */
  readonly hints?: readonly Hint[];
}

export interface Notice {
  readonly type: string;
  readonly properties: Readonly<Record<string, string | number>>;
}

export interface Outcome {
  readonly events: readonly Event[];
  readonly faults: readonly Fault[];
  readonly notices: readonly Notice[];
  readonly ignored: readonly string[];
  readonly hints: readonly Hint[];
  /** Where in the delivery each fault stood, in the order of `faults`. */
  readonly at: readonly number[];
}

export interface Received extends Outcome {
  readonly reply: HttpReply;
  readonly nonce?: string;
  readonly sharesNonce?: boolean;
}

/** An account as the caller has it: settings and secret not yet parsed. */
export interface RawAccount {
  readonly id: string;
  readonly settings: unknown;
  readonly secret: unknown;
  readonly home: BrandHome;
}

export interface Channel {
  readonly name: string;
  readonly maxBytes: number;
  readonly routes: Routes;
  readonly headers: Readonly<Record<string, string>>;
  /** The settings' faults, in words; none if they are good. */
  checkSettings(settings: unknown): readonly string[];
  /** The reference of the secret in an account's settings. */
  secretOf(settings: unknown): string;
  /** Whose the request is, as it says itself. */
  addressOf(request: HttpRequest): string | undefined;
  /** What an account's secret answers to; nothing while the secret is not filled in. */
  keysOf(secret: unknown): readonly string[];
  /** A refusal as this vendor wants it. */
  refuse(refusal: HttpReply): HttpReply;
  /** The answer to a handshake, or nothing if this is none. @throws RejectedError */
  handshake(request: HttpRequest, account: RawAccount, now: number): HttpReply | undefined;
  /** The events and faults of a request. @throws RejectedError if it is refused as a whole */
  receive(request: HttpRequest, account: RawAccount, now: number): Received;
  /** Asks the vendor for the next messages; absent for those that send. */
  readonly pull: ((account: RawAccount, outside: Outside) => Promise<Pulled | undefined>) | undefined;
  /** What accounts with these settings ask their vendor for. */
  asks(settings: unknown): readonly string[];
  /** What comes of messages that the vendor gave when it was asked. @param topic the hint's `what` */
  fetched(messages: readonly Json[], topic: string, account: RawAccount, now: number): Outcome;
  /** What comes of a question that the vendor refused: a fault that asks again when it is replayed. */
  unanswered(error: FaultError, hint: Hint, account: string, now: number): Outcome;
  /** Decodes a fault again. @throws RejectedError if its body is not one that this channel wrote */
  replay(fault: Fault, account: Omit<RawAccount, 'secret'>): Outcome;
}

/** A channel made from how it speaks. */
export function channel<Settings extends { secret: string }, Secret>(
  spec: ChannelSpec<Settings, Secret>,
): Channel {
  const sourceOf = (id: string): Source => ({ channel: spec.name, account: id });
  const placeOf = (raw: Omit<RawAccount, 'secret'>) => openPlace(spec, raw);
  const accountOf = (raw: RawAccount) => openAccount(spec, raw);

  function outcomeOf(text: string, delivery: Envelope, place: Place<Settings>, receivedAt: number): Outcome {
    try {
      const messages = spec.decode(text, delivery, place);
      return outcomes(
        messages.map((message, index) => one(message, { ...delivery, index }, place, receivedAt)),
      );
    } catch (error) {
      if (!(error instanceof FaultError)) throw error;
      return faulty(error, 'text', text, delivery, place.id, receivedAt);
    }
  }

  function one(message: Json, delivery: Envelope, place: Place<Settings>, receivedAt: number): Outcome {
    const frame: Frame = {
      source: sourceOf(place.id),
      receivedAt,
      verified: delivery.verified,
      home: place.home,
    };
    try {
      if (spec.asks && delivery.topic === HINT) return { ...nothing, hints: [hint.parse(message)] };
      const { drafts, notices = [], ignored, hints = [] } = spec.read(message, delivery, place);
      return {
        ...nothing,
        hints,
        events: drafts.map((draft) => toEvent(draft, frame)),
        notices,
        ignored: ignored === undefined ? [] : [ignored],
      };
    } catch (error) {
      if (!(error instanceof FaultError)) throw error;
      return faulty(error, 'message', message, delivery, place.id, receivedAt);
    }
  }

  function faulty(
    error: FaultError,
    what: 'message' | 'text',
    content: Json,
    delivery: Envelope,
    account: string,
    receivedAt: number,
  ): Outcome {
    const body = JSON.stringify(content);
    const digest = digestOfText(body);
    // A text that is identical in each retry must give an identical fault; when it was sent is no part of it.
    const id = eventId(sourceOf(account), [
      'fault',
      delivery.delivery ?? '',
      String(delivery.index ?? ''),
      digest,
    ]);
    const fault: Fault = {
      id,
      reason: error.reason,
      message: error.message,
      receivedAt: toIso(receivedAt),
      source: sourceOf(account),
      body: { ...packed(what, content, body, spec.cutsFaults === true), envelope: delivery },
    };
    return { ...nothing, faults: [fault], at: [delivery.index ?? 0] };
  }

  return {
    name: spec.name,
    maxBytes: spec.maxBytes,
    routes: spec.routes ?? {},
    headers: spec.headers ?? {},
    checkSettings(settings) {
      const parsed = spec.settings.safeParse(settings);
      return parsed.success
        ? []
        : parsed.error.issues.map((it) => `${it.path.join('.') || 'settings'}: ${it.message}`);
    },
    secretOf: (settings) => spec.settings.parse(settings).secret,
    addressOf: (request) => spec.address?.of(request),
    keysOf(secret) {
      const parsed = spec.secret.safeParse(secret);
      return parsed.success ? (spec.address?.keys(parsed.data) ?? []) : [];
    },
    refuse: (refusal) => spec.refuse?.(refusal) ?? refusal,
    pull: spec.pull && (async (raw, outside) => spec.pull?.(accountOf(raw), outside)),
    asks: (settings) => spec.asks?.(spec.settings.parse(settings)) ?? [],
    fetched: (messages, topic, raw, now) =>
      outcomeOf(JSON.stringify(messages), { verified: 'signed', topic }, placeOf(raw), now),
    unanswered(error, { pass: _, ...asked }, account, now) {
      const delivery: Envelope = { verified: 'signed', topic: HINT, index: 0 };
      return faulty(error, 'message', asked, delivery, account, now);
    },
    handshake: (request, account, now) => spec.handshake?.(request, accountOf(account), now),
    receive(request, raw, now) {
      if (request.body.length > spec.maxBytes)
        throw new RejectedError('too_large', `at most ${spec.maxBytes / 1024} KB`, 413);
      const account = accountOf(raw);
      const opened = spec.verify(request, account, now);
      const outcome = outcomeOf(opened.text, opened.envelope, account, now);
      return {
        ...outcome,
        reply: opened.reply ?? spec.reply?.(outcome, opened.envelope) ?? { status: 200 },
        nonce: opened.nonce,
        sharesNonce: opened.sharesNonce,
      };
    },
    replay(fault, raw) {
      const body = faultBody.safeParse(fault.body);
      if (!body.success)
        throw new RejectedError('not_replayable', 'the fault was not written by a channel', 422);
      if ('cut' in body.data)
        throw new RejectedError('not_replayable', 'it was too long: only its beginning was kept', 422);
      const { envelope: delivery } = body.data;
      const place = placeOf(raw);
      const receivedAt = Date.parse(fault.receivedAt);
      const content = unpacked(body.data);
      return delivery.index === undefined
        ? outcomeOf(String(content), delivery, place, receivedAt)
        : one(content, delivery, place, receivedAt);
    },
  };
}

type Schemas<Settings extends { secret: string }, Secret> = Pick<
  ChannelSpec<Settings, Secret>,
  'name' | 'settings' | 'secret'
>;

const openPlace = <Settings extends { secret: string }>(
  { name, settings: schema }: Pick<Schemas<Settings, unknown>, 'name' | 'settings'>,
  { id, settings, home }: Omit<RawAccount, 'secret'>,
): Place<Settings> => ({ id, settings: ours(schema, settings, `the settings of ${name}/${id}`), home });

/** An account with its settings and its secret parsed. @throws MisconfiguredError */
export const openAccount = <Settings extends { secret: string }, Secret>(
  spec: Schemas<Settings, Secret>,
  raw: RawAccount,
): Account<Settings, Secret> => ({
  ...openPlace(spec, raw),
  secret: ours(spec.secret, raw.secret, `the secret of ${spec.name}/${raw.id}`),
});

const nothing: Outcome = { events: [], faults: [], at: [], notices: [], ignored: [], hints: [] };

/** What we configured ourselves is wrong. The sender is not to blame and tries again: an error, no refusal. */
export class MisconfiguredError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'MisconfiguredError';
  }
}

function ours<T>(schema: z.ZodType<T>, value: unknown, what: string): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const paths = parsed.error.issues.map((issue) => issue.path.join('.') || '(whole)').join(', ');
  throw new MisconfiguredError(`${what} is not filled in rightly, at ${paths}`); // values stay out: it is a secret
}

function outcomes(parts: readonly Outcome[]): Outcome {
  return {
    events: parts.flatMap((part) => part.events),
    faults: parts.flatMap((part) => part.faults),
    at: parts.flatMap((part) => part.at),
    notices: parts.flatMap((part) => part.notices),
    ignored: parts.flatMap((part) => part.ignored),
    hints: parts.flatMap((part) => part.hints),
  };
}

/** The keys of the drafts of one message: its own for the first, with the index appended for those that follow. */
export const keyed = (key: readonly string[], index: number): readonly string[] =>
  index === 0 ? key : [...key, String(index)];
