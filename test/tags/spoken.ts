/** Rules as values, and how they are written. */

export type Span =
  | { readonly is: 'ever' }
  | { readonly is: 'ago'; readonly unit: 'h' | 'd'; readonly from: number; readonly to: number }
  /** Whole weeks or months before this one; 0: this one itself. */
  | { readonly is: 'week' | 'month'; readonly back: number }
  | { readonly is: 'dates'; readonly from: string; readonly to: string }
  | {
      readonly is: 'at';
      readonly side: 'after' | 'before';
      readonly unit: 'h' | 'd';
      readonly length: number;
      readonly anchor: 'born' | Moment;
    };

/** The time of the first event, the last, or the one of a number. */
export interface Moment {
  readonly of: Of;
  readonly end: 'first' | 'last' | number;
}

export interface Of {
  readonly type: string;
  readonly filter:
    | 'none'
    | 'store'
    | 'large'
    | 'channel'
    | 'both'
    | 'weekend'
    | 'evening'
    | 'pattern'
    | 'items';
  readonly span: Span;
}

/** Steps one after the other. */
export interface Chain {
  readonly steps: readonly Of[];
  readonly within: { readonly unit: 'h' | 'd'; readonly length: number };
  readonly gap: { readonly unit: 'h' | 'd'; readonly length: number } | undefined;
  readonly same: 'store' | undefined;
  readonly without: Of | undefined;
}

export type Num =
  | {
      readonly of: Of;
      readonly take: 'count' | 'days' | 'daysInRow' | 'streak' | 'sum' | 'min' | 'max' | 'avg';
    }
  | { readonly of: Of; readonly take: 'distinct'; readonly property: string }
  | { readonly of: Of; readonly take: 'weeksWith'; readonly least: number };

export type Rule =
  | { readonly is: 'compare'; readonly left: Num; readonly op: Op; readonly right: number | Num }
  | {
      readonly is: 'ratio' | 'divided';
      readonly left: Num;
      readonly right: Num;
      readonly op: Op;
      readonly bound: number;
    }
  | { readonly is: 'any' | 'firstEver'; readonly of: Of }
  | { readonly is: 'stopped' | 'restarted' | 'dormant'; readonly of: Of; readonly days: number }
  | { readonly is: 'lastIs'; readonly of: Of; readonly store: string }
  | {
      readonly is: 'time';
      readonly of: Of;
      readonly end: Moment['end'];
      readonly op: Op;
      readonly than: string;
    }
  | { readonly is: 'value'; readonly of: Of; readonly end: 'first' | 'last'; readonly store: string }
  | {
      readonly is: 'preferred';
      readonly of: Of;
      readonly halfLife: number;
      readonly store: string;
      readonly equal: boolean;
    }
  | {
      readonly is: 'date';
      /** A trait, or the time of the first or last event. */
      readonly of: 'born' | Moment;
      readonly ask: 'before' | 'on' | 'after' | 'withinLast' | 'withinNext' | 'anniversary';
      readonly day: string;
      readonly days: number;
    }
  | { readonly is: 'trait'; readonly equal: boolean; readonly city: string }
  | {
      readonly is: 'sequence';
      readonly chain: Chain;
      /** Whether it ended in so many days, first or last; else whether it ever did. */
      readonly ended: { readonly end: 'first' | 'last'; readonly days: number } | undefined;
    }
  | { readonly is: 'hasTrait' }
  | { readonly is: 'bucket'; readonly salt: string; readonly of: number; readonly below: number }
  | { readonly is: 'tag'; readonly tag: string }
  | { readonly is: 'and' | 'or'; readonly left: Rule; readonly right: Rule }
  | { readonly is: 'not'; readonly of: Rule }
  | { readonly is: 'kOf'; readonly least: number; readonly of: readonly Rule[] };

export type Op = '>=' | '>' | '<' | '==' | '!=';

const filters: Record<Of['filter'], string> = {
  none: '',
  store: '.where(e, e.store == "A")',
  large: '.where(it, it.amount > 50)',
  channel: '.where(e, e.channel == "shop")',
  both: '.where(e, e.store == "A" && e.amount > 50)',
  pattern: '.where(e, e.store.matches("^[^A]$"))',
  items: '.where(e, e.items.exists(i, i.id == "x" && i.count > 1))',
  weekend: '.where(e, weekday(e) >= 6)',
  evening: '.where(it, hour(it) >= 18 || hour(it) == 2)',
};

