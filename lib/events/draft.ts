import { toIso } from '../platform/clock.ts';
import { checkEvent } from './check.ts';
import { type Event, type EventContext, event, type Json, type Source } from './event.ts';
import { FaultError, quoted } from './fault.ts';
import { eventId } from './id.ts';
import { type DraftIdentifier, type Home, toIdentifiers } from './identifiers.ts';
import { instantOf, occurred } from './time.ts';

/**
 * The largest event, as JSON. SDKs send 40 KB. A row holds three such events and what one write adds (128 KB) before
 * its tail is sealed: less than 400 KB even if nothing of it can be compressed.
 */
export const EVENT_BYTES = 64 * 1024;

/** An event as a channel's mapping gives it: not yet checked, its parts as loose as the sender's. */
export interface Draft {
  readonly type: string;
  /** What the sender calls it, or the parts that tell it from others: a retry has the same. */
  readonly key: readonly string[];
  /** The sender's time, as sent; absent: none was given. */
  readonly at?: string | number;
  /** When no time was given but something nearer than the arrival is known, in milliseconds. */
  readonly about?: number;
  readonly identifiers: readonly DraftIdentifier[];
  readonly properties: Readonly<Record<string, Json>>;
  readonly traits?: Readonly<Record<string, Json>>;
  readonly traitsOnce?: Readonly<Record<string, Json>>;
  readonly context?: DraftContext;
}

export type DraftContext = Omit<Partial<EventContext>, 'timeSource' | 'verified'>;

/** What a channel knows beside the message. */
export interface Frame {
  readonly source: Source;
  readonly receivedAt: number;
  readonly verified: EventContext['verified'];
  readonly home: Home;
}

/**
 * The event of a draft, checked and in its one form.
 *
 * @throws FaultError for whatever keeps it from being one
 */
export function toEvent(draft: Draft, frame: Frame): Event {
  const at = draft.at === undefined ? undefined : instantOf(draft.at);
  if (draft.at !== undefined && at === undefined)
    throw new FaultError(
      'bad_time',
      'the time has to be RFC 3339 with an offset (2026-11-11T00:00:00+08:00) or Unix time, after 1990',
    );
  const properties = checkEvent(draft.type, draft.properties, frame.verified);
  const when = occurred(at, frame.receivedAt);
  const late =
    at === undefined && draft.about !== undefined
      ? toIso(Math.min(draft.about, frame.receivedAt))
      : undefined;
  const whole = {
    id: eventId(frame.source, draft.key),
    type: draft.type,
    occurredAt: late ?? when.occurredAt,
    receivedAt: toIso(frame.receivedAt),
    source: frame.source,
    identifiers: toIdentifiers(draft.identifiers, frame.home),
    properties,
    ...some('traits', draft.traits),
    ...some('traitsOnce', draft.traitsOnce),
    context: { ...clipped(draft.context ?? {}), timeSource: when.timeSource, verified: frame.verified },
  };
  const parsed = event.safeParse(whole);
  if (!parsed.success) {
    const paths = parsed.error.issues
      .map(({ path: [part, name] }) => (typeof name === 'string' ? `${String(part)}.${quoted(name)}` : part))
      .join(', ');
    throw new FaultError('bad_property', `not plain JSON, or too long a name, at ${paths}`);
  }
  if (Buffer.byteLength(JSON.stringify(parsed.data)) > EVENT_BYTES)
    throw new FaultError(
      'too_large',
      `an event has at most ${EVENT_BYTES / 1024} KB of JSON: leave out what nobody asks`,
    );
  return parsed.data;
}

/** Context describes; it is cut to what is kept rather than refused. */
function clipped(context: DraftContext): DraftContext {
  const { campaign, page, device } = context;
  return {
    ...some(
      'campaign',
      campaign &&
        cut(campaign, { channel: 128, source: 256, medium: 256, name: 256, term: 256, content: 256 }),
    ),
    ...some('page', page && cut(page, { url: 2048, path: 1024, title: 512 })),
    ...cut(context, { referrer: 2048 }),
    ...some('device', device && cut(device, { os: 64, model: 128, type: 64 })),
    ...cut(context, { locale: 35, session: 128 }),
  };
}

const some = (name: string, part: object | undefined) =>
  part && Object.keys(part).length > 0 ? { [name]: part } : {};

function cut(
  from: Readonly<Record<string, unknown>>,
  lengths: Readonly<Record<string, number>>,
): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const [name, length] of Object.entries(lengths)) {
    const text = from[name];
    if (typeof text === 'string' && text !== '') kept[name] = text.slice(0, length);
  }
  return kept;
}
