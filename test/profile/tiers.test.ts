import fc from 'fast-check';
import { expect, test } from 'vitest';
import { conversionsIn, entriesOf } from '../../lib/attribution/conversion.ts';
import { tierBefore } from '../../lib/attribution/tier.ts';
import type { Event } from '../../lib/events/event.ts';
import type { Cluster } from '../../lib/profile/cluster.ts';
import { parseEntry } from '../../lib/profile/entries.ts';
import { fold, newCluster } from '../../lib/profile/fold.ts';
import { aBrand, active, anOrder, aVisit, buyer, day, rulesOf, START, stage } from './a-profile.ts';

const rules = rulesOf(
  aBrand({
    rules: [buyer, active, stage],
    attribution: {
      composite: {
        tier: {
          property: 'customer_tier',
          vip: ['vip'],
          silent: ['silent'],
          tags: { vip: ['stage=loyal'], silent: ['active'] },
        },
      },
    },
  }),
);
const NOW = START + 200 * 86_400_000;

interface Story {
  cluster: Cluster;
  journal: readonly Event[];
  /** The keys of conversions that were announced. */
  readonly told: Set<string>;
}

/** Folds one batch, with the journal where it takes that, and keeps what is sealed. */
function add(story: Story, events: readonly Event[], seal: boolean): void {
  const additions = { events, seal };
  const short = fold(story.cluster, additions, rules, NOW);
  const whole = { from: undefined, events: story.journal };
  const folded = short.kind === 'journal' ? fold(story.cluster, additions, rules, NOW, whole) : short;
  if (folded.kind !== 'changed') return;
  for (const text of folded.cluster.outbox) {
    const entry = parseEntry(text);
    if (entry.kind === 'conversion') story.told.add(entry.key);
  }
  if (folded.seal) story.journal = [...story.journal, ...folded.seal.events];
  story.cluster = { ...folded.cluster, outbox: [] };
}

const begun = (): Story => ({ cluster: newCluster('c', day(0), rules), journal: [], told: new Set() });
const tiers = ({ cluster }: Story) => cluster.shown.get('c')?.tiers ?? [];

const life = fc
  .uniqueArray(fc.nat({ max: 120 }), { minLength: 4, maxLength: 14 })
  .map((days) => days.map((at, i) => (i % 2 === 0 ? aVisit(at) : anOrder(at, `o${at}`, 100))));

test('how somebody stood is the same however their events came and tails were sealed, and every order that it changes is told again', () => {
  fc.assert(
    fc.property(life, fc.array(fc.boolean(), { minLength: 14, maxLength: 14 }), (events, seals) => {
      const [one, many] = [begun(), begun()];
      add(one, events, false);
      for (const [i, event] of events.entries()) {
        const before = tiers(many);
        many.told.clear();
        add(many, [event], seals[i] === true);
        const known = conversionsIn(entriesOf(events.slice(0, i + 1), rules.brand));
        for (const { key, at } of known)
          if (tierBefore(before, at) !== tierBefore(tiers(many), at)) expect(many.told).toContain(key);
      }
      expect(tiers(many)).toEqual(tiers(one));
    }),
    { numRuns: 150 },
  );
});

test('an order is no reason for its own tier, and a visit that comes late is one', () => {
  const story = begun();
  add(
    story,
    [anOrder(1, 'a', 100), anOrder(2, 'b', 100), anOrder(3, 'c', 100), anOrder(20, 'd', 100)],
    false,
  );
  expect([1, 2, 3, 20].map((at) => tierBefore(tiers(story), day(at)))).toEqual([
    'other',
    'other',
    'other',
    'vip',
  ]);
  add(story, [aVisit(1.5)], false);
  expect([1, 2, 3, 20].map((at) => tierBefore(tiers(story), day(at)))).toEqual([
    'other',
    'silent',
    'silent',
    'vip',
  ]);
});
