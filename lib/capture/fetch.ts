import { tallyOf } from '../arrivals/tally.ts';
import { accountsOf, homeOf } from '../channels/accounts.ts';
import {
  type Channel,
  MisconfiguredError,
  type Outcome,
  type Outside,
  type RawAccount,
} from '../channels/channel.ts';
import type { Fetcher, Surroundings, Token } from '../channels/fetcher.ts';
import { fetchers } from '../channels/fetchers.ts';
import { type Hint, type HintMessage, hintMessage, questionOf } from '../channels/hint.ts';
import { BusyError } from '../channels/vendor-call.ts';
import { FaultError } from '../events/fault.ts';
import type { Brand } from '../platform/brand.ts';
import { secretName } from '../platform/brand-file.ts';
import { MINUTE, SECOND } from '../platform/clock.ts';
import { logError } from '../platform/log.ts';
import type { Queue } from '../platform/queue.ts';
import type { Secrets } from '../platform/secrets.ts';
import { MESSAGE_BYTES, type Message } from '../platform/sqs.ts';
import type { Table } from '../platform/table.ts';
import { unreadable } from '../quarantine/store.ts';
import type { CaptureFact } from './capture.ts';
import { chunks } from './chunks.ts';
import { sendHints } from './hints.ts';
import { keptStore } from './kept-store.ts';

export interface FetchDeps extends Outside {
  readonly brand: Brand;
  readonly secrets: Secrets;
  readonly table: Table;
  /** Where events go. */
  readonly queue: Queue;
  /** Where goes what an answer makes us ask next. */
  readonly hints: Queue;
  /** What this instance remembers between batches. */
  readonly memory: FetchMemory;
  /** One line of facts for whoever operates this: never a body, never an identifier. */
  readonly tell: (fact: CaptureFact) => void;
}

/** Access tokens by account, and until when nobody asks the vendor of an account that is away or wants patience. */
export interface FetchMemory {
  readonly tokens: Map<string, Map<string, Token>>;
  readonly quiet: Map<string, number>;
}

export const fetchMemory = (): FetchMemory => ({ tokens: new Map(), quiet: new Map() });

/** No new question is begun so long after the batch came: with its calls' patience it fits the function's time. */
const BATCH_MS = 20 * SECOND;

/** How long a vendor is left alone that is away or wants patience. */
const QUIET_MS = MINUTE;

interface Asking {
  readonly channel: Channel;
  readonly fetcher: Fetcher;
  readonly id: string;
  readonly settings: unknown;
}

/** The accounts that ask their vendor for what its pushes only announce. */
export const askingAccounts = (brand: Pick<Brand, 'channels'>): Asking[] =>
  fetchers.flatMap(({ channel, fetcher }) =>
    Object.entries(accountsOf(brand, channel.name))
      .filter(([, settings]) => channel.asks(settings).length > 0)
      .map(([id, settings]) => ({ channel, fetcher, id, settings })),
  );

/** Queues what is asked from time to time whatever was announced. @returns how many questions */
export async function askStanding({ brand, hints }: Pick<FetchDeps, 'brand' | 'hints'>): Promise<number> {
  let asked = 0;
  for (const { channel, fetcher, id, settings } of askingAccounts(brand)) {
    const standing = fetcher.standing(settings);
    if (standing.length > 0) await sendHints(standing, { channel: channel.name, account: id }, hints);
    asked += standing.length;
  }
  return asked;
}

/** A question, and the messages that asked it. */
interface Question extends HintMessage {
  readonly carriers: readonly string[];
}

/**
 * Asks vendors for what they announced, each question of a batch once. What they answer goes the way of what is sent to
 * us, and what is kept (a cursor, what was known) moves on only when it is durably queued.
 *
 * @returns the ids of the messages that must come again: their vendor is away, wants patience, or does not know yet.
 *   What a vendor will not answer as it stands goes to quarantine and is asked again when it is replayed.
 */
export async function onHints(messages: readonly Message[], deps: FetchDeps): Promise<string[]> {
  const until = deps.now() + BATCH_MS;
  const failed: string[] = [];
  const { questions, unreadable: odd } = questionsOf(messages);
  for (const message of odd) {
    const isKept = await attempt(message.id, () =>
      deps.queue.send(chunks([], [unreadable(message.body, deps.now())], MESSAGE_BYTES)),
    );
    if (!isKept) failed.push(message.id);
  }
  for (const question of questions) {
    const isDone = await attempt(question.source.channel, () => settle(question, until, deps));
    if (!isDone) failed.push(...question.carriers);
  }
  return failed;
}

