// npm run attribution -- spend FILE.csv: puts what channels and campaigns cost into a running brand.
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { type SpendLine, spendLine } from '../lib/attribution/spend.ts';
import { type CsvRecord, csvReader } from '../lib/import/csv.ts';
import { decimalOf, rounded } from '../lib/import/decimal.ts';
import { eachLine } from './file-lines.ts';
import { type ApiTarget, AwayError, connection, UsageError } from './rules-ask.ts';

/** Lines of one request, as many as the API takes. */
const AT_ONCE = 2_000;
/** Digits after the point of most currencies; of others `amount` is said in minor units. */
const DIGITS = 2;

const columns = ['day', 'channel', 'campaign', 'amount', 'cost'];

/**
 * Reads what was spent from CSV: columns `day` (a brand-day), `channel`, `campaign` (may be empty or missing), and
 * either `amount` in minor units or `cost` as a decimal with at most `digits` digits. Lines of the same day, channel
 * and campaign in one file are added up: a file is the whole of what it speaks of.
 *
 * @throws UsageError that names the line and what is wrong with it
 */
export function spendReader(digits = DIGITS) {
  const reader = csvReader(',');
  const found = new Map<string, SpendLine>();
  let head: readonly string[] | undefined;

  const take = (record: CsvRecord) => {
    if ('reason' in record) throw new UsageError(`line ${record.line}: ${record.message}`);
    if (!head) {
      head = headOf(record.cells);
      return;
    }
    const cells = Object.fromEntries(head.map((name, i) => [name, record.cells[i]?.trim() ?? '']));
    const line = lineOf(cells, record.line, digits);
    const name = JSON.stringify([line.day, line.channel, line.campaign]);
    const known = found.get(name);
    found.set(name, known ? { ...line, amount: line.amount + known.amount } : line);
  };

  return {
    take: (text: string) => reader.take(text.replace(/\r$/, '')).forEach(take),
    end(): SpendLine[] {
      reader.end().forEach(take);
      return [...found.values()];
    },
  };
}

function headOf(cells: readonly string[]): string[] {
  const head = cells.map((cell) =>
    cell
      .replace(/^\uFEFF/, '')
      .trim()
      .toLowerCase(),
  );
  const unknown = head.filter((name) => !columns.includes(name));
  const hasMoney = head.includes('amount') !== head.includes('cost');
  if (unknown.length > 0 || !head.includes('day') || !head.includes('channel') || !hasMoney)
    throw new UsageError('line 1: the columns are day, channel, campaign, and amount (minor units) or cost');
  return head;
}

function lineOf(cells: Readonly<Record<string, string>>, line: number, digits: number): SpendLine {
  const { day, channel, campaign, amount = '', cost } = cells;
  const said = decimalOf(cost ?? amount);
  const places = cost === undefined ? 0 : digits;
  if (!said || said.scale > places)
    throw new UsageError(
      `line ${line}: ${cost === undefined ? 'amount is a whole number' : `cost has at most ${digits} digits after the point`}`,
    );
  const parsed = spendLine.safeParse({
    day,
    channel,
    ...(campaign && { campaign }),
    amount: rounded(said, places),
  });
  if (parsed.success) return parsed.data;
  const [{ path = [], message } = {}] = parsed.error.issues;
  throw new UsageError(`line ${line}: ${String(path[0])}: ${message}`);
}

/** Puts lines into a brand, a request after the other; putting them again changes nothing. */
async function putSpend(spend: readonly SpendLine[], { url, key }: ApiTarget): Promise<void> {
  for (let at = 0; at < spend.length; at += AT_ONCE) {
    const reply = await fetch(new URL('spend', url), {
      method: 'PUT',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ spend: spend.slice(at, at + AT_ONCE) }),
    }).catch(() => {
      throw new AwayError(`nobody answers at ${url}`);
    });
    if (reply.status >= 500) throw new AwayError(`${url} answers ${reply.status}: try again`);
    if (reply.ok) continue;
    const refused = refusal.safeParse(await reply.json());
    throw new UsageError(refused.success ? refused.data.error.message : `${url} answers ${reply.status}`);
  }
}

const refusal = z.object({ error: z.object({ message: z.string() }) });

/** The command, as it was asked for. @returns what it prints */
export async function spend(
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<string> {
  const { values, positionals } = connection.parse(() =>
    parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: { ...connection.options, digits: { type: 'string', default: String(DIGITS) } },
    }),
  );
  const [file, ...more] = positionals;
  if (file === undefined || more.length > 0) throw new UsageError('say: spend FILE.csv');
  const digits = z.coerce.number().int().min(0).max(4).safeParse(values.digits);
  if (!digits.success) throw new UsageError('--digits is 0 to 4');
  const reader = spendReader(digits.data);
  await eachLine(file, reader.take);
  const lines = reader.end();
  if (lines.length === 0) throw new UsageError(`${file} has no line`);
  await putSpend(lines, connection.target(values, env));
  return `${lines.length} lines of spend were put\n`;
}
