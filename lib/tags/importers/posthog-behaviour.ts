import { z } from 'zod';
import type { NamedEvent } from '../../channels/segment-names.ts';
import { type Desk, days, eventsNamed, ImportError, quoted, rolling, wholeIn } from './words.ts';

const behaviour = z.looseObject({
  key: z.union([z.string(), z.number().transform(String)]),
  value: z.string(),
  event_type: z.string().nullish(),
  event_filters: z.array(z.unknown()).nullish(),
  explicit_datetime: z.string().nullish(),
  time_value: z.unknown().optional(),
  time_interval: z.string().nullish(),
  operator: z.string().nullish(),
  operator_value: z.unknown().optional(),
  seq_event: z.string().nullish(),
  seq_event_type: z.string().nullish(),
  seq_time_value: z.unknown().optional(),
  seq_time_interval: z.string().nullish(),
  min_periods: z.unknown().optional(),
  total_periods: z.unknown().optional(),
});
type Behaviour = z.infer<typeof behaviour>;

/** The event of a name, and the condition that all filters make; an empty condition asks nothing. */
type ReadEvent = (name: string, filters: readonly unknown[]) => { event: NamedEvent; where: string };

interface Asked extends Behaviour {
  readonly node: string;
  readonly desk: Desk;
  readonly events: string;
  readonly isFiltered: boolean;
  /** Another event, without filters. */
  readonly other: (name: string) => string;
}

/** What somebody did, or did no more. @throws ImportError for what cannot be said */
export function behaviourOf(input: unknown, node: string, desk: Desk, read: ReadEvent): string {
  const said = behaviour.safeParse(input);
  if (!said.success) throw new ImportError(node, 'a behaviour has a key, its event, and a value, its kind');
  const { key, value, event_type, event_filters, seq_event_type } = said.data;
  if (event_type === 'actions' || seq_event_type === 'actions')
    throw new ImportError(node, 'it reads an action: write the events that the action stands for');
  const filters = event_filters ?? [];
  const { event, where } = read(key, filters);
  const word = Object.hasOwn(kinds, value) ? kinds[value] : undefined;
  if (!word) throw new ImportError(node, `the behaviour ${value} cannot be said`);
  return word({
    ...said.data,
    node,
    desk,
    events: `${eventsNamed(event)}${where === '' ? '' : `.where(e, ${where})`}`,
    isFiltered: filters.length > 0,
    other: (name) => eventsNamed(read(name, []).event),
  });
}

const kinds: Readonly<Record<string, (asked: Asked) => string>> = {
  performed_event: (it) => `${it.events}.within(${sinceDay(it)}).any()`,

  performed_event_multiple: (it) => counted(`${it.events}.within(${sinceNow(it)})`, it),

  performed_event_first_time(it) {
    if (it.isFiltered)
      throw new ImportError(
        it.node,
        'PostHog takes the first event of all and then filters: firstEver() filters first',
      );
    return `${it.events}.within(${sinceDay(it)}).firstEver()`;
  },

  performed_event_sequence(it) {
    if (!it.seq_event) throw new ImportError(it.node, 'the second event, seq_event, is missing');
    if (it.isFiltered)
      throw new ImportError(
        it.node,
        'PostHog leaves out the filters of a sequence: so it is not clear what is meant',
      );
    it.desk.note(
      `${it.node}: a sequence counts by its last event: one that began before the window and ended in it counts here, and not in PostHog`,
    );
    const within = rolling(secondsOf(it.seq_time_value, it.seq_time_interval, it.node), it.node, it.desk);
    const steps = `sequence(${it.events}, ${it.other(it.seq_event)}).within(${within})`;
    return `${steps}.last().withinLast(${sinceDay(it)})`;
  },

  stopped_performing_event: (it) =>
    `(${it.events}.within(${sinceDay(it)}).any() && !${it.events}.within(${days(recent(it) + 1, it.node)}).any())`,

  restarted_performing_event(it) {
    const { events, node } = it;
    const now = days(recent(it) + 1, node);
    const before = `${events}.between(${sinceDay(it)}, ${days(recent(it), node)})`;
    return `(${events}.within(${now}).any() && !${events}.within(${now}).firstEver() && !${before}.any())`;
  },

  performed_event_regularly(it) {
    const { node, events } = it;
    const length = daysIn(it.time_value, it.time_interval, node);
    if (it.time_interval !== 'day')
      throw new ImportError(
        node,
        `periods of a ${it.time_interval}: write lastWeeks(8).weeksWith(3) >= 6, which counts whole weeks from Monday`,
      );
    const least = wholeIn(it.min_periods, node);
    const total = wholeIn(it.total_periods, node);
    if (least > total || total > 40)
      throw new ImportError(node, `${least} of ${total} periods: at most 40, and no more than all`);
    const periods = Array.from({ length: total }, (_, i) =>
      counted(`${events}.between(${days(length * (i + 1) + 1, node)}, ${days(length * i + 1, node)})`, it),
    );
    return `kOf(${least}, [${periods.join(', ')}])`;
  },
};

