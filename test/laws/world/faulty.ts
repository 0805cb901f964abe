import type { DeadLetters } from '../../../lib/platform/dead-letters.ts';
import type { Queue } from '../../../lib/platform/queue.ts';
import type { Item, Key, Table } from '../../../lib/platform/table.ts';
import type { Line } from './faults.ts';

/** How many rows of a query come with one reply here: few, so that much can happen between two replies. */
const ROWS = 25;

/** How many bodies one call of SQS takes. */
const BODIES = 10;

/** The table as one invocation sees it: each call is an I/O point of its line. */
export function faultyTable(table: Table, line: Pick<Line, 'io'>): Table {
  const name = ({ pk, sk }: Key) => `${pk} ${sk}`;
  return {
    get: (key) => line.io(`get ${name(key)}`, false, () => table.get(key)),
    put: (item, guard) => line.io(`put ${name(item)}`, true, () => table.put(item, guard)),
    add: (key, increments, set) => line.io(`add ${name(key)}`, true, () => table.add(key, increments, set)),
    remove: (key, guard) => line.io(`remove ${name(key)}`, true, () => table.remove(key, guard)),
    page: (pk, range) => line.io(`query ${pk}`, false, () => table.page(pk, range)),
    due: (shard, until, limit) => line.io(`due ${shard}`, false, () => table.due(shard, until, limit)),
    scan: (segment, of, after) =>
      line.io(`scan ${segment}/${of}`, false, () => table.scan(segment, of, after)),
    async *query(pk, range): AsyncGenerator<Item> {
      for (let after: string | undefined; ; ) {
        const from = after;
        const page = await line.io(`query ${pk}`, false, () =>
          table.page(pk, { ...range, limit: ROWS, after: from }),
        );
        yield* page.items;
        if (page.next === undefined) return;
        after = page.next;
      }
    },
  };
}

/** A queue as one invocation sees it: every ten bodies are an I/O point, and a failing one may have sent half of them. */
export function faultyQueue(name: string, queue: Queue, line: Pick<Line, 'io'>): Queue {
  return {
    async send(bodies) {
      for (let i = 0; i < bodies.length; i += BODIES) {
        const batch = bodies.slice(i, i + BODIES);
        await line.io(
          `send ${batch.length} to ${name}`,
          true,
          () => queue.send(batch),
          () => queue.send(batch.slice(0, batch.length >> 1)),
        );
      }
    },
  };
}

/** A dead-letter queue as one invocation sees it. Letters whose taking is not answered stay hidden. */
export function faultyLetters(name: string, dead: DeadLetters, line: Pick<Line, 'io'>): DeadLetters {
  return {
    ...faultyQueue(`dead ${name}`, dead, line),
    count: () => line.io(`count dead ${name}`, false, () => dead.count()),
    take: (hiddenMs) => line.io(`take dead ${name}`, true, () => dead.take(hiddenMs)),
    remove: (letters) =>
      line.io(
        `remove ${letters.length} dead ${name}`,
        true,
        () => dead.remove(letters),
        () => dead.remove(letters.slice(0, letters.length >> 1)),
      ),
    release: (letters, hiddenMs) =>
      line.io(`release ${letters.length} dead ${name}`, true, () => dead.release(letters, hiddenMs)),
  };
}
