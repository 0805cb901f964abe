import type { Clock } from '../../../lib/platform/clock.ts';
import type { DeadLetters } from '../../../lib/platform/dead-letters.ts';
import type { Queue } from '../../../lib/platform/queue.ts';
import type { Message } from '../../../lib/platform/sqs.ts';
import type { Table } from '../../../lib/platform/table.ts';
import { type MemoryTable, memoryTable } from '../../platform/memory.ts';
import { type Fault, faults, type Line, openLine, type Point } from './faults.ts';
import { faultyLetters, faultyQueue, faultyTable } from './faulty.ts';
import { type Disorder, type Mailbox, mailbox, orderly } from './mailbox.ts';
import { dice } from './random.ts';
import { turns } from './turns.ts';

/** What an invocation gets from outside. */
export interface Io<Name extends string = string> {
  readonly table: Table;
  readonly queues: Readonly<Record<Name, Queue>>;
  readonly letters: Readonly<Record<Name, DeadLetters>>;
  readonly now: Clock;
}

/** What one invocation does with a batch; it returns the ids of the messages that must come again. */
export type Handler = (messages: Message[]) => Promise<readonly string[]>;

/**
 * A function of the world: what stands behind a queue. It is opened as a Lambda container is, and what it remembers
 * lives as long: through the invocations that follow, also failed ones, until one crashes.
 */
export type WorldFunction<Name extends string = string> = (io: Io<Name>) => Handler;

export interface WorldOptions<Name extends string> {
  /** One function for each queue; its name is the queue's. */
  readonly functions: Readonly<Record<Name, WorldFunction<Name>>>;
  /** Of everything that is left to chance. */
  readonly seed?: number;
  readonly plan?: readonly Fault[];
  readonly disorder?: Disorder;
  /** How many invocations run at once; with more than one, the dice decide I/O by I/O who goes on. */
  readonly workers?: number;
  /** The largest batch of each queue; 10 where nothing is said. */
  readonly batch?: Readonly<Partial<Record<Name, number>>>;
  /** The clock at the beginning, ms. */
  readonly now?: number;
  /** The table to begin with; it is changed. */
  readonly table?: MemoryTable;
}

/** After so many invocations without coming to rest the world is going round in circles. */
const PATIENCE = 10_000;

/**
 * A brand's stack without AWS: one table, queues, a function behind each queue, a clock that stands until it is set.
 *
 * A queue delivers a message until it is acknowledged. An invocation that crashes or throws acknowledges nothing;
 * acknowledging is an I/O point too, and may be lost. The same options give the same run, byte for byte.
 *
 * @example
 * const world = new World({ functions: { events: (io) => { const deps = …; return (messages) => onEvents(messages, deps); } } });
 * await world.send('events', body);
 * await world.run();
 */
export class World<Name extends string> {
  /** The table itself, where no fault happens. */
  readonly table: MemoryTable;
  /** The queues themselves, where no fault happens. */
  readonly queues: Readonly<Record<Name, Mailbox>>;
  now: number;
  /** What invocations ended with, other than success: crashes, errors by plan, and errors of their own. */
  readonly errors: unknown[] = [];
  readonly #options: WorldOptions<Name>;
  readonly #faults;
  readonly #dice;
  readonly #names: Name[];
  readonly #invocations = new Map<Name, number>();
  /** Containers that wait for work. */
  readonly #idle = new Map<Name, Container[]>();

