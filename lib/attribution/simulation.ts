import type { TouchRole } from '../platform/brand-words.ts';
import type { ObservedPerson } from './learned.ts';
import { dice } from './shapley.ts';

/** A channel of the simulated world. */
export interface SimulatedChannel {
  readonly channel: string;
  /** What the composite preset takes it for. */
  readonly role: TouchRole;
  /** How many of all touches it has, in ratio to the others. */
  readonly frequency: number;
  /** What one touch truly adds to the hazard, in units of the scenario's `effect`. */
  readonly effect: number;
}

/** A world whose truth is known because it is made here. */
export interface Scenario {
  readonly title: string;
  readonly channels: readonly SimulatedChannel[];
  /** Of every touch's effect. */
  readonly halfLifeDays: number;
  /** What one unit of effect adds to the hazard at once, a day. */
  readonly effect: number;
  /** What converts without any touch, a day. */
  readonly base: number;
  /** People who want to buy anyway: for some days they convert at `hazard`, and visit `channel` because of it. */
  readonly intent?: Intent;
}

export interface Intent {
  readonly channel: string;
  /** The share of people that it comes over once. */
  readonly people: number;
  readonly days: number;
  readonly hazard: number;
  /** Visits of `channel` a day, while it lasts. */
  readonly visits: number;
}

/** A person of the simulated world. Watching ends with the first conversion, or with the last day. */
export interface SimulatedPerson extends ObservedPerson {
  /** Of the conversion, what each touch truly caused; empty without one. With `nobody` it adds up to 1. */
  readonly caused: readonly number[];
  readonly nobody: number;
}

/** How long people are watched: the look-back of the models, so that no touch is out of their sight. */
export const DAYS = 30;
/** Touches a person in `DAYS`, by chance (geometric: many have few, few have many). */
const TOUCHES = 6.95;
/** How mixed a person's channels are: after n touches the next is a new draw with probability m / (m + n), else a repeat. */
const MIX = 6;

const roles = { direct: 4, indirect: 2, latent: 1 } as const satisfies Record<TouchRole, number>;

const world: readonly Omit<SimulatedChannel, 'effect'>[] = [
  { channel: 'pay_page', role: 'direct', frequency: 0.05 },
  { channel: 'cart_reminder', role: 'direct', frequency: 0.05 },
  { channel: 'wecom_consult', role: 'indirect', frequency: 0.15 },
  { channel: 'store_consult', role: 'indirect', frequency: 0.15 },
  { channel: 'article', role: 'latent', frequency: 0.4 },
  { channel: 'moments', role: 'latent', frequency: 0.2 },
];

const withEffects = (effect: (it: Omit<SimulatedChannel, 'effect'>) => number): SimulatedChannel[] =>
  world.map((it) => ({ ...it, effect: effect(it) }));

const byRole = withEffects(({ role }) => roles[role]);

/** The channels whose role tells the truth in B2; the effects of the others are exchanged. */
const exchanged: Readonly<Record<string, number>> = { pay_page: 1, wecom_consult: 6, article: 1.5 };

/**
 * The strength of the wish to buy decides alone who wins here: what is learned from watching takes it for the pay
 * page's. Mild, the learned model is still nearer to the truth than linear; strong, it is further away. So both are
 * shown: no model that only watches can tell which of them a brand lives in, a holdout can.
 */
const confounded = (hazard: number): Omit<Scenario, 'title'> => ({
  channels: withEffects(({ channel, role }) => (channel === 'pay_page' ? 0 : 0.6 + 0.4 * roles[role])),
  halfLifeDays: 7,
  effect: 0.0022,
  base: 0.0005,
  intent: { channel: 'pay_page', people: 0.1, days: 4, hazard, visits: 0.4 },
});

export const scenarioNames = ['A', 'B', 'B2', 'C', 'C2', 'E'] as const;
export type ScenarioName = (typeof scenarioNames)[number];

export const scenarios = {
  A: { title: 'roles true, 4:2:1', channels: byRole, halfLifeDays: 7, effect: 0.0016, base: 0.0006 },
  B: {
    title: 'all channels equally effective',
    channels: withEffects(() => 1),
    halfLifeDays: 7,
    effect: 0.0025,
    base: 0.0006,
  },
  B2: {
    title: 'half of the roles are right',
    channels: withEffects(({ channel, role }) => exchanged[channel] ?? roles[role]),
    halfLifeDays: 7,
    effect: 0.0011,
    base: 0.0006,
  },
  C: {
    title: 'confounded, mildly: the pay page does nothing, who wants to buy visits it',
    ...confounded(0.03),
  },
  C2: { title: 'confounded, strongly: the same, with more wish to buy', ...confounded(0.1) },
  E: {
    title: 'roles true, fast decay',
    channels: byRole,
    halfLifeDays: 2 * Math.LN2,
    effect: 0.007,
    base: 0.0006,
  },
} satisfies Record<ScenarioName, Scenario>;

