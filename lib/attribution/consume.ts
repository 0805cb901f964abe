import { z } from 'zod';
import { RejectedError } from '../platform/errors.ts';
import { logError } from '../platform/log.ts';
import type { Message } from '../platform/sqs.ts';
import {
  type ChangeDeps,
  generationsFor,
  handOnAt,
  type PartMessage,
  partMessage,
  tellPart,
} from './change.ts';
import type { Generations } from './generations.ts';
import { type ConversionsMessage, conversionsMessage, type RestateDeps, restate } from './restate.ts';

/** Where settings may change while others are told by them. */
export interface ConsumeDeps extends RestateDeps {
  readonly change?: ChangeDeps;
}

/** How often a batch is told anew because settings changed under it, before it comes again by itself. */
const ATTEMPTS = 3;

/**
 * Restates what a batch of messages names, each profile once, and the parts of everybody that a change of settings
 * asks for. Returns the ids of the messages that must come again; one that can never be read is logged and dropped.
 *
 * The settings are read before and after: who wrote by those before a change, without knowing of it, writes again. So
 * whoever looks for what is behind a change finds all that was written by the settings before.
 */
export async function onConversions(messages: readonly Message[], deps: ConsumeDeps): Promise<string[]> {
  const { change } = deps;
  const { profiles, parts } = sorted(messages);
  if (!change) return tellAll(profiles, deps);
  const until = handOnAt(change);
  let generations = await generationsFor(deps.brand, change);
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const told = { ...deps, generations };
    const failed = await tellAll(profiles, told);
    failed.push(...(await tellParts(parts, until, told, change)));
    const { state } = await change.generations.get();
    if (!state || state.seq === generations.seq) return failed;
    generations = state;
  }
  return messages.map(({ id }) => id);
}

type Profiles = Map<string, { ids: string[]; asked: ConversionsMessage }>;
type Parts = { readonly id: string; readonly part: PartMessage }[];

/** What the messages ask for: profiles, each once, and parts of everybody. */
function sorted(messages: readonly Message[]): { profiles: Profiles; parts: Parts } {
  const profiles: Profiles = new Map();
  const parts: Parts = [];
  for (const { id, body } of messages) {
    const asked = read(body);
    if (!asked) {
      logError('a message of the conversions queue was dropped', new RejectedError('bad_message', id));
      continue;
    }
    if (!('profile' in asked)) {
      parts.push({ id, part: asked });
      continue;
    }
    const other = profiles.get(asked.profile);
    if (!other) profiles.set(asked.profile, { ids: [id], asked });
    else {
      other.ids.push(id);
      other.asked = both(other.asked, asked);
    }
  }
  return { profiles, parts };
}

async function tellAll(profiles: Profiles, deps: RestateDeps): Promise<string[]> {
  const failed: string[] = [];
  for (const { ids, asked } of profiles.values()) {
    try {
      await restate(asked, deps);
    } catch (error) {
      logError('conversions of a profile', error, { profile: asked.profile, messages: ids.length });
      failed.push(...ids);
    }
  }
  return failed;
}

async function tellParts(
  parts: Parts,
  until: number,
  deps: RestateDeps,
  change: ChangeDeps,
): Promise<string[]> {
  const failed: string[] = [];
  for (const { id, part } of parts) {
    try {
      const tell = (profile: string, generations: Generations) =>
        restate({ profile, conversions: 'all' }, { ...deps, generations });
      await tellPart(part, until, tell, change);
    } catch (error) {
      logError('a part of everybody, told by other settings', error);
      failed.push(id);
    }
  }
  return failed;
}

/** One message that asks for what two ask for. */
function both(a: ConversionsMessage, b: ConversionsMessage): ConversionsMessage {
  const { profile } = a;
  if (a.conversions === 'all' || b.conversions === 'all') return { profile, conversions: 'all' };
  const conversions = [...new Set([...a.conversions, ...b.conversions])];
  if (a.since === undefined || b.since === undefined) return { profile, conversions };
  return { profile, conversions, since: [a.since, b.since].sort()[0] };
}

const message = z.union([conversionsMessage, partMessage]);

function read(body: string): ConversionsMessage | PartMessage | undefined {
  try {
    return message.parse(JSON.parse(body));
  } catch {
    return undefined;
  }
}
