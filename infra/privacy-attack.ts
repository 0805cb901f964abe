// npm run privacy:attack: whoever knows everybody but one tries to learn of that one, as each role, against a local run.
import { type Role, role } from '../lib/platform/brand-words.ts';
import { groupSizesFor, may } from '../lib/privacy/roles.ts';
import { loadBrand } from './brands/load.ts';
import { startRun } from './local/brand-run.ts';
import { sendersOf } from './local/demo-accounts.ts';
import { requestsOf, type Step, send } from './local/demo-send.ts';

const DAY = 86_400_000;

/** Beside the target, so many customers, each of whom the attacker knows. */
const KNOWN = 60;
const TARGET = 'target';

type Answers = ReadonlyMap<string, string>;

interface World {
  /** Sends steps and waits until everything that follows from them is there. */
  tell(steps: readonly Step[]): Promise<void>;
  /** What the role is answered: status, and the body if it is one. */
  ask(
    path: string,
    role: Role,
    method?: 'GET' | 'POST',
    body?: string,
  ): Promise<{ status: number; text: string }>;
  /** Waits until what was asked for is worked out. */
  readonly settle: () => Promise<void>;
  readonly now: () => number;
}

/** An order of a member so many days ago: first the target is not in the group of buyers, then they are. */
const order = (member: string, at: number): Step => ({
  at,
  by: 'pos',
  row: {
    type: 'order.paid',
    timestamp: new Date(at).toISOString(),
    data: { order_id: `order-${member}-${at}`, amount: 12_345, currency: 'CNY', member_id: member },
  },
});

/** Whole weeks that are over, by their Mondays. */
function weeks(now: number, count: number): [from: string, to: string][] {
  const today = Math.floor(now / DAY);
  const monday = today - ((today + 3) % 7);
  const name = (day: number) => new Date(day * DAY).toISOString().slice(0, 10);
  return Array.from({ length: count }, (_, i) => [name(monday - 7 * (i + 1)), name(monday - 7 * i - 1)]);
}

/** Everything that an analyst is told that depends on people. */
async function everything({ ask, now }: World): Promise<Answers> {
  const ranges = weeks(now(), 3);
  const all = [...ranges, [ranges.at(-1)?.[0] ?? '', ranges[0]?.[1] ?? ''] as const];
  const reports = all.flatMap(([from, to]) =>
    ['channel', 'campaign', 'scene'].map((by) => `/groups/attribution?from=${from}&to=${to}&by=${by}`),
  );
  const told = new Map<string, string>();
  for (const path of ['/groups', ...reports]) {
    const { status, text } = await ask(path, 'analyst');
    if (status !== 200) throw new Error(`${path} was answered ${status}: ${text}`);
    told.set(path, text);
  }
  return told;
}

/** What would tell of one person, if it were answered: by identifier, by list, by a draft made for it, by day. */
const doors: readonly [method: 'GET' | 'POST', path: string, body?: string][] = [
  ['GET', `/profiles/member_id/${TARGET}`],
  ['GET', `/profiles/member_id/${TARGET}/events`],
  ['GET', `/profiles/member_id/${TARGET}/identity`],
  ['GET', '/tags'],
  ['GET', '/tags/stage/profiles'],
  ['POST', '/rules/one/forecast', 'hasTag("stage") && trait("member_id") == "target"'],
  ['POST', '/rules/other/forecast', 'events("order_paid").any()'],
  ['POST', '/rfm', '{}'],
  ['GET', '/attribution?by=day'],
  ['GET', '/attribution'],
  ['GET', '/reviews'],
  ['GET', '/quarantine'],
  ['GET', '/audit'],
  ['POST', '/exports', '{"tag":"stage","reason":"an attack"}'],
];

/** Steps of the attack, each with what was learned of the target by it. */
export async function attack(world: World): Promise<{ step: string; learned: string[] }[]> {
  const refusals: string[] = [];
  for (const [method, path, body] of doors) {
    const { status } = await world.ask(path, 'analyst', method, body);
    if (status !== 403) refusals.push(`${method} ${path} is answered ${status}`);
  }
  const before = await everything(world);
  const told = [...before.values()].join('').match(/"profiles":\d|"ppm":/g)?.length ?? 0;
  if (told === 0) throw new Error('no group was told of: the attack proves nothing');
  const small = [...before].flatMap(([path, text]) => smallNumbers(text).map((it) => `${path} tells ${it}`));
  const [[lastMonday = ''] = []] = weeks(world.now(), 1);
  await world.tell([order(TARGET, world.now() - DAY / 24), order(TARGET, Date.parse(lastMonday) + DAY)]);
  const found = await world.ask(`/profiles/member_id/${TARGET}`, 'admin');
  if (found.status !== 200) throw new Error('the target did not arrive: the attack proves nothing');
  const after = await everything(world);
  const changed = [...before]
    .filter(([path, text]) => after.get(path) !== text)
    .map(([path]) => `${path} changed`);
  const asPersons: { step: string; learned: string[] }[] = [];
  for (const it of role.options.filter((it) => may(it, 'persons'))) asPersons.push(await attackAs(it, world));
  return [
    { step: `${doors.length} questions about one person, or made for one`, learned: refusals },
    { step: `${before.size} answers with ${told} groups, looked through for fewer than k`, learned: small },
    {
      step: 'the same answers after the target alone bought, today and in a week that was told',
      learned: changed,
    },
    { step: 'weeks and their sum, taken from each other', learned: differences(after) },
    { step: 'sizes of groups, of whoever may not list who is in them', learned: await exactSizes(world) },
    ...asPersons,
  ];
}

