import type { Queue } from '../platform/queue.ts';

const SURVEY = '{"survey":';

/** One queue to send to, two that take it: looks at all profiles have a function of their own, beside what changes them. */
export const partsQueue = (recompute: Queue, surveys: Queue): Queue => ({
  async send(bodies) {
    const isSurvey = (body: string) => body.startsWith(SURVEY);
    const looks = bodies.filter(isSurvey);
    const changes = bodies.filter((body) => !isSurvey(body));
    if (looks.length > 0) await surveys.send(looks);
    if (changes.length > 0) await recompute.send(changes);
  },
});
