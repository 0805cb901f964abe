// A brand that asks its vendors: pushes in at capture, hints worked off by the real consumer, events into profiles.
import type { CaptureFact } from '../../lib/capture/capture.ts';
import { askStanding, fetchMemory, onHints } from '../../lib/capture/fetch.ts';
import type { Json } from '../../lib/events/event.ts';
import { type Event, eventsMessage, type Fault } from '../../lib/events/event.ts';
import type { Table } from '../../lib/platform/table.ts';
import { aBrand, NOW } from '../channels/captured.ts';
import { aPlayed } from '../channels/played.ts';
import type { Vendor } from '../channels/vendors/vendor.ts';
import { memoryTable } from '../platform/memory.ts';
import { aWorld } from '../profile/a-world.ts';

interface Parts {
  readonly channel: string;
  readonly vendor: Vendor;
  /** Settings and secret that are more than the vendor's own. */
  readonly settings: Readonly<Record<string, Json>>;
  readonly secret: Json;
  /** The name of the secret in the vendor's accounts. */
  readonly secretName: string;
}

export function aFetching({ channel, vendor, settings, secret, secretName }: Parts) {
  const account = { ...vendor.accounts.main, ...settings, secret: secretName };
  const channels = { [channel]: { main: account } };
  const brand = aBrand({ channels });
  const played = aPlayed(channel, vendor, { accounts: { main: account }, secrets: { [secretName]: secret } });
  const rows = memoryTable();
  const facts: CaptureFact[] = [];
  const bodies: string[] = [];
  const asks: string[] = [];
  const state = { queueFails: false, putFails: false, now: NOW };
  const table: Table = {
    ...rows,
    async put(item, guard) {
      if (state.putFails) throw new Error('the table is down');
      return rows.put(item, guard);
    },
  };
  const queue = {
    send: async (sent: readonly string[]) => {
      if (state.queueFails) throw new Error('SQS is down');
      bodies.push(...sent);
    },
  };
  const hints = { send: async (sent: readonly string[]) => void asks.push(...sent) };
  let memory = fetchMemory();
  const deps = () => ({
    brand,
    secrets: { get: async () => secret },
    table,
    queue,
    hints,
    memory,
    now: () => state.now,
    fetch,
    tell: (fact: CaptureFact) => void facts.push(fact),
  });
  const messages = () => bodies.map((body) => eventsMessage.parse(JSON.parse(body)));

  /** One batch of hints; those that failed wait again. @returns how many failed */
  async function work(): Promise<number> {
    asks.push(...played.hints.splice(0));
    const batch = asks.splice(0).map((body, i) => ({ id: `h${i}`, body }));
    const failed = await onHints(batch, deps());
    asks.push(...batch.filter(({ id }) => failed.includes(id)).map(({ body }) => body));
    return failed.length;
  }

  return {
    ...played,
    brand,
    state,
    facts,
    asks,
    rows,
    work,
    /** Another instance, which remembers nothing. */
    restart: () => {
      memory = fetchMemory();
    },
    /** Until nobody has to be asked any more. */
    async settle(): Promise<void> {
      for (let i = 0; i < 20 && asks.length + played.hints.length > 0; i++) await work();
    },
    tick: () => askStanding(deps()),
    fetched: (): Event[] => messages().flatMap(({ events }) => events),
    refusedHints: (): Fault[] => messages().flatMap(({ faults }) => faults),
    /** Everything that came in, pushed and fetched, in a world of profiles. */
    async profiles() {
      const world = aWorld({ brand });
      for (const body of [...played.bodies, ...bodies]) await world.deliver({ body });
      return world;
    },
  };
}
