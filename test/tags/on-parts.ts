// What the two functions do that share the work on all profiles: each takes the messages that are sent to it.
import type { Message } from '../../lib/platform/sqs.ts';
import { onRecompute as onChange, type RecomputeDeps } from '../../lib/tags/recompute.ts';
import { onSurvey } from '../../lib/tags/survey-part.ts';

export async function onRecompute(messages: readonly Message[], deps: RecomputeDeps): Promise<string[]> {
  const isLook = ({ body }: Message) => body.startsWith('{"survey":');
  const looks = await onSurvey(messages.filter(isLook), deps);
  const changes = await onChange(
    messages.filter((it) => !isLook(it)),
    deps,
  );
  return [...looks, ...changes];
}
