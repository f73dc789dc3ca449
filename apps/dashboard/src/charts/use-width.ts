/** How wide an element is, while it changes. */
import { type RefCallback, useCallback, useState } from 'react';

export const useWidth = (before: number): readonly [RefCallback<HTMLElement>, number] => {
  const [width, setWidth] = useState(before);
  const place = useCallback((element: HTMLElement | null) => {
    if (element === null) return;
    const observer = new ResizeObserver(([entry]) => {
      if (entry !== undefined && entry.contentRect.width > 0) setWidth(Math.round(entry.contentRect.width));
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return [place, width];
};
