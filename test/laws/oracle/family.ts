import type { Rule } from '../../../lib/platform/brand-words.ts';

/** How far back a leaf looks: brand-days, hours, or always. */
export type Within = { readonly days: number } | { readonly hours: number } | 'ever';

/** What a rule of the family says, as data. */
export type Condition =
  | {
      readonly is: 'leaf';
      readonly type: string;
      readonly within: Within;
      /** `sum` adds up `property`; an event that lacks it adds nothing. */
      readonly aggregate: 'count' | 'sum' | 'any';
      readonly property?: string;
      /** Only events whose property is at least so much. */
      readonly where?: { readonly property: string; readonly atLeast: number };
      /** Not for `any`. */
      readonly atLeast?: number;
    }
  | { readonly is: 'not'; readonly of: Condition }
  | { readonly is: 'and' | 'or'; readonly of: readonly Condition[] }
  | { readonly is: 'tag'; readonly tag: string };

/** A tag that is held or not, or one that has the first value whose condition holds. */
export type FamilyRule = { readonly tag: string } & (
  | { readonly when: Condition }
  | { readonly values: readonly (readonly [string, Condition])[] }
);

const leaf = (
  type: string,
  within: Within,
  rest: Omit<Extract<Condition, { is: 'leaf' }>, 'is' | 'type' | 'within'>,
): Condition => ({ is: 'leaf', type, within, ...rest });
const any = (type: string, within: Within) => leaf(type, within, { aggregate: 'any' });
const not = (of: Condition): Condition => ({ is: 'not', of });
const and = (...of: Condition[]): Condition => ({ is: 'and', of });
const or = (...of: Condition[]): Condition => ({ is: 'or', of });
const spent = (within: Within, atLeast: number) =>
  leaf('order_paid', within, { aggregate: 'sum', property: 'paid_amount', atLeast });

/** The rules of the law tests: every kind of window, aggregate and connection, few enough to read. */
export const family: readonly FamilyRule[] = [
  { tag: 'buyer', when: any('order_paid', { days: 30 }) },
  { tag: 'repeat', when: leaf('order_paid', { days: 30 }, { aggregate: 'count', atLeast: 2 }) },
  { tag: 'ever_bought', when: leaf('order_paid', 'ever', { aggregate: 'count', atLeast: 1 }) },
  { tag: 'spender', when: spent({ days: 7 }, 10_000) },
  { tag: 'hot', when: any('page_viewed', { hours: 36 }) },
  {
    tag: 'big_basket',
    when: leaf(
      'order_paid',
      { days: 90 },
      { aggregate: 'count', where: { property: 'paid_amount', atLeast: 10_000 }, atLeast: 1 },
    ),
  },
  {
    tag: 'tier',
    values: [
      ['gold', spent({ days: 90 }, 25_000)],
      ['silver', or(spent({ days: 90 }, 10_000), any('member_registered', { days: 7 }))],
      ['bronze', any('order_paid', 'ever')],
    ],
  },
  { tag: 'dormant', when: and({ is: 'tag', tag: 'ever_bought' }, not({ is: 'tag', tag: 'buyer' })) },
  { tag: 'at_risk', when: and({ is: 'tag', tag: 'dormant' }, not({ is: 'tag', tag: 'hot' })) },
  { tag: 'content', when: or(spent({ days: 30 }, 10_000), not(any('order_refunded', { days: 7 }))) },
];

const textOfWithin = (within: Within): string => {
  if (within === 'ever') return '';
  return 'days' in within ? `.within("${within.days}d")` : `.within("${within.hours}h")`;
};

/** A condition in the language of rules. */
export function textOf(condition: Condition): string {
  switch (condition.is) {
    case 'leaf': {
      const { type, where, within, aggregate, property, atLeast } = condition;
      const filter = where ? `.where(e, e.${where.property} >= ${where.atLeast})` : '';
      const events = `events("${type}")${filter}${textOfWithin(within)}`;
      if (aggregate === 'any') return `${events}.any()`;
      return `${events}.${aggregate}(${property ? `"${property}"` : ''}) >= ${atLeast}`;
    }
    case 'not':
      return `!(${textOf(condition.of)})`;
    case 'and':
    case 'or':
      return `(${condition.of.map(textOf).join(condition.is === 'and' ? ' && ' : ' || ')})`;
    case 'tag':
      return `hasTag("${condition.tag}")`;
  }
}

/** The family as a brand's file has it. */
export const rulesOf = (rules: readonly FamilyRule[]): Rule[] =>
  rules.map((rule) =>
    'when' in rule
      ? { tag: rule.tag, when: textOf(rule.when) }
      : {
          tag: rule.tag,
          values: Object.fromEntries(rule.values.map(([name, condition]) => [name, textOf(condition)])),
        },
  );
