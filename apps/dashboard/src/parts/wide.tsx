/** Holds what may be wider than the screen: it scrolls by itself, also by keyboard. */
import type { ReactNode } from 'react';

export const Wide = ({ label, children }: { readonly label: string; readonly children: ReactNode }) => (
  // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable without a mouse
  <section className="wide" aria-label={label} tabIndex={0}>
    {children}
  </section>
);
