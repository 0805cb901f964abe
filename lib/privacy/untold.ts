/** Numbers of people, by name. */
export type Sizes = Readonly<Record<string, number>>;

/**
 * Which numbers of an answer may not be told. Those of fewer than k people; and, of numbers that an equation ties, the
 * smallest others too, until all that it leaves open is at least two numbers and k people together: so no sum and no
 * difference of what is told is a group of fewer than k.
 *
 * @param ties names of numbers of which any one follows from the others; a number that is not shown stands among them
 *   where a difference would tell it
 * @param known numbers that whoever asks knows anyway: leaving them out hides nothing
 * @param price how much an answer loses without a number: the cheapest are left out first, of these the smallest
 * @example untold({ all: 100, a: 93, b: 7 }, [['all', 'a', 'b']], 10)   // b, and a: 100 - 93 would be b
 */
export function untold(
  sizes: Sizes,
  ties: readonly (readonly string[])[],
  k: number,
  known: ReadonlySet<string> = new Set(),
  price: (name: string) => number = () => 0,
): ReadonlySet<string> {
  const names = Object.keys(sizes);
  const sizeOf = (name: string) => sizes[name] ?? 0;
  const left = new Set(names.filter((name) => sizeOf(name) < k));
  if (k <= 1) return left; // of one person all may be told: there is nothing to guard
  for (let before = -1; before !== left.size; ) {
    before = left.size;
    for (const tie of ties) {
      const open = tie.filter((name) => left.has(name) && !known.has(name));
      const more = tie
        .filter((name) => !left.has(name) && !known.has(name))
        .sort((a, b) => price(a) - price(b) || sizeOf(a) - sizeOf(b) || (a < b ? -1 : 1));
      const isOpen = () => open.length >= 2 && open.reduce((sum, name) => sum + sizeOf(name), 0) >= k;
      while (open.length > 0 && !isOpen() && more.length > 0) open.push(...more.splice(0, 1));
      for (const name of open) left.add(name);
    }
  }
  return left;
}
