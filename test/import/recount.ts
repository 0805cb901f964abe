// What the reference files hold, counted by other means: csv-parse in one piece and whole numbers, nothing of lib/import.
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { parse } from 'csv-parse/sync';

export interface Person {
  readonly kind: string;
  readonly value: string;
  readonly scope?: string;
  events: number;
  /** Minor units. */
  paid: bigint;
  refunded: bigint;
}

export interface Recount {
  readonly events: number;
  readonly refusedRows: number;
  readonly purchases: number;
  readonly paid: bigint;
  readonly refunds: number;
  readonly refunded: bigint;
  /** Purchases with a touch in the 30 days before them. */
  readonly attributed: number;
  readonly people: ReadonlyMap<string, Person>;
}

type Row = Record<string, string>;

export function rowsOf(file: string): Row[] {
  const bytes = readFileSync(file);
  return parse(file.endsWith('.gz') ? gunzipSync(bytes) : bytes, { columns: true });
}

/** A decimal of at most four places in ten-thousandths. */
function tenThousandths(text: string): bigint {
  const [whole = '0', fraction = ''] = text.replace('-', '').split('.');
  const size = BigInt(whole) * 10_000n + BigInt(fraction.padEnd(4, '0'));
  return text.startsWith('-') ? -size : size;
}

/** To hundredths, halves away from zero. */
function cents(ofTenThousandths: bigint): bigint {
  const size = ofTenThousandths < 0n ? -ofTenThousandths : ofTenThousandths;
  const whole = size / 100n + (size % 100n >= 50n ? 1n : 0n);
  return ofTenThousandths < 0n ? -whole : whole;
}

const DAYS_30 = 30 * 86_400_000;

function openTally() {
  const people = new Map<string, Person>();
  const totals = { events: 0, purchases: 0, paid: 0n, refunds: 0, refunded: 0n };
  return {
    people,
    totals,
    put(who: Pick<Person, 'kind' | 'value' | 'scope'>, paid: bigint | undefined, refunded?: bigint) {
      const key = `${who.kind} ${who.value}`;
      const person = people.get(key) ?? { ...who, events: 0, paid: 0n, refunded: 0n };
      people.set(key, person);
      person.events += 1;
      totals.events += 1;
      if (paid !== undefined) {
        totals.purchases += 1;
        totals.paid += paid;
        person.paid += paid;
      }
      if (refunded !== undefined) {
        totals.refunds += 1;
        totals.refunded += refunded;
        person.refunded += refunded;
      }
    },
  };
}

/** user, ts, kind, channel, ref, value: touches and baskets of households. */
export function recountJourneys(rows: readonly Row[]): Recount {
  const tally = openTally();
  const touches = new Map<string, number[]>();
  for (const { user = '', ts = '', kind, value = '' } of rows) {
    tally.put(
      { kind: 'member_id', value: user },
      kind === 'conversion' ? cents(tenThousandths(value)) : undefined,
    );
    if (kind === 'touch') touches.set(user, [...(touches.get(user) ?? []), Date.parse(ts)]);
  }
  const attributed = rows.filter(({ user = '', ts = '', kind }) => {
    const at = Date.parse(ts);
    return kind === 'conversion' && touches.get(user)?.some((touch) => touch <= at && touch >= at - DAYS_30);
  }).length;
  return { ...tally.totals, refusedRows: 0, attributed, people: tally.people };
}

/** Lines of invoices. Refused: corrections of the stock (nobody, no money) and of the books (A…). */
export function recountInvoices(rows: readonly Row[]): Recount {
  const invoices = new Map<string, { customer: string; sum: bigint; lines: number }>();
  for (const { InvoiceNo = '', CustomerID = '', Quantity = '', UnitPrice = '' } of rows) {
    const invoice = invoices.get(InvoiceNo) ?? { customer: CustomerID, sum: 0n, lines: 0 };
    invoices.set(InvoiceNo, invoice);
    invoice.sum += BigInt(Quantity) * tenThousandths(UnitPrice);
    invoice.lines += 1;
  }
  const tally = openTally();
  let refusedRows = 0;
  for (const [number, { customer, sum, lines }] of invoices) {
    const who = customer
      ? { kind: 'customer_id', value: customer }
      : { kind: 'anonymous_id', scope: 'invoice', value: number };
    if (number.startsWith('A') || (!customer && sum === 0n)) refusedRows += lines;
    else if (number.startsWith('C')) tally.put(who, undefined, -cents(sum));
    else tally.put(who, cents(sum));
  }
  return { ...tally.totals, refusedRows, attributed: 0, people: tally.people };
}
