/** Which of many are meant by a few words. */

const plain = (text: string): string =>
  text
    .normalize('NFKD')
    .replace(/\p{Mark}/gu, '')
    .toLowerCase();

/** Those whose text holds every word, in any order and spelling of case and accents; all when nothing is said. */
export const found = <Item>(items: readonly Item[], said: string, textOf: (item: Item) => string): readonly Item[] => {
  const words = plain(said).split(/\s+/).filter(Boolean);
  if (words.length === 0) return items;
  return items.filter((item) => {
    const text = plain(textOf(item));
    return words.every((word) => text.includes(word));
  });
};