async function attempt(what: string, work: () => Promise<void>): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    logError('asking about a hint', error, { of: what });
    return false;
  }
}

/** Of the hints that ask the same the latest counts: its permission is the freshest. */
function questionsOf(messages: readonly Message[]) {
  const questions = new Map<string, Question>();
  const unreadable: Message[] = [];
  for (const message of messages) {
    const parsed = parse(message.body);
    if (!parsed) {
      unreadable.push(message);
      continue;
    }
    const name = questionOf(parsed);
    const before = questions.get(name);
    const carriers = [...(before?.carriers ?? []), message.id];
    const isLater = !before || (parsed.hint.at ?? 0) >= (before.hint.at ?? 0);
    questions.set(name, { ...(isLater ? parsed : before), carriers });
  }
  return { questions: [...questions.values()], unreadable };
}

const parse = (body: string): HintMessage | undefined => {
  try {
    return hintMessage.parse(JSON.parse(body));
  } catch {
    return undefined;
  }
};

async function settle({ source, hint }: Question, until: number, deps: FetchDeps): Promise<void> {
  const name = `${source.channel}/${source.account}`;
  const asking = askingAccounts(deps.brand).find(
    ({ channel, id }) => channel.name === source.channel && id === source.account,
  );
  if (!asking) return queued(unasked(source, hint, deps.now()), source, deps);
  if (deps.now() >= until || (deps.memory.quiet.get(name) ?? 0) > deps.now())
    throw new BusyError(`${name} is asked later`);
  try {
    await askAll(asking, hint, until, deps);
  } catch (error) {
    if (error instanceof BusyError) deps.memory.quiet.set(name, deps.now() + QUIET_MS);
    if (error instanceof MisconfiguredError)
      deps.tell({ what: 'misconfigured', channel: source.channel, message: error.message });
    throw error;
  }
}

/** The brand asks no more there since this was announced: it is kept, and asked when it is replayed. */
function unasked({ channel, account }: HintMessage['source'], hint: Hint, now: number): Outcome {
  const error = new FaultError(
    'vendor_refused',
    'the brand does not ask here any more: set `fetch` in the account again, then replay it',
  );
  const named = fetchers.find((it) => it.channel.name === channel)?.channel;
  if (!named) throw new Error(`${channel} asks its vendor for nothing`);
  return named.unanswered(error, hint, account, now);
}

/** Asks until there is no more; what is left when the time is over is asked by another message. */
async function askAll(
  { channel, fetcher, id, settings }: Asking,
  hint: Hint,
  until: number,
  deps: FetchDeps,
) {
  const source = { channel: channel.name, account: id };
  const secret = await deps.secrets.get(secretName(deps.brand, channel.secretOf(settings)));
  const account: RawAccount = { id, settings, secret, home: homeOf(deps.brand) };
  const tokens = deps.memory.tokens.get(`${channel.name}/${id}`) ?? new Map<string, Token>();
  deps.memory.tokens.set(`${channel.name}/${id}`, tokens);
  const around: Surroundings = {
    fetch: deps.fetch,
    now: deps.now,
    tokens,
    kept: keptStore(deps.table, source),
  };
  for (;;) {
    const fetched = await asked(fetcher, hint, account, around);
    if (fetched instanceof FaultError)
      return queued(channel.unanswered(fetched, hint, id, deps.now()), source, deps);
    if (!fetched) return;
    await queued(channel.fetched(fetched.messages, hint.what, account, deps.now()), source, deps);
    if (fetched.hints && fetched.hints.length > 0) await sendHints(fetched.hints, source, deps.hints);
    await fetched.confirm?.();
    if (!fetched.more) return;
    if (deps.now() >= until) return sendHints([hint], source, deps.hints);
  }
}

async function asked(fetcher: Fetcher, hint: Hint, account: RawAccount, around: Surroundings) {
  try {
    return await fetcher.ask(hint, account, around);
  } catch (error) {
    if (error instanceof FaultError) return error;
    throw error;
  }
}

async function queued(outcome: Outcome, source: HintMessage['source'], deps: FetchDeps): Promise<void> {
  const { events, faults, ignored } = outcome;
  const bodies = chunks(events, faults, MESSAGE_BYTES, { tally: tallyOf(outcome, source, deps.now()) });
  if (bodies.length > 0) await deps.queue.send(bodies);
  for (const name of ignored) deps.tell({ what: 'ignored', ...source, name: name.slice(0, 64) });
}
