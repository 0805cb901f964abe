import type { Event } from '../events/event.ts';
import type { Person, Rules } from './person.ts';

/** The tag that names a person's place in the lifecycle, where the brand has such a rule. */
export const STAGE = 'stage';

/**
 * What a person did on one brand-day, of what changes seldom: enough for the day's KPIs without a write for each
 * event. A function of the day's events in time order.
 */
export interface Activity {
  /** The brand-day's number, as the calendar counts. */
  readonly day: number;
  readonly firstAt: string;
  readonly firstChannel: string;
  /** Whether this is the first brand-day on which the person was seen at all. */
  readonly isNew: boolean;
  /** The stage in which the person was at the first activity of the day. */
  readonly stage?: string;
  /** Conversions whose amount is known: one that is pending is told again with it, and is one order then. */
  readonly orders: number;
  /** Minor units by currency: what was converted, less what was taken back. */
  readonly money: Readonly<Record<string, number>>;
}

/** Whether an event is money for the brand's books, which nobody has to allow: an order, or what takes one back. */
export const isBooked = ({ type }: Pick<Event, 'type'>, { conversions }: Rules['brand']): boolean =>
  conversions.some((it) => it.event === type || it.refund?.event === type);

/** The day's activity with one more event; `person` has already seen it. */
export function foldActivity(
  activity: Activity | undefined,
  event: Event,
  person: Person,
  { book, brand }: Rules,
): Activity {
  const day = book.calendar.brandDay(Date.parse(event.occurredAt));
  const today: Activity =
    activity?.day === day
      ? activity
      : {
          day,
          ...stageOf(person),
          firstAt: event.occurredAt,
          firstChannel: event.source.channel,
          isNew: person.first !== undefined && book.calendar.brandDay(Date.parse(person.first.at)) === day,
          orders: 0,
          money: {},
        };
  const paid = brand.conversions.find((it) => it.event === event.type);
  const refunded = brand.conversions.find((it) => it.refund?.event === event.type);
  const currency = event.properties[(paid ?? refunded)?.currency ?? ''];
  const amount =
    integer(paid?.value && event.properties[paid.value]) -
    integer(refunded?.refund && event.properties[refunded.refund.value]);
  return {
    ...today,
    orders: today.orders + (paid && event.properties.amount_pending !== true ? 1 : 0),
    money:
      amount === 0 || typeof currency !== 'string'
        ? today.money
        : { ...today.money, [currency]: (today.money[currency] ?? 0) + amount },
  };
}

const stageOf = (person: Person): { stage?: string } => {
  const stage = person.tags.get(STAGE)?.value;
  return typeof stage === 'string' ? { stage } : {};
};

const integer = (value: unknown): number =>
  typeof value === 'number' && Number.isSafeInteger(value) ? value : 0;