/** How often; PostHog counts only those who did it at all. */
function counted(events: string, { operator, operator_value, node }: Asked): string {
  const count = wholeIn(operator_value, node);
  switch (operator ?? 'exact') {
    case 'gte':
      return `${events}.count() >= ${count}`;
    case 'gt':
      return `${events}.count() > ${count}`;
    case 'lte':
      return `(${events}.any() && ${events}.count() <= ${count})`;
    case 'lt':
      return `(${events}.any() && ${events}.count() < ${count})`;
    case 'eq':
    case 'exact':
      return `${events}.count() == ${count}`;
    default:
      throw new ImportError(node, `the operator ${operator} cannot be said of a count`);
  }
}

/** From the beginning of the day so many days ago until now, as PostHog's insights count: a day more than its number. */
function sinceDay(it: Asked): string {
  it.desk.note("days are those of the brand's time zone, not of the PostHog project's");
  if (it.explicit_datetime) return days(relativeDays(it.explicit_datetime, it.node) + 1, it.node);
  return days(daysIn(it.time_value, it.time_interval, it.node) + 1, it.node);
}

/** From the instant so many times 24 hours ago until now. */
function sinceNow({ explicit_datetime, time_value, time_interval, node, desk }: Asked): string {
  const length = explicit_datetime
    ? relativeDays(explicit_datetime, node)
    : daysIn(time_value, time_interval, node);
  return rolling(length * 86_400, node, desk);
}

const recent = ({ seq_time_value, seq_time_interval, node }: Asked) =>
  daysIn(seq_time_value, seq_time_interval, node);

function relativeDays(text: string, node: string): number {
  const [, count, unit] = /^-(\d{1,4})([dw])$/.exec(text) ?? [];
  if (count === undefined)
    throw new ImportError(
      node,
      `explicit_datetime ${quoted(text)}: only days and weeks back (-30d, -4w) can be said`,
    );
  return Number(count) * (unit === 'w' ? 7 : 1);
}

function daysIn(value: unknown, interval: string | null | undefined, node: string): number {
  const count = wholeIn(value, node);
  if (interval === 'day') return count;
  if (interval === 'week') return count * 7;
  throw new ImportError(
    node,
    `${count} ${interval ?? '?'}: only days and weeks have one length; write the days, or lastMonths(n)`,
  );
}

const seconds: Readonly<Record<string, number>> = { minute: 60, hour: 3600, day: 86_400, week: 604_800 };

function secondsOf(value: unknown, interval: string | null | undefined, node: string): number {
  const count = wholeIn(value, node);
  const each = seconds[interval ?? ''];
  if (each === undefined)
    throw new ImportError(node, `${count} ${interval ?? '?'} between two events: write the days`);
  return count * each;
}
