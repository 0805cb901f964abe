import type { ASTNode } from '@marcbachmann/cel-js';

/** What in a rule points to a person: a value that does, or a trait that tells one. */
export interface PersonalFinding {
  readonly what: 'value' | 'trait';
  /** `a phone number`, or the trait's name; never the value itself. */
  readonly of: string;
  readonly start: number;
}

/** Values that belong to one person. A pattern that is searched for, such as `@example\.com$`, is none of them. */
const values: readonly { readonly of: string; readonly pattern: RegExp }[] = [
  { of: 'an identity card number', pattern: /(?<!\w)\d{6}(19|20)\d\d(0[1-9]|1[0-2])[0-3]\d{4}[\dXx](?!\w)/ },
  { of: 'a phone number', pattern: /(?<![\w])((\+|00)?86[- ]?)?1[3-9]\d[- ]?\d{4}[- ]?\d{4}(?!\w)/ },
  { of: 'a phone number', pattern: /^\+\d{8,15}$/ },
  { of: 'an e-mail address', pattern: /[\w.%+-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}/ },
  { of: 'a WeChat identifier', pattern: /^o[\w-]{27}$/ },
  { of: 'a WeCom identifier', pattern: /^w[mo][\w-]{30}$/ },
];

/** Traits that name or reach one person. To ask whether there is one tells nothing, what it is does. */
const traits: ReadonlySet<string> = new Set([
  ...['phone', 'mobile', 'mobile_phone', 'tel', 'email', 'name', 'real_name', 'full_name', 'first_name'],
  ...['last_name', 'nickname', 'id_card', 'id_number', 'id_no', 'passport', 'address', 'street', 'wechat'],
  ...['wechat_id', 'openid', 'unionid', 'external_userid', 'bank_card', 'license_plate'],
]);

/** Everything in an expression that points to a person. Whole numbers of the form of a mobile number count too. */
export function personalIn(ast: ASTNode): PersonalFinding[] {
  const found: PersonalFinding[] = [];
  const visit = (node: ASTNode): void => {
    const of = node.op === 'value' ? kindOf(node.args) : undefined;
    if (of !== undefined) found.push({ what: 'value', of, start: node.start });
    const trait = traitOf(node);
    if (trait !== undefined) found.push({ what: 'trait', of: trait, start: node.start });
    for (const part of partsOf(node)) visit(part);
  };
  visit(ast);
  return found;
}

function kindOf(value: unknown): string | undefined {
  if (typeof value !== 'string' && typeof value !== 'bigint') return undefined;
  return values.find(({ pattern }) => pattern.test(`${value}`))?.of;
}

function traitOf(node: ASTNode): string | undefined {
  if (node.op !== 'call' || node.args[0] !== 'trait') return undefined;
  const [name] = node.args[1];
  return name?.op === 'value' && typeof name.args === 'string' && traits.has(name.args.toLowerCase())
    ? name.args
    : undefined;
}

function partsOf(node: ASTNode): readonly ASTNode[] {
  switch (node.op) {
    case 'value':
    case 'id':
      return [];
    case '.':
    case '.?':
      return [node.args[0]];
    case 'call':
      return node.args[1];
    case 'rcall':
      return [node.args[1], ...node.args[2]];
    case 'map':
      return node.args.flat();
    case '!_':
    case '-_':
      return [node.args];
    default:
      return node.args;
  }
}