/**
 * People of a scenario, the same for the same seed. Each converts by an additive hazard
 *
 *   h(t) = base + intent + Σ effect(channel) · 2^(−(t − touch) / half-life)
 *
 * as a race of its parts, of which each has a clock of its own: who is first converts, and what each part has of h at
 * that moment is what it truly caused.
 */
export function simulate(scenario: Scenario, people: number, seed: number): SimulatedPerson[] {
  const next = dice(seed);
  return Array.from({ length: people }, () => aPerson(scenario, next));
}

interface Spell {
  readonly from: number;
  readonly to: number;
  readonly hazard: number;
}

interface Contact {
  readonly at: number;
  readonly kind: string;
}

function aPerson(scenario: Scenario, next: () => number): SimulatedPerson {
  const { base, channels, intent } = scenario;
  const spell = spellOf(intent, next);
  const all = contacts(channels, next);
  if (intent && spell) all.push(...visitsIn(spell, intent, next));
  all.sort((a, b) => a.at - b.at);
  const effects = new Map(channels.map((it) => [it.channel, it.effect * scenario.effect]));
  let first = Math.min(waiting(base, next), spell ? spellEnd(spell, next) : Number.POSITIVE_INFINITY);
  for (const { at, kind } of all)
    first = Math.min(first, at + waitingFor(effects.get(kind) ?? 0, scenario.halfLifeDays, next));
  if (first >= DAYS) return { from: 0, to: DAYS, touches: all, conversions: [], caused: [], nobody: 0 };
  const touches = all.filter(({ at }) => at <= first);
  const parts = touches.map(
    ({ at, kind }) => (effects.get(kind) ?? 0) * 2 ** (-(first - at) / scenario.halfLifeDays),
  );
  const nobody = base + (spell && first >= spell.from && first < spell.to ? spell.hazard : 0);
  const whole = parts.reduce((sum, it) => sum + it, nobody);
  return {
    from: 0,
    to: first,
    touches,
    conversions: [first],
    caused: parts.map((it) => it / whole),
    nobody: nobody / whole,
  };
}

/** Touches at any time, each of a channel of its own or of one that the person had before. */
function contacts(channels: readonly SimulatedChannel[], next: () => number): Contact[] {
  const count = Math.floor(Math.log(1 - next()) / Math.log(TOUCHES / (1 + TOUCHES)));
  const kinds: string[] = [];
  for (let n = 0; n < count; n++)
    kinds.push(next() < MIX / (MIX + n) ? drawn(channels, next) : kinds[Math.floor(next() * n)]!);
  return kinds.map((kind) => ({ at: next() * DAYS, kind }));
}

function drawn(channels: readonly SimulatedChannel[], next: () => number): string {
  let left = next() * channels.reduce((sum, { frequency }) => sum + frequency, 0);
  for (const { channel, frequency } of channels) {
    left -= frequency;
    if (left < 0) return channel;
  }
  return channels.at(-1)!.channel;
}

function spellOf(intent: Intent | undefined, next: () => number): Spell | undefined {
  if (!intent || next() >= intent.people) return undefined;
  const from = next() * DAYS;
  return { from, to: Math.min(DAYS, from + intent.days), hazard: intent.hazard };
}

function visitsIn({ from, to }: Spell, { channel, visits }: Intent, next: () => number): Contact[] {
  const found: Contact[] = [];
  for (let at = from + waiting(visits, next); at < to; at += waiting(visits, next))
    found.push({ at, kind: channel });
  return found;
}

function spellEnd({ from, to, hazard }: Spell, next: () => number): number {
  const at = from + waiting(hazard, next);
  return at < to ? at : Number.POSITIVE_INFINITY;
}

/** Days until something comes that comes so often a day. */
const waiting = (rate: number, next: () => number): number =>
  rate > 0 ? -Math.log(1 - next()) / rate : Number.POSITIVE_INFINITY;

/** Days until an effect that halves brings its conversion; for ever, if it has faded before. */
function waitingFor(effect: number, halfLifeDays: number, next: () => number): number {
  const left = 1 - (waiting(effect, next) * Math.LN2) / halfLifeDays;
  return left > 0 ? -Math.log2(left) * halfLifeDays : Number.POSITIVE_INFINITY;
}
