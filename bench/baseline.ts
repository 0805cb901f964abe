// What the pipeline is measured against: the service that one would write in an afternoon. Fastify takes one event a
// request, SQLite drops what it has seen and adds up a row for each customer. No identity, no windows, no rules.
import { DatabaseSync } from 'node:sqlite';
import fastify from 'fastify';

const database = new DatabaseSync(process.argv[2] ?? ':memory:');
database.exec(`
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = NORMAL;
  CREATE TABLE events (id TEXT PRIMARY KEY, profile TEXT NOT NULL, type TEXT NOT NULL, at TEXT NOT NULL, properties TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE profiles (id TEXT PRIMARY KEY, first TEXT NOT NULL, last TEXT NOT NULL, events INTEGER NOT NULL, orders INTEGER NOT NULL, paid INTEGER NOT NULL) WITHOUT ROWID;
`);
const insert = database.prepare('INSERT OR IGNORE INTO events VALUES (?, ?, ?, ?, ?)');
const upsert = database.prepare(`
  INSERT INTO profiles VALUES (?, ?, ?, 1, ?, ?)
  ON CONFLICT (id) DO UPDATE SET first = min(first, excluded.first), last = max(last, excluded.last),
    events = events + 1, orders = orders + excluded.orders, paid = paid + excluded.paid`);

interface Body {
  id: string;
  profile: string;
  type: string;
  at: string;
  properties: { paid_amount?: number };
}
const text = { type: 'string', minLength: 1 } as const;
const schema = {
  body: {
    type: 'object',
    required: ['id', 'profile', 'type', 'at', 'properties'],
    properties: { id: text, profile: text, type: text, at: text, properties: { type: 'object' } },
  },
};

const app = fastify({ logger: false });
app.post<{ Body: Body }>('/events', { schema }, (request, reply) => {
  const { id, profile, type, at, properties } = request.body;
  const isOrder = type === 'order_paid';
  database.exec('BEGIN');
  if (insert.run(id, profile, type, at, JSON.stringify(properties)).changes > 0)
    upsert.run(profile, at, at, isOrder ? 1 : 0, isOrder ? (properties.paid_amount ?? 0) : 0);
  database.exec('COMMIT');
  reply.send({ ok: true });
});

const url = await app.listen({ port: 0, host: '127.0.0.1' });
process.on('message', (asked) => {
  const { user, system } = process.cpuUsage();
  process.send?.({ cpuMs: (user + system) / 1000, asked });
});
process.send?.({ url });
