import { onConversions } from '../../lib/attribution/consume.ts';
import { conversionStore } from '../../lib/attribution/store.ts';
import { directory } from '../../lib/identity/directory.ts';
import { protector as openProtector, type Protector } from '../../lib/identity/protect.ts';
import type { Brand, BrandInput } from '../../lib/platform/brand.ts';
import { readHistory } from '../../lib/profile/history.ts';
import { onEvents } from '../../lib/profile/on-events.ts';
import type { Rules } from '../../lib/profile/person.ts';
import { profileStore } from '../../lib/profile/store.ts';
import { type Calendar, openCalendar } from '../../lib/tags/calendar.ts';
import { onTick } from '../../lib/tags/recompute.ts';
import { compileRules } from '../../lib/tags/rulebook.ts';
import { ruleStore } from '../../lib/tags/rules-store.ts';
import { onRecompute } from '../tags/on-parts.ts';
import { compiledOnce, compressOnce, protectedOnce } from './once.ts';
import { aBrand } from './oracle/histories.ts';
import type { WorldFunction } from './world/world.ts';

/** The queues of the stack, and one for what the schedule does every minute. */
export type Names = 'events' | 'conversions' | 'recompute' | 'tick';

/** What every function of a brand shares and no run changes: compiled once, used by a hundred thousand runs. */
export interface Shared {
  readonly zone: string;
  readonly brand: Brand;
  readonly rules: Rules;
  readonly protector: Protector;
  readonly calendar: Calendar;
  /** How rules are checked before they are written. */
  readonly compile: typeof compileRules;
}

const known = new Map<string, Shared>();
const secret = 'the identity key of the law tests, which protects nobody';

/** The brand of the law tests in a zone, with what is bundled and compiled for it. */
export function sharedOf(zone: string, changes: Partial<BrandInput> = {}): Shared {
  const key = JSON.stringify([zone, changes]);
  const shared = known.get(key) ?? share(zone, changes);
  known.set(key, shared);
  return shared;
}

function share(zone: string, changes: Partial<BrandInput>): Shared {
  const brand = aBrand(zone, changes);
  const book = compileRules(
    brand.rules.map((rule) => ({ ...rule, version: 1 })),
    brand,
  );
  compressOnce();
  return {
    ...{ zone, brand, rules: { book, brand }, protector: protectedOnce(openProtector(secret)) },
    ...{ calendar: openCalendar(brand.timezone), compile: compiledOnce(brand) },
  };
}

/**
 * The functions behind the queues, wired as `functions/profile.ts`, `attribution.ts` and `tags.ts` wire them; only
 * table, queues and clock are the world's.
 *
 * @param rules those in force; without it they are the brand's and are not read from the table
 */
export function functionsOf(
  { brand, rules: own, protector, calendar, compile }: Shared,
  rules: () => Rules = () => own,
): Record<Names, WorldFunction<Names>> {
  const inForce = async () => rules();
  const tags: WorldFunction<Names> = ({ table, queues, now }) => {
    const deps = {
      table,
      store: ruleStore(table, brand, compile),
      profiles: profileStore(table),
      recompute: queues.recompute,
      conversions: queues.conversions,
      rules: inForce,
      done: new Map<string, number>(),
      now,
    };
    return async (messages) => {
      const asked = messages.filter(({ body }) => body !== TICK);
      if (asked.length < messages.length) await onTick(deps);
      return onRecompute(asked, deps);
    };
  };
  return {
    events: ({ table, queues, now }) => {
      const deps = {
        table,
        protector,
        directory: directory(table, protector),
        profiles: profileStore(table),
        conversions: queues.conversions,
        rules: inForce,
        done: new Map<string, number>(),
        now,
      };
      return (messages) => onEvents(messages, deps);
    },
    conversions: ({ table, now }) => {
      const profiles = profileStore(table);
      const deps = {
        store: conversionStore(table, now),
        history: (cluster: string, since?: number) => readHistory(profiles, cluster, since),
        brand,
        calendar,
      };
      return (messages) => onConversions(messages, deps);
    },
    recompute: tags,
    tick: tags,
  };
}

/** The body of a message that stands for the schedule's call. */
export const TICK = 'tick';