function spanText(span: Span): string {
  switch (span.is) {
    case 'ever':
      return '';
    case 'ago':
      return span.to === 0
        ? `.within("${span.from}${span.unit}")`
        : `.between("${span.from}${span.unit}", "${span.to}${span.unit}")`;
    case 'dates':
      return `.from("${span.from}").to("${span.to}")`;
    case 'at': {
      const anchor = span.anchor === 'born' ? 'trait("born")' : momentText(span.anchor);
      return `.within("${span.length}${span.unit}").${span.side}(${anchor})`;
    }
    default: {
      const name = span.is === 'week' ? 'Week' : 'Month';
      return `.${span.back === 0 ? 'this' : 'last'}${name}${span.back > 1 ? `s(${span.back})` : '()'}`;
    }
  }
}

const momentText = ({ of, end }: Moment): string =>
  `${ofText(of)}.${typeof end === 'number' ? `nth(${end})` : `${end}()`}`;

const ofText = ({ type, filter, span }: Of) => `events("${type}")${filters[filter]}${spanText(span)}`;

function numText(num: Num): string {
  const from = ofText(num.of);
  if (num.take === 'distinct') return `${from}.distinct("${num.property}")`;
  if (num.take === 'weeksWith') return `${from}.weeksWith(${num.least})`;
  const needs = ['sum', 'min', 'max', 'avg'].includes(num.take);
  return `${from}.${num.take}(${needs ? '"amount"' : ''})`;
}

export function textOf(rule: Rule): string {
  switch (rule.is) {
    case 'compare': {
      const right = typeof rule.right === 'number' ? `${rule.right}` : numText(rule.right);
      const decimal = rule.left.take === 'avg' && typeof rule.right === 'number';
      return `${numText(rule.left)} ${rule.op} ${right}${decimal && !right.includes('.') ? '.0' : ''}`;
    }
    case 'ratio':
      return `ratio(${numText(rule.left)}, ${numText(rule.right)}) ${rule.op} ${rule.bound.toFixed(2)}`;
    case 'divided':
      return `${numText(rule.left)} / ${numText(rule.right)} ${rule.op} ${rule.bound}`;
    case 'any':
    case 'firstEver':
      return `${ofText(rule.of)}.${rule.is}()`;
    case 'stopped':
    case 'restarted':
    case 'dormant':
      return `${ofText(rule.of)}.${rule.is}("${rule.days}d")`;
    case 'lastIs':
      return `${ofText(rule.of)}.lastIs(last, last.store == "${rule.store}")`;
    case 'time':
      return `${momentText(rule)} ${rule.op} timestamp("${rule.than}")`;
    case 'value':
      return `${ofText(rule.of)}.${rule.end}("store") == "${rule.store}"`;
    case 'preferred':
      return `${ofText(rule.of)}.preference("store", "${rule.halfLife}d") ${rule.equal ? '==' : '!='} "${rule.store}"`;
    case 'date': {
      const of = rule.of === 'born' ? 'trait("born")' : momentText(rule.of);
      const isDay = rule.ask === 'before' || rule.ask === 'on' || rule.ask === 'after';
      return `${of}.${rule.ask}("${isDay ? rule.day : `${rule.days}d`}")`;
    }
    case 'trait':
      return `trait("city") ${rule.equal ? '==' : '!='} "${rule.city}"`;
    case 'sequence': {
      const { steps, within, gap, same, without } = rule.chain;
      const long = ({ unit, length }: Chain['within']) => `"${length}${unit}"`;
      const chain = `sequence(${steps.map(ofText).join(', ')})${without ? `.without(${ofText(without)})` : ''}`;
      const limits = `.within(${long(within)})${gap ? `.gap(${long(gap)})` : ''}${same ? `.same("${same}")` : ''}`;
      const asked = rule.ended ? `${rule.ended.end}().withinLast("${rule.ended.days}d")` : 'any()';
      return `${chain}${limits}.${asked}`;
    }
    case 'hasTrait':
      return 'hasTrait("city")';
    case 'bucket':
      return `bucket("${rule.salt}", ${rule.of}) < ${rule.below}`;
    case 'tag':
      return `hasTag("${rule.tag}")`;
    case 'not':
      return `!(${textOf(rule.of)})`;
    case 'kOf':
      return `kOf(${rule.least}, [${rule.of.map(textOf).join(', ')}])`;
    default:
      return `(${textOf(rule.left)} ${rule.is === 'and' ? '&&' : '||'} ${textOf(rule.right)})`;
  }
}
