import type { Role } from '../platform/brand-words.ts';

/** What a key may do. Masks and approvals come on top: see `showIdentifier` and `lib/privacy/export.ts`. */
export type Power =
  /** Tags, rules, reports, forecasts: numbers about groups. */
  | 'groups'
  /** Single profiles: traits, events, conversions, quarantine; identifiers masked. */
  | 'persons'
  /** Identifiers that are no phone or e-mail, in clear, for a stated reason. */
  | 'identifiers'
  /** Phones and e-mails too, for a stated reason. */
  | 'personal'
  /** Puts rules in force. */
  | 'rules'
  /** Asks for bulk exports, and approves those of others. */
  | 'exports'
  /** Who did what, and whether the log is whole. */
  | 'audit';

/** Role × what it may do: the one place that says so. `docs/decisions/008` says why. */
export const powers = {
  analyst: ['groups'],
  operator: ['groups', 'persons'],
  admin: ['groups', 'persons', 'identifiers', 'rules', 'exports'],
  privacy: ['groups', 'persons', 'identifiers', 'personal', 'exports', 'audit'],
} satisfies Record<Role, readonly Power[]>;

/**
 * What a role is told of a group, by what the group is.
 *
 * - `held`: who holds a tag now. Whoever may list them by name learns nothing from their number, and the list is logged.
 * - `asked`: a group that somebody made up: of a draft, of a comparison. It can be made so that one person makes the
 *   difference, and nobody is listed; so it is told in numbers of k at least to every role that is told at all.
 */
export type GroupKind = 'held' | 'asked';

/** Role × kind of group: every number, or those of k and more. A role that may not list persons has k everywhere. */
export const groupSizesFor = {
  analyst: { held: 'k', asked: 'k' },
  operator: { held: 'every', asked: 'k' },
  admin: { held: 'every', asked: 'k' },
  privacy: { held: 'every', asked: 'k' },
} satisfies Record<Role, Record<GroupKind, 'every' | 'k'>>;

/** The smallest group that a role is told of; 1: every one. */
export const kOf = (role: Role, kind: GroupKind, { k }: { readonly k: number }): number =>
  groupSizesFor[role][kind] === 'every' ? 1 : k;

const table: Readonly<Record<Role, readonly Power[]>> = powers;

export const may = (role: Role, power: Power): boolean => table[role].includes(power);

/** The roles that may, weakest first. */
export const whoMay = (power: Power): readonly Role[] =>
  (['analyst', 'operator', 'admin', 'privacy'] as const).filter((role) => may(role, power));