/** Roles that are told the size of every group though they may not list it. */
async function exactSizes(world: World): Promise<string[]> {
  const learned: string[] = [];
  for (const it of role.options) {
    const { status } = await world.ask('/tags', it);
    const members = await world.ask('/tags/stage/profiles', it);
    if (status === 200 && members.status !== 200) learned.push(`${it} is told sizes and may not list`);
    if (groupSizesFor[it].held === 'every' && members.status !== 200) learned.push(`${it} has no list`);
  }
  return learned;
}

/** The rule that holds, and drafts of it: with the target, and with so many more that it may be told. */
const TAG = 'first_order_nurture';
const HOLDS = 'events("order_paid").count() == 1 && events("order_paid").within("30d").any()';
const WITH_TARGET = `(${HOLDS}) || events("order_paid").where(e, e.order_id.startsWith("order-${TARGET}-")).any()`;
const FOR_HALF = `(${HOLDS}) && events("order_paid").within("18d").any()`;

/** What a role that may see persons learns of the target by drafts and comparisons, which list nobody. */
async function attackAs(who: Role, world: World): Promise<{ step: string; learned: string[] }> {
  const told = async (path: string, body?: string) => {
    const asked = await world.ask(path, who, 'POST', body);
    if (asked.status !== 202) throw new Error(`${path} was answered ${asked.status}: ${asked.text}`);
    await world.settle();
    const { id } = JSON.parse(asked.text);
    const { forecast, effect, tags, status } = JSON.parse(
      (await world.ask(`${path.split('?')[0]}/${id}`, who)).text,
    );
    if (status !== 'done') throw new Error(`${path} is ${status}: the attack proves nothing`);
    const { cost: _, ...shown } = forecast ?? effect ?? { tags };
    return JSON.stringify(shown);
  };
  const path = `/rules/${TAG}/forecast?days=3`;
  const [without, withTarget, other] = [
    await told(path, HOLDS),
    await told(path, WITH_TARGET),
    await told(path, FOR_HALF),
  ];
  if (other === without) throw new Error('no forecast tells anything: the attack proves nothing');
  const effects = [await told('/effect'), await told(`/tags/${TAG}/effect`)];
  return {
    step: `${who}: drafts with the target and without, and what holders of tags did`,
    learned: [
      ...(withTarget === without ? [] : [`a draft with the target is told otherwise`]),
      ...[without, withTarget, other, ...effects].flatMap(smallNumbers),
    ],
  };
}

/** Sizes of groups that are told although they are less than ten; conversions are in ppm. */
function smallNumbers(text: string): string[] {
  return [...text.matchAll(/"(profiles|ppm|\w+)":(\d+)/g)].flatMap(([all, name, digits]) => {
    const size = name === 'ppm' ? Number(digits) / 1_000_000 : Number(digits);
    const isSize = !['net', 'version', 'told', 'untold', 'k'].includes(name ?? '');
    return isSize && size > 0 && size < 10 ? [all] : [];
  });
}

/** Lines of a range that are not the sum of its weeks: the difference would be a group that nobody may be told of. */
function differences(answers: Answers): string[] {
  return ['channel', 'campaign', 'scene'].flatMap((by) => {
    const reports = [...answers]
      .filter(([path]) => path.endsWith(`by=${by}`))
      .map(([, text]) => JSON.parse(text));
    const sumOf = (list: readonly { rows: { ppm: number }[] }[]) =>
      list.flatMap(({ rows }) => rows).reduce((sum, { ppm }) => sum + ppm, 0);
    const rest = sumOf(reports.slice(-1)) - sumOf(reports.slice(0, -1));
    return rest === 0 ? [] : [`by ${by}, a range less its weeks is ${rest / 1_000_000} conversions`];
  });
}

async function main(): Promise<void> {
  const run = await startRun({ brand: loadBrand('demo') });
  try {
    const senders = sendersOf(run.brand);
    const now = () => run.clock.now();
    const world: World = {
      now,
      async tell(steps) {
        for (const request of requestsOf(steps, senders, now())) await send(run.url, request);
        await run.idle();
      },
      settle: async () => void (await run.idle()),
      async ask(path, who, method = 'GET', body) {
        const headers = { authorization: `Bearer ${run.keys[who]}`, 'x-reason': 'privacy attack' };
        const reply = await fetch(`${run.url}${path}`, { method, headers, ...(body && { body }) });
        return { status: reply.status, text: await reply.text() };
      },
    };
    const [[monday = ''] = []] = weeks(now(), 1);
    await world.tell(
      Array.from({ length: KNOWN }, (_, i) => order(`known-${i}`, Date.parse(monday) - (i % 14) * DAY + DAY)),
    );
    const steps = await attack(world);
    for (const { step, learned } of steps) {
      process.stdout.write(`${step}: ${learned.length === 0 ? 'nothing' : ''}\n`);
      for (const it of learned) process.stdout.write(`  ${it}\n`);
    }
    const count = steps.reduce((sum, { learned }) => sum + learned.length, 0);
    process.stdout.write(`learned of the target: ${count === 0 ? 'nothing' : count}\n`);
    if (count > 0) process.exitCode = 1;
  } finally {
    await run.stop();
  }
}

if (import.meta.main) await main();