  constructor(options: WorldOptions<Name>) {
    this.#options = options;
    this.table = options.table ?? memoryTable();
    this.now = options.now ?? Date.UTC(2026, 10, 11);
    this.#dice = dice(options.seed ?? 1);
    this.#faults = faults(options.plan);
    this.#names = namesOf(options.functions);
    this.queues = mapNames(this.#names, (name) =>
      mailbox(this.#dice, options.disorder ?? orderly, { name, now: () => this.now }),
    );
  }

  /** Every I/O point that the run came to, in order. */
  get points(): readonly Point[] {
    return this.#faults.points;
  }

  /** The run, line by line: for the report of a failure. */
  get story(): string {
    return this.points
      .map(({ at, by, does, fault }) => `${at}  ${by}  ${does}${fault ? `  ← ${fault}` : ''}`)
      .join('\n');
  }

  /** Puts messages on a queue, as somebody outside does. */
  async send(queue: Name, ...bodies: string[]): Promise<void> {
    await this.queues[queue].send(bodies);
  }

  /** Sends again everything that was ever sent to a queue, as a dead-letter queue that is replayed late. */
  async sendAgain(queue: Name): Promise<void> {
    await this.queues[queue].send(this.queues[queue].sent.slice());
  }

  /** Brings back what stands in dead-letter queues. Answers how many messages that were. */
  redrive(): number {
    return this.#names.reduce((count, name) => count + this.queues[name].redrive(), 0);
  }

  /** Runs until every queue is empty. @throws if it never comes to rest */
  async run(): Promise<void> {
    if ((this.#options.workers ?? 1) > 1) return this.#runTogether(this.#options.workers ?? 1);
    for (let name = this.#nextQueue(); name !== undefined; name = this.#nextQueue()) {
      this.#checkPatience();
      await this.#invoke(name);
    }
  }

  #checkPatience(): void {
    let invoked = 0;
    for (const count of this.#invocations.values()) invoked += count;
    if (invoked > PATIENCE)
      throw new Error(`the world does not come to rest:\n${this.story.slice(-2000)}`, {
        cause: this.errors.at(-1),
      });
  }

  async #runTogether(workers: number): Promise<void> {
    const order = turns(this.#dice);
    let running = 0;
    for (;;) {
      await order.settle();
      this.#checkPatience();
      const name = running < workers ? this.#nextQueue(running > 0) : undefined;
      const choices = order.waiting + (name === undefined ? 0 : 1);
      if (choices === 0) return;
      if (this.#dice.below(choices) < order.waiting) {
        order.draw();
      } else if (name !== undefined) {
        const { turn, leave } = order.join();
        running++;
        void this.#invoke(name, turn).finally(() => {
          running--;
          leave();
        });
      }
    }
  }

  /** A queue with something to deliver. Delayed messages ripen when there is nothing else to do. */
  #nextQueue(busy = false): Name | undefined {
    const ready = () => this.#names.filter((name) => this.queues[name].ready > 0);
    let names = ready();
    if (names.length === 0 && !busy) {
      for (const name of this.#names) this.queues[name].ripen();
      names = ready();
    }
    return this.#options.disorder?.shuffle ? names[this.#dice.below(names.length)] : names[0];
  }

  async #invoke(name: Name, turn?: () => Promise<void>): Promise<void> {
    const count = (this.#invocations.get(name) ?? 0) + 1;
    this.#invocations.set(name, count);
    const delivery = this.queues[name].deliver(this.#options.batch?.[name] ?? 10);
    const line = openLine(`${name} ${count}`, this.#faults, turn);
    const idle = this.#idle.get(name) ?? [];
    this.#idle.set(name, idle);
    const container = idle.pop() ?? this.#open(name);
    container.connect(line);
    try {
      const failed = new Set(await Promise.race([container.handler(delivery.messages), line.crashed]));
      const acknowledge = async () => delivery.acknowledge(failed);
      const many = delivery.messages.length - failed.size;
      await Promise.race([line.io(`acknowledge ${many}`, false, acknowledge), line.crashed]);
    } catch (error) {
      this.errors.push(error);
      delivery.giveBack(); // nothing was acknowledged: everything comes again
    }
    if (!line.dead) idle.push(container);
  }

  /** A new container; its I/O goes over the line of the invocation that it is at. */
  #open(name: Name): Container {
    let current: Line | undefined;
    const line: Pick<Line, 'io'> = {
      io(...point) {
        if (!current) throw new Error(`${name}: a container reads and writes nothing while it is opened`);
        return current.io(...point);
      },
    };
    const handler = this.#options.functions[name]({
      table: faultyTable(this.table, line),
      queues: mapNames(this.#names, (queue) => faultyQueue(queue, this.queues[queue], line)),
      letters: mapNames(this.#names, (queue) => faultyLetters(queue, this.queues[queue].dead, line)),
      now: () => this.now,
    });
    return {
      handler,
      connect(to) {
        current = to;
      },
    };
  }
}

interface Container {
  readonly handler: Handler;
  connect(line: Line): void;
}

function namesOf<Name extends string>(functions: Readonly<Record<Name, unknown>>): Name[] {
  const names: Name[] = [];
  for (const name in functions) names.push(name);
  return names;
}

function mapNames<Name extends string, T>(names: readonly Name[], make: (name: Name) => T): Record<Name, T> {
  const made: Partial<Record<Name, T>> = {};
  for (const name of names) made[name] = make(name);
  const isWhole = (it: Partial<Record<Name, T>>): it is Record<Name, T> => names.every((name) => name in it);
  if (!isWhole(made)) throw new Error('a name is missing');
  return made;
}
