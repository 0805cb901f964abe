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

const table: Readonly<Record<Role, readonly Power[]>> = powers;

export const may = (role: Role, power: Power): boolean => table[role].includes(power);

/** The roles that may, weakest first. */
export const whoMay = (power: Power): readonly Role[] =>
  (['analyst', 'operator', 'admin', 'privacy'] as const).filter((role) => may(role, power));
