import type { Event, Fault } from '../../lib/events/event.ts';
import type { Rules } from '../../lib/profile/person.ts';
import { NOW } from './oracle/histories.ts';
import { functionsOf, type Names, type Shared, TICK } from './wiring.ts';
import { World, type WorldOptions } from './world/world.ts';

/** What happens in a run, step by step; after each step the stack comes to rest. */
export type Step =
  /** Messages of the `events` queue, sent together: each holds some events. */
  | { readonly send: readonly (readonly Event[])[]; readonly faults?: readonly Fault[] }
  /** Bodies that nobody of ours sent. */
  | { readonly bodies: readonly string[] }
  /** Time passes. */
  | { readonly passMs: number }
  /** The schedule calls. */
  | { readonly tick: true }
  /** Other rules come into force, and everybody is brought to them. */
  | { readonly publish: Rules }
  /** Everything that was ever sent to `events` comes again, as from a dead-letter queue. */
  | { readonly again: true }
  /** What stands in dead-letter queues comes back. */
  | { readonly redrive: true };

export type RunOptions = Omit<WorldOptions<Names>, 'functions' | 'now'> & { readonly now?: number };

/** A world in which the steps have happened. The same steps and options give the same run, byte for byte. */
export async function played(
  steps: readonly Step[],
  shared: Shared,
  options: RunOptions = {},
): Promise<World<Names>> {
  let rules = shared.rules;
  const functions = functionsOf(shared, () => rules);
  const world = new World<Names>({ functions, now: NOW, ...options });
  for (const step of steps) {
    if ('send' in step) await world.send('events', ...bodiesOf(step.send, step.faults));
    else if ('bodies' in step) await world.send('events', ...step.bodies);
    else if ('passMs' in step) world.now += step.passMs;
    else if ('tick' in step) await world.send('tick', TICK);
    else if ('redrive' in step) {
      while (world.redrive() > 0) await world.run(); // what fails again comes back again
    } else if ('again' in step) await world.sendAgain('events');
    else {
      rules = step.publish;
      const part = { book: rules.book.digest, segment: 0, of: 1 };
      await world.send('recompute', JSON.stringify(part));
    }
    await world.run();
  }
  return world;
}

const bodiesOf = (messages: readonly (readonly Event[])[], faults: readonly Fault[] = []): string[] =>
  messages.map((events, i) => JSON.stringify({ events, faults: i === 0 ? faults : [] }));

/** Every event of a story, each time it is sent. */
export const eventsOf = (steps: readonly Step[]): Event[] =>
  steps.flatMap((step) => ('send' in step ? step.send.flat() : []));
