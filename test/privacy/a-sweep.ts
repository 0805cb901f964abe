// A shop at work with dead letters in its queues, somebody who asks to be erased, and the clock that sees to it.
import { createHash } from 'node:crypto';
import type { Event, Fault } from '../../lib/events/event.ts';
import { MINUTE, toIso } from '../../lib/platform/clock.ts';
import type { DeadLetters } from '../../lib/platform/dead-letters.ts';
import { keys } from '../../lib/platform/keys.ts';
import type { Table } from '../../lib/platform/table.ts';
import { beginErasure, endErasures } from '../../lib/privacy/carry-out.ts';
import { addressOf, type QueueName } from '../../lib/privacy/queues.ts';
import { type PrivacyRequest, type Receipt, requestId, SETTLING_MS } from '../../lib/privacy/request.ts';
import { requestStore } from '../../lib/privacy/request-store.ts';
import { queuesAt, type Run, sweep } from '../../lib/privacy/sweep.ts';
import { type MemoryLetters, memoryLetters } from '../platform/memory-letters.ts';
import { anId, anOrder, aVisit } from '../profile/a-profile.ts';
import { aWorld, type World } from '../profile/a-world.ts';

export const PHONE = '+8613800138000';
export const LI = ['member_id:li-secret', `phone:${PHONE}`];
export const WANG = ['member_id:wang-7'];
export const ZHAO = ['member_id:zhao-9', 'wechat_openid:zhao-open'];

export const message = (events: readonly Event[], faults: readonly Fault[] = [], more: object = {}): string =>
  JSON.stringify({ events, faults, ...more });

export const aFault = (id: string, body: unknown, receivedAt: string): Fault => ({
  ...{ id: id.padEnd(16, '0'), reason: 'bad_time', message: 'no time', receivedAt },
  ...{ source: { channel: 'generic', account: 'pos' }, body: JSON.parse(JSON.stringify(body)) },
});

type Letters = Record<Exclude<QueueName, 'erasures'>, MemoryLetters>;

/** Where faults go: what a sweep sees of the table and of the letters. */
export interface Between {
  table(it: Table): Table;
  letters(it: DeadLetters): DeadLetters;
}
export const nothingBetween: Between = { table: (it) => it, letters: (it) => it };

export function aSweep(world: World = aWorld()) {
  const now = world.clock;
  const letters: Letters = {
    ...{ events: memoryLetters(now), hints: memoryLetters(now), conversions: memoryLetters(now) },
    ...{ recompute: memoryLetters(now), surveys: memoryLetters(now), models: memoryLetters(now) },
  };
  const byName = new Map(Object.entries(letters));
  const addresses = Object.fromEntries([...byName.keys()].map((name) => [addressOf(name), name]));
  const requests = requestStore(world.rows);
  let asked = 0;
  const live = memoryLetters(now);
  const judged = new Set<string>();
  const it = {
    world,
    letters,
    /** The live queue of events. */
    live,
    later: (ms: number) => world.setClock(toIso(now() + ms)),

    /** One run of the function, as the clock calls it. */
    run: (between: Between = nothingBetween, remembered = judged): Promise<Run | undefined> =>
      sweep({
        ...{ table: between.table(world.rows), protector: world.protector, now, judged: remembered, live },
        queues: queuesAt(addresses, (name) => between.letters(byName.get(name) ?? memoryLetters())),
      }),

    /** Somebody asks for an erasure, and it begins; from then on it is settling. @returns the request's id */
    async erase(id: string): Promise<string> {
      const at = toIso(now());
      const request = requestId(at, id, `${++asked}`);
      await requests.put(
        {
          ...{ id: request, right: 'erase', status: 'received', reason: 'ticket', dueAt: at, subject: 's' },
          ...{ asked: { name: 'who', key: 'k', at }, of: world.protector.protect(anId(id)) },
        },
        0,
      );
      await beginErasure(request, world.worker);
      await world.attribute();
      return request;
    },
    settled: () => it.later(SETTLING_MS),
    /** What the clock of erasures does. */
    end: () => endErasures({ ...world.worker, sweeps: true }),
    request: async (id: string): Promise<PrivacyRequest> => (await requests.get(id)).it,
    /** Runs until a sweep is whole, ten minutes apart. */
    async whole(between: Between = nothingBetween): Promise<void> {
      for (let run = 0; run < 20; run++) {
        if ((await it.run(between))?.whole) return;
        it.later(10 * MINUTE);
      }
      throw new Error('no sweep comes to its end');
    },
    /** The events in the dead letters of `events`, by their ids, message by message. */
    left: (): string[][] =>
      letters.events
        .bodies()
        .map((body) => JSON.parse(body).events.map(({ id }: Event) => id.replace(/_+$/, ''))),
    /** Rows in which a sweep notes what it took. */
    notes: () => world.rows.rows().filter(({ pk }) => pk.startsWith(keys.swept('', '').pk)),
  };
  return it;
}

/** Whether a receipt is what was sealed. */
export const isSealed = ({ digest, ...rest }: Receipt): boolean =>
  createHash('sha256').update(JSON.stringify(rest)).digest('base64url') === digest;

export const visit = (id: string, ids: readonly string[], days = 10): Event => aVisit(days, { id, ids });

/** A shop with Li, Wang and Zhao, whom it knows. */
export async function aShop() {
  const shop = aSweep();
  await shop.world.take(anOrder(1, 'o-1', 100, { ids: LI }), visit('w0', WANG, 1), visit('z0', ZHAO, 1));
  return shop;
}
