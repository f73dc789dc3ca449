/** What breaks in the page is said on the page: never a blank one. */
import { Component, type ReactNode } from 'react';
import { ProblemNote } from './notes.js';

interface Props {
  readonly children: ReactNode;
}

export class Catch extends Component<Props, { readonly error?: Error }> {
  override state: { readonly error?: Error } = {};

  static getDerivedStateFromError(error: Error) {
    return { error };
  }

  override render() {
    const { error } = this.state;
    if (error === undefined) return this.props.children;
    return (
      <main id="main" className="narrow">
        <h1>Something broke in this page</h1>
        <ProblemNote error={error} retry={() => location.reload()} />
      </main>
    );
  }
}
