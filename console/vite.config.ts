import { defineConfig } from 'vite'
import { brotli } from './build/brotli.ts'
import { messagingSession } from './build/messaging-session.ts'
import { theme } from './build/theme.ts'

export default defineConfig({
  root: import.meta.dirname,
  plugins: [theme(), messagingSession(), brotli()],
  // amazon-chime-sdk-js is written for bundlers that define it.
  define: { global: 'globalThis' },
  build: {
    outDir: '../dist/console-pages',
    emptyOutDir: true,
    // A data: URL would have to be allowed by the Content-Security-Policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    chunkSizeWarningLimit: 1_500,
    rolldownOptions: {
      checks: { pluginTimings: false },
      // Nothing here is rendered on a server.
      onLog: (level, log, report) => log.code !== 'MODULE_LEVEL_DIRECTIVE' && report(level, log),
    },
  },
})
