/**
 * Patterns in a subset of RE2: literals, `.`, classes, `\d \w \s` and their opposites, groups, `|`, `* + ? {n,m}`, `^`
 * and `$`, and `(?i)` at the beginning. A pattern becomes an automaton that reads a text once, all ways at a time: what
 * it costs is its size times the text's length, whatever either says. Nothing is tried again.
 */
export type Pattern = (text: string) => boolean;

/** Steps of an automaton, once repetitions are written out. */
const MAX_SIZE = 500;
const MAX_REPEAT = 100;

type Test = (code: number) => boolean;
type Node =
  | { readonly is: 'one'; readonly test: Test }
  | { readonly is: 'edge'; readonly at: 'start' | 'end' }
  | { readonly is: 'all' | 'any'; readonly of: readonly Node[] }
  | Repeat;
interface Repeat {
  readonly is: 'repeat';
  readonly of: Node;
  readonly least: number;
  readonly most: number;
}

/** One step: read a character, go on at two places, or stand at an edge of the text. The last is the end. */
type Step =
  | { readonly is: 'one'; readonly test: Test }
  | { readonly is: 'edge'; readonly at: 'start' | 'end' }
  | { readonly is: 'fork'; to: readonly number[] }
  | { readonly is: 'end' };

/** @throws Error that says what the subset has not, or that the pattern is too large */
export function patternOf(source: string): Pattern {
  const ignoreCase = source.startsWith('(?i)');
  const parser = new Parser(ignoreCase ? source.slice(4) : source, ignoreCase);
  const steps: Step[] = [];
  write(parser.whole(), steps);
  steps.push({ is: 'end' });
  return (text) => found(steps, text);
}

class Parser {
  private place = 0;
  private readonly source: readonly string[];
  private readonly ignoreCase: boolean;

  constructor(source: string, ignoreCase: boolean) {
    this.source = [...source];
    this.ignoreCase = ignoreCase;
  }

  whole(): Node {
    const node = this.alternatives();
    if (this.next !== undefined) throw new Error('a ) without its (');
    return node;
  }

  private get next(): string | undefined {
    return this.source[this.place];
  }

  private take(expected?: string): string {
    const char = this.next;
    if (char === undefined || (expected !== undefined && char !== expected))
      throw new Error(expected === undefined ? 'it ends too early' : `a ${expected} is missing`);
    this.place++;
    return char;
  }

  private follows(char: string): boolean {
    if (this.next !== char) return false;
    this.place++;
    return true;
  }

  private alternatives(): Node {
    const of = [this.row()];
    while (this.follows('|')) of.push(this.row());
    return of.length === 1 && of[0] ? of[0] : { is: 'any', of };
  }

  private row(): Node {
    const of: Node[] = [];
    while (this.next !== undefined && this.next !== '|' && this.next !== ')') of.push(this.repeated());
    return { is: 'all', of };
  }

  private repeated(): Node {
    const of = this.single();
    const bounds = this.bounds();
    if (!bounds) return of;
    if (of.is === 'edge' || this.bounds() || this.next === '?')
      throw new Error('a repetition stands behind a character, a class or a group, once');
    return { is: 'repeat', of, ...bounds };
  }

  private bounds(): { least: number; most: number } | undefined {
    if (this.follows('*')) return { least: 0, most: Number.POSITIVE_INFINITY };
    if (this.follows('+')) return { least: 1, most: Number.POSITIVE_INFINITY };
    if (this.follows('?')) return { least: 0, most: 1 };
    if (!this.follows('{')) return undefined;
    let text = '';
    while (this.next !== '}') text += this.take();
    this.take('}');
    const [, least, comma, most] = /^(\d{1,3})(,?)(\d{1,3})?$/.exec(text) ?? [];
    const from = Number(least);
    const to = comma ? (most === undefined ? Number.POSITIVE_INFINITY : Number(most)) : from;
    if (least === undefined || from > to || from > MAX_REPEAT || (to > MAX_REPEAT && Number.isFinite(to)))
      throw new Error(`repetitions are {n}, {n,} or {n,m}, up to ${MAX_REPEAT}`);
    return { least: from, most: to };
  }

  private single(): Node {
    const char = this.take();
    if (char === '^' || char === '$') return { is: 'edge', at: char === '^' ? 'start' : 'end' };
    if (char === '(') {
      if (this.follows('?') && !this.follows(':'))
        throw new Error('there is no look-around and no named group');
      const node = this.alternatives();
      this.take(')');
      return node;
    }
    if ('*+?{'.includes(char)) throw new Error('a repetition stands behind a character, a class or a group');
    return { is: 'one', test: this.inCase(this.test(char)) };
  }

  private test(char: string): Test {
    if (char === '.') return (code) => code !== 10;
    if (char === '[') return this.set();
    return char === '\\' ? this.escaped() : is(char);
  }

