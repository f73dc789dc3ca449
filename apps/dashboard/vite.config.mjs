/** The page as a few files below dist/page; the front door serves them. `tsc` checks the types, this only bundles. */
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

export default defineConfig({
  root: import.meta.dirname,
  plugins: [react()],
  // Nothing inline: the page's policy allows files of this address only.
  build: { outDir: 'dist/page', emptyOutDir: true, assetsInlineLimit: 0, modulePreload: { polyfill: false }, target: 'es2022' },
});
