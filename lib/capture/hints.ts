import { MisconfiguredError } from '../channels/channel.ts';
import type { Hint, HintMessage } from '../channels/hint.ts';
import type { Source } from '../events/event.ts';
import type { Queue } from '../platform/queue.ts';

/** Queues what a vendor announced and has to be asked for. @throws MisconfiguredError where nobody would ask */
export async function sendHints(
  hints: readonly Hint[],
  source: Source,
  queue: Queue | undefined,
): Promise<void> {
  if (!queue)
    throw new MisconfiguredError(
      `${source.channel}/${source.account} asks, and the stack has no queue for it`,
    );
  await queue.send(hints.map((hint): string => JSON.stringify({ source, hint } satisfies HintMessage)));
}