  private escaped(): Test {
    const char = this.take();
    const named = classes[char.toLowerCase()];
    if (named) return char === char.toLowerCase() ? named : (code) => !named(code);
    const control = { n: '\n', t: '\t', r: '\r' }[char];
    if (control === undefined && /[A-Za-z0-9]/.test(char)) throw new Error(`there is no \\${char}`);
    return is(control ?? char);
  }

  private set(): Test {
    const isOther = this.follows('^');
    const tests: Test[] = [];
    do {
      const char = this.take();
      if (char === '\\') tests.push(this.escaped());
      else if (this.next === '-' && this.source[this.place + 1] !== ']') {
        this.take('-');
        tests.push(between(codeOf(char), codeOf(this.plain())));
      } else tests.push(is(char));
    } while (!this.follows(']'));
    return (code) => tests.some((test) => test(code)) !== isOther;
  }

  private plain(): string {
    const char = this.take();
    if (char === '\\') throw new Error('a range ends with a plain character');
    return char;
  }

  private inCase(test: Test): Test {
    if (!this.ignoreCase) return test;
    return (code) => {
      const char = String.fromCodePoint(code);
      return test(code) || test(codeOf(char.toLowerCase())) || test(codeOf(char.toUpperCase()));
    };
  }
}

const codeOf = (char: string): number => char.codePointAt(0) ?? 0;
const is =
  (char: string): Test =>
  (code) =>
    code === codeOf(char);
function between(from: number, to: number): Test {
  if (from > to) throw new Error('a range goes upwards');
  return (code) => code >= from && code <= to;
}
const [digit, upper, lower] = [between(48, 57), between(65, 90), between(97, 122)];
const classes: Record<string, Test> = {
  d: digit,
  w: (code) => digit(code) || upper(code) || lower(code) || code === 95,
  s: (code) => code === 32 || code === 9 || code === 10 || code === 12 || code === 13,
};

/** Writes a node's steps behind those there are; it ends where they end. */
function write(node: Node, steps: Step[]): void {
  if (steps.length > MAX_SIZE) throw new Error('it is too large');
  if (node.is === 'one' || node.is === 'edge') steps.push(node);
  else if (node.is === 'repeat') writeRepeat(node, steps);
  else if (node.is === 'any') writeAny(node.of, steps);
  else for (const it of node.of) write(it, steps);
}

function writeAny(of: readonly Node[], steps: Step[]): void {
  const ends = of.map((it) => {
    const fork = forkAt(steps);
    write(it, steps);
    const end = forkAt(steps);
    fork.to = [...fork.to, steps.length];
    return end;
  });
  steps.push({ is: 'fork', to: [] }); // no way is left over
  for (const end of ends) end.to = [steps.length];
}

function writeRepeat({ of, least, most }: Repeat, steps: Step[]): void {
  for (let i = 0; i < least; i++) write(of, steps);
  if (!Number.isFinite(most)) {
    const fork = forkAt(steps);
    write(of, steps);
    steps.push({ is: 'fork', to: [steps.indexOf(fork)] });
    fork.to = [...fork.to, steps.length];
    return;
  }
  const forks = Array.from({ length: most - least }, () => {
    const fork = forkAt(steps);
    write(of, steps);
    return fork;
  });
  for (const fork of forks) fork.to = [...fork.to, steps.length];
}

/** A step that goes on behind itself, and where else is said later. */
function forkAt(steps: Step[]): Step & { is: 'fork' } {
  const fork: Step & { is: 'fork' } = { is: 'fork', to: [steps.length + 1] };
  steps.push(fork);
  return fork;
}

/** Whether the pattern is somewhere in the text. */
function found(steps: readonly Step[], text: string): boolean {
  const codes = [...text].map(codeOf);
  let places = new Set<number>();
  for (let i = 0; ; i++) {
    enter(steps, 0, places, i, codes.length); // it may begin anywhere
    if (places.has(steps.length - 1)) return true;
    const code = codes[i];
    if (code === undefined) return false;
    const next = new Set<number>();
    for (const place of places) {
      const step = steps[place];
      if (step?.is === 'one' && step.test(code)) enter(steps, place + 1, next, i + 1, codes.length);
    }
    places = next;
  }
}

/** Adds a place and all that can be reached from it without reading. */
function enter(steps: readonly Step[], from: number, places: Set<number>, at: number, end: number): void {
  const open = [from];
  for (let place = open.pop(); place !== undefined; place = open.pop()) {
    if (places.has(place)) continue;
    places.add(place);
    const step = steps[place];
    if (step?.is === 'fork') open.push(...step.to);
    if (step?.is === 'edge' && at === (step.at === 'start' ? 0 : end)) open.push(place + 1);
  }
}
