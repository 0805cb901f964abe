import { RejectedError } from '../platform/errors.ts';
import { logError } from '../platform/log.ts';
import type { Message } from '../platform/sqs.ts';
import { type ConversionsMessage, conversionsMessage, type RestateDeps, restate } from './restate.ts';

/**
 * Restates what a batch of messages names, each profile once. Returns the ids of the messages that must come again;
 * one that can never be read is logged and dropped.
 */
export async function onConversions(messages: readonly Message[], deps: RestateDeps): Promise<string[]> {
  const profiles = new Map<string, { ids: string[]; asked: ConversionsMessage }>();
  for (const { id, body } of messages) {
    const asked = read(body);
    if (!asked) {
      logError('a message of the conversions queue was dropped', new RejectedError('bad_message', id));
      continue;
    }
    const other = profiles.get(asked.profile);
    if (!other) profiles.set(asked.profile, { ids: [id], asked });
    else {
      other.ids.push(id);
      other.asked = both(other.asked, asked);
    }
  }
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

/** One message that asks for what two ask for. */
function both(a: ConversionsMessage, b: ConversionsMessage): ConversionsMessage {
  const { profile } = a;
  if (a.conversions === 'all' || b.conversions === 'all') return { profile, conversions: 'all' };
  const conversions = [...new Set([...a.conversions, ...b.conversions])];
  if (a.since === undefined || b.since === undefined) return { profile, conversions };
  return { profile, conversions, since: [a.since, b.since].sort()[0] };
}

function read(body: string): ConversionsMessage | undefined {
  try {
    return conversionsMessage.parse(JSON.parse(body));
  } catch {
    return undefined;
  }
}
