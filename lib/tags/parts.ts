import { logError } from '../platform/log.ts';
import type { Message } from '../platform/sqs.ts';

/** Works on messages one after the other. @returns the ids of those that must come again */
export async function eachPart(
  messages: readonly Message[],
  work: (body: unknown) => Promise<void>,
): Promise<string[]> {
  const failed: string[] = [];
  for (const { id, body } of messages) {
    try {
      await work(JSON.parse(body));
    } catch (error) {
      logError('a part of all profiles', error);
      failed.push(id);
    }
  }
  return failed;
}
