/** A long list: a field to search it by, and a part of it at a time. */
import { type ReactNode, useState } from 'react';
import { found } from '../reading/finding.js';
import { count } from '../reading/numbers.js';

const AT_A_TIME = 24;
/** What fits on a screen or two is looked through faster than searched. */
const WORTH_A_SEARCH = 8;

interface FinderProps<Item> {
  readonly items: readonly Item[];
  /** What is searched in. */
  readonly textOf: (item: Item) => string;
  /** In the plural. */
  readonly noun: string;
  readonly children: (shown: readonly Item[]) => ReactNode;
}

export const Finder = <Item,>({ items, textOf, noun, children }: FinderProps<Item>) => {
  const [said, say] = useState('');
  const [most, show] = useState(AT_A_TIME);
  const matching = found(items, said, textOf);
  const shown = matching.slice(0, most);
  return (
    <>
      {items.length > WORTH_A_SEARCH && (
        <p className="tools">
          <input
            type="search"
            aria-label={`Search ${noun}`}
            placeholder={`Search ${count(items.length)} ${noun}`}
            value={said}
            onChange={({ target }) => {
              say(target.value);
              show(AT_A_TIME);
            }}
          />
          <span className="faint small" role="status">
            {said.trim() !== '' && `${count(matching.length)} of ${count(items.length)}`}
          </span>
        </p>
      )}
      {children(shown)}
      {matching.length > shown.length && (
        <p>
          <button type="button" onClick={() => show(most + AT_A_TIME)}>
            Show more <span className="faint">({count(matching.length - shown.length)} left)</span>
          </button>
        </p>
      )}
    </>
  );
};
