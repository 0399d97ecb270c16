import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  plugins: [react()],
  build: {
    target: 'es2021',
    // The Content-Security-Policy of the server allows files of our own origin only.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 1200,
  },
  server: {
    port: 5173,
    proxy: {
      '/api': 'http://localhost:3000',
      '/init': 'http://localhost:3000',
      '/v2': { target: 'http://localhost:3000', ws: true },
    },
  },
  test: { environment: 'node', include: ['src/**/*.test.ts'] },
});
