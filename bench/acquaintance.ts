// Makes a brand's customers known to a run: introductions and a month of acts, in time order.
import type { Run } from '../infra/local/brand-run.ts';
import type { SentRequest } from '../lib/channels/sign.ts';
import { DAY, HOUR, MINUTE, SECOND } from '../lib/platform/clock.ts';
import { type Act, act, introduction } from './acts.ts';
import type { Dice } from './dice.ts';
import type { Customer } from './people.ts';
import type { senders } from './requests.ts';
import { postAll } from './sending.ts';

const BLOCK = 400;

/**
 * Sends `each` acts (from a third to twice as many, so that not everybody's tail is full at once) of everybody's last thirty
 * days, after their introduction, and waits until all is written and the first tick has taken over the rules.
 */
export async function acquaint(
  run: Run,
  people: readonly Customer[],
  each: number,
  send: ReturnType<typeof senders>,
  d: Dice,
): Promise<number> {
  const now = run.clock.now();
  const acts = people
    .flatMap((who) => {
      const known = Math.floor(now - (25 + 5 * d.next()) * DAY);
      const visits = Array.from(
        { length: Math.ceil((2 * each) / 3) },
        () => known + HOUR + d.next() * 24 * DAY,
      );
      const past = Array.from(
        { length: d.whole(Math.floor(each / 3), 2 * each) },
        (_, i) => (visits[Math.floor(i / 3)] ?? known) + (i % 3) * 40 * SECOND,
      );
      return [
        ...introduction(who, known, d),
        ...past.sort((a, b) => a - b).map((at) => act(who, Math.floor(at), d)),
      ];
    })
    .sort((a, b) => a.at - b.at);
  for (let i = 0; i < acts.length; i += BLOCK) {
    await postAll(run.url, packed(acts.slice(i, i + BLOCK), send, now), 8);
    // A backlog would fold a person's whole past at once, and leave a tail that the first measured event has to seal.
    await run.idle(300_000);
  }
  await run.clock.walkTo(run.clock.now() + 2 * MINUTE);
  await run.idle(300_000);
  return acts.length;
}

/** Each sender's acts of a block in one request, but for WeChat's. */
function* packed(
  acts: readonly Act[],
  send: ReturnType<typeof senders>,
  now: number,
): Generator<SentRequest> {
  for (const [by, list] of Map.groupBy(acts, (it) => it.by)) {
    if (by === 'oa') for (const one of list) yield send.single(one, now);
    else yield send.batch(list, now);
  }
}
